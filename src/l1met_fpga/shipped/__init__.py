"""What comes with the package to begin with: recipes, trained networks, simulated samples.

The folders here are links to ``models/`` and ``data/`` of the repository; an installed package has
the files themselves.
"""

import filecmp
import shutil
from importlib import resources
from pathlib import Path
from typing import Final

from l1met_fpga.errors import ConfigError
from l1met_fpga.files import atomic_path

__all__ = ["PATTERNS", "copy_shipped", "shipped_networks"]

PATTERNS: Final = (
    "models/*.yaml",
    "models/*/*",
    "data/*.root",
    "data/*.yaml",
    "data/simulation.json",
    "data/README.md",
)
"""Files that are shipped, as ``setup.cfg`` names them; a checkout's folders may hold more."""


def copy_shipped(target: Path) -> list[Path]:
    """Copy the folders ``models`` and ``data`` of the package into ``target``.

    Returns:
        The files that were not there before.

    Raises:
        ConfigError: If a file of another content is there; nothing is copied then.
        OSError: If a file cannot be written.
    """
    with resources.as_file(resources.files(__package__)) as root:
        files = [file for pattern in PATTERNS for file in sorted(root.glob(pattern))]
        pairs = [(file, target / file.relative_to(root)) for file in files]
        missing = [(file, copy) for file, copy in pairs if not copy.exists()]
        for file, copy in pairs:
            if copy.exists() and not (copy.is_file() and filecmp.cmp(file, copy, shallow=False)):
                raise ConfigError(
                    f"{copy} is there and is not the package's; nothing was copied. Choose "
                    "another folder"
                )
        for file, copy in missing:
            with atomic_path(copy) as temporary:
                shutil.copyfile(file, temporary)
    return [copy for _, copy in missing]


def shipped_networks() -> dict[str, Path]:
    """Return the folders of the trained networks that come with the package, by name."""
    files = sorted((Path(__file__).parent / "models").glob("*/network.json"))
    return {file.parent.name: file.parent for file in files}
