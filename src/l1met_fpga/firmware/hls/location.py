"""Where the HLS project of a run lies: in the run folder, or where the user asked for it."""

from pathlib import Path
from typing import Final

from l1met_fpga.config.base import parse
from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import L1MetError, RunFolderError
from l1met_fpga.files import read_json, write_json
from l1met_fpga.firmware.builds import Build, sources_digest
from l1met_fpga.firmware.hls.project import SOURCES
from l1met_fpga.identity import require_same
from l1met_fpga.models.network import Network
from l1met_fpga.run_folder import RunFolder

__all__ = ["record_project", "recorded_project", "require_project_of", "used_settings"]

_AGAIN: Final = "make the project again with `l1met synthesize`"


def record_project(run: RunFolder, folder: Path, config: HlsConfig) -> None:
    """Note in the run folder where its last HLS project is, and for which vendor's tool.

    Args:
        run: The run folder.
        folder: The project; relative to the run folder if it lies there, so that both can move.
        config: Section ``hls`` the project was made with.
    """
    folder, root = folder.resolve(), run.root.resolve()
    inside = folder.relative_to(root) if folder.is_relative_to(root) else folder
    write_json(run.hls_project, {"folder": str(inside), "backend": config.backend.value})


def recorded_project(run: RunFolder, config: HlsConfig) -> tuple[Path, HlsConfig]:
    """Return the folder of a run's last HLS project, and the section ``hls`` it was made with.

    Args:
        run: The run folder.
        config: Section ``hls`` of its configuration, which decides where nothing was noted. What
            was typed at the time is in the project's record.

    Raises:
        ConfigError: If the record holds settings that are not allowed any more.
        ConversionError: If the record is damaged.
        RunFolderError: If the note is damaged.
    """
    if not run.hls_project.is_file():
        return run.hls, used_settings(run.hls, config)
    try:
        found = read_json(run.hls_project, error=RunFolderError, next_step=_AGAIN)
        folder, backend = run.root / found["folder"], Backend(found["backend"])
    except (ValueError, KeyError, TypeError) as err:
        raise RunFolderError(
            f"{run.hls_project} does not say where the HLS project is ({err!r}); {_AGAIN}"
        ) from None
    return folder, used_settings(folder, config.model_copy(update={"backend": backend}))


def used_settings(folder: Path, config: HlsConfig) -> HlsConfig:
    """Return the section ``hls`` that a project was made with; ``config`` where it does not say it.

    Raises:
        ConfigError: If the record holds settings that are not allowed any more.
        ConversionError: If the record is damaged.
    """
    build = Build.read(folder)
    return parse(HlsConfig, build.settings, where=str(folder)) if build is not None else config


def require_project_of(run: RunFolder, folder: Path, *, error: type[L1MetError]) -> None:
    """Check that a project was made from a run's network, and is as it was written.

    Another run may have been given the same ``--output``.

    Args:
        run: The run folder.
        folder: Its HLS project.
        error: Kind of error to raise.

    Raises:
        L1MetError: As ``error``, if it was made from another network, or changed.
    """
    if not (folder / "network.json").is_file():
        return
    network, build = Network.load(folder / "network.json"), Build.read(folder)
    recorded = {"network": network.digest}
    current = {"network": Network.load(run.network).digest} if run.network.is_file() else recorded
    if build is not None:
        found = sources_digest(folder / SOURCES)
        recorded, current = recorded | {"sources": build.sources}, current | {"sources": found}
    require_same(
        recorded,
        current,
        what=f"the HLS project {folder}",
        next_step="Make it again with `l1met synthesize`",
        error=error,
    )
