"""What firmware was made from: a record beside its sources, and beside every figure about them.

``build.json`` in a project's folder holds the digest of the network, the settings as they were
used (flags of the command line included), and a digest of the written sources. A figure belongs to
the sources that lie there when it carries the digest of that record.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError, L1MetError, ReportError
from l1met_fpga.files import read_json, write_json
from l1met_fpga.identity import content_digest, require_same
from l1met_fpga.models.network import Network

__all__ = ["RECORD", "Build", "require_figures_of", "sources_digest"]

RECORD: Final = "build.json"
_AGAIN: Final = "Make it again with `l1met synthesize`"


@dataclass(frozen=True, slots=True)
class Build:
    """What a project was made from.

    Attributes:
        network: Digest of the network.
        top: Name of the top module or function.
        settings: Configuration section that was used.
        sources: Digest of the files that were written.
    """

    network: str
    top: str
    settings: Mapping[str, Any]
    sources: str

    @property
    def digest(self) -> str:
        """What identifies the build."""
        return content_digest(asdict(self))

    def write(self, folder: Path) -> None:
        """Write ``build.json`` into the project's folder."""
        write_json(folder / RECORD, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Build | None":
        """Read the record of a project; None if it has none.

        Raises:
            ConversionError: If it is damaged.
        """
        path = folder / RECORD
        if not path.is_file():
            return None
        try:
            build = cls(**read_json(path, error=ConversionError, next_step=_AGAIN))
        except TypeError as err:
            raise ConversionError(f"{path} is damaged ({err}). {_AGAIN}") from None
        if not isinstance(build.settings, dict):
            raise ConversionError(f"{path} is damaged (settings are no object). {_AGAIN}")
        if not re.fullmatch(r"[A-Za-z]\w*", str(build.top), re.ASCII):  # part of file names
            raise ConversionError(f"{path}: {build.top!r} is no module name. {_AGAIN}")
        return build

    def require_network(
        self, network: Network, folder: Path, *, error: type[L1MetError] = ConversionError
    ) -> None:
        """Check that the project was made from this network.

        Raises:
            L1MetError: As ``error``, if it was made from another one.
        """
        require_same(
            {"network": self.network},
            {"network": network.digest},
            what=f"the project {folder}",
            next_step=_AGAIN,
            error=error,
        )


def sources_digest(folder: Path) -> str:
    """Return the digest of all files below a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def require_figures_of(folder: Path, content: Mapping[str, Any], network: Path) -> None:
    """Check that figures belong to the sources that lie in a project, and these to the network.

    Args:
        folder: The project.
        content: The figures; the key ``build`` says what they were made from.
        network: The run's ``network.json``.

    Raises:
        ReportError: If they belong to something else.
    """
    build = Build.read(folder)
    if build is None:  # made before there were records
        return
    require_same(
        {"build": content.get("build")},
        {"build": build.digest},
        what=f"the figures of {folder}",
        next_step="Build them again with `l1met synthesize --build`",
        error=ReportError,
    )
    if network.is_file():
        build.require_network(Network.load(network), folder, error=ReportError)
