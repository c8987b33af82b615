"""A run is a folder with fixed file names; every step after training reads only the folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from l1met_fpga.errors import RunFolderError
from l1met_fpga.files import atomic_path, exclusive, remove_folder
from l1met_fpga.identity import file_digest
from l1met_fpga.scratch import PREFIX

__all__ = ["RunFolder"]

MARK: Final = ".l1met-run"
_NOT_COPIED: Final = ("checkpoints", "exported")
_FOREIGN: Final = (
    "{root} is not empty and was not made by l1met; refusing to touch it. Choose another --output"
)


def _holds_nothing(root: Path) -> bool:
    """Whether a folder is empty, or was left by a command killed before it had made anything."""
    return root.is_dir() and all(path.name.startswith(PREFIX) for path in root.iterdir())


@dataclass(frozen=True, slots=True)
class RunFolder:
    """File names inside a run folder (``docs/architecture.md``, "A run is a folder")."""

    root: Path

    @classmethod
    def create(cls, root: Path, *, clear: bool = False) -> "RunFolder":
        """Make a new run folder.

        Args:
            root: Folder to make.
            clear: Remove an earlier run that this tool made there.

        Raises:
            RunFolderError: If the folder holds anything and is not an earlier run, or is an
                earlier run and ``clear`` is false.
        """
        cls.require_free(root, clear=clear)
        if root.exists() and not _holds_nothing(root):
            with cls(root).writing():  # not under the hands of a command that works there
                remove_folder(root)
        root.mkdir(parents=True, exist_ok=True)
        (root / MARK).touch()
        return cls(root)

    @staticmethod
    def require_free(root: Path, *, clear: bool) -> None:
        """Refuse a folder that :meth:`create` would refuse; nothing is made or removed.

        Raises:
            RunFolderError: As :meth:`create`.
        """
        if not root.exists() or _holds_nothing(root):
            return
        if not (root / MARK).is_file():
            raise RunFolderError(_FOREIGN.format(root=root))
        if not clear:
            raise RunFolderError(
                f"{root} already holds a run; resume it with --resume, replace it with "
                "--overwrite, or choose another --output"
            )

    @classmethod
    def open(cls, root: Path) -> "RunFolder":
        """Open an existing run folder, or a shipped network, which is a run that is only read.

        Raises:
            RunFolderError: If it is missing or is neither.
        """
        run = cls(root)
        if not cls.is_run(root):
            what = "was not made by l1met" if root.is_dir() else "does not exist"
            raise RunFolderError(f"run folder {root} {what}; make one with `l1met train` first")
        return run

    @classmethod
    def is_run(cls, root: Path) -> bool:
        """Whether a folder is a run or a shipped network."""
        run = cls(root)
        return (root / MARK).is_file() or (run.config.is_file() and run.network.is_file())

    @classmethod
    def holding(cls, network: Path) -> "RunFolder | None":
        """Return the run whose ``network.json`` a file is; None for a network of no run."""
        run = cls(network.parent)
        known = (run.root / MARK).is_file() or run.config.is_file()
        return run if known and network.name == run.network.name else None

    def writable(self, output: Path | None = None) -> "RunFolder":
        """Return the folder that results of this run go to.

        Args:
            output: Where to copy the run first; None for the run folder itself.

        Raises:
            RunFolderError: If there is no ``output`` and the run folder is a shipped network or may
                not be written, or if ``output`` holds something else.
        """
        if output is not None and output.resolve() != self.root.resolve():
            return self._copied_to(output)
        why = ""
        if not (self.root / MARK).is_file():
            why = "is a shipped network, which stays as it is"
        elif not os.access(self.root, os.W_OK):
            why = "may not be written"
        if why:
            raise RunFolderError(f"{self.root} {why}; say where results go with --output FOLDER")
        return self

    def _copied_to(self, target: Path) -> "RunFolder":
        """Copy what ``target`` does not have yet; what was made there stays."""
        copy = RunFolder(target)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            if not (target / MARK).is_file():
                raise RunFolderError(_FOREIGN.format(root=target))
            if copy.network.is_file() and not self._same_network(copy):
                raise RunFolderError(
                    f"{target} holds another network than {self.root}; remove it or choose another "
                    "--output"
                )
        target.mkdir(parents=True, exist_ok=True)
        (target / MARK).touch()
        for path in sorted(self.root.rglob("*")):
            inside = path.relative_to(self.root)
            skipped = inside.parts[0] in _NOT_COPIED or path.suffix == ".lock"
            if path.is_file() and not skipped and not (target / inside).exists():
                with atomic_path(target / inside) as temporary:
                    shutil.copyfile(path, temporary)
        return copy

    def _same_network(self, other: "RunFolder") -> bool:
        return self.network.is_file() and file_digest(self.network) == file_digest(other.network)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the sole right to write in this folder; another command waits for it."""
        with exclusive(self.root / "run"):
            yield

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / "config.yaml"

    @property
    def environment(self) -> Path:
        """Versions, git state, seeds."""
        return self.root / "environment.json"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.root / "history.csv"

    @property
    def model(self) -> Path:
        """The quantized, stripped Keras model."""
        return self.root / "model.keras"

    @property
    def float_model(self) -> Path:
        """The float twin, when one was trained."""
        return self.root / "model_float.keras"

    @property
    def unpruned_model(self) -> Path:
        """The quantized twin without pruning, when one was trained."""
        return self.root / "model_unpruned.keras"

    @property
    def started(self) -> Path:
        """What a training is about to do: networks, epochs, figures of PUPPI."""
        return self.root / "started.json"

    @property
    def training(self) -> Path:
        """What training gave: epochs, best figures, zeros per layer, PUPPI MET beside it."""
        return self.root / "training.json"

    @property
    def checkpoints(self) -> Path:
        """State from which an interrupted training goes on; removed when it is complete."""
        return self.root / "checkpoints"

    @property
    def network(self) -> Path:
        """The integer network (:class:`l1met_fpga.models.network.Network`)."""
        return self.root / "network.json"

    @property
    def metrics(self) -> Path:
        """Physics figures."""
        return self.root / "metrics.json"

    @property
    def bit_exactness(self) -> Path:
        """Result of the bit-exactness check of every form."""
        return self.root / "bit_exactness.json"

    @property
    def saturation(self) -> Path:
        """How many outputs left the range of their type in test events."""
        return self.root / "saturation.json"

    @property
    def plots(self) -> Path:
        """Figures, PDF and PNG."""
        return self.root / "plots"

    @property
    def hls(self) -> Path:
        """The hls4ml project."""
        return self.root / "hls"

    @property
    def hls_words(self) -> Path:
        """The HLS project that takes words, where it was built beside :attr:`hls`."""
        return self.root / "hls_words"

    @property
    def hls_project(self) -> Path:
        """Where the last hls4ml project is, which may be elsewhere than :attr:`hls`."""
        return self.root / "hls_project.json"

    @property
    def rtl(self) -> Path:
        """The streaming RTL project."""
        return self.root / "rtl"

    @property
    def expected(self) -> Path:
        """Events with known results that came with a network of others."""
        return self.root / "expected.npz"

    @property
    def exported(self) -> Path:
        """Libraries compiled from exports, for the bit-exactness check."""
        return self.root / "exported"

    def report(self, suffix: str) -> Path:
        """``report.json``, ``report.md`` or ``report.html``."""
        return self.root / f"report.{suffix}"

    def need(self, path: Path, *, made_by: str) -> Path:
        """Return ``path`` if the step that makes it has run.

        Raises:
            RunFolderError: If the file is missing; names the command that makes it.
        """
        if not path.exists():
            raise RunFolderError(
                f"{self.root} has no {path.name}; it is made by `{made_by}`, run that first"
            )
        return path
