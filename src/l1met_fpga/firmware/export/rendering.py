"""Templates of the exports, and the folders of files that they fill."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.files import replaced_folder
from l1met_fpga.firmware.templates import fill

__all__ = ["TEMPLATES", "identifier", "render", "write_folder"]

TEMPLATES: Final = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Fill a template of the exports."""
    return fill(TEMPLATES, template, **values)


def identifier(name: str) -> str:
    """Return a network's name if code can carry it.

    Raises:
        ConversionError: If it is not made of letters, digits and underscores.
    """
    if not (name.isascii() and name.isidentifier()):
        raise ConversionError(
            f"network name {name!r} cannot be part of a name in C++ or VHDL; use letters, digits "
            "and underscores (`model.name` of the configuration)"
        )
    return name


def write_folder(folder: Path, files: Mapping[str, str], *, kind: str) -> None:
    """Write files into a folder of their own, replacing an earlier export of the same kind.

    Args:
        folder: The folder; new, empty, or made by this function for the same kind.
        files: Path inside the folder -> text.
        kind: Which export this is, for example ``cpp``.

    Raises:
        ConversionError: If the folder holds anything else; nothing is changed then.
    """
    with replaced_folder(folder, kind, error=ConversionError) as fresh:
        for name, text in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
