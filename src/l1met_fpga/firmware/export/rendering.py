"""Templates of the exports, and folders that are replaced whole or not at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.files import atomic_folder, exclusive
from l1met_fpga.firmware.templates import fill

__all__ = ["MARK", "TEMPLATES", "identifier", "render", "replaced_folder", "write_folder"]

TEMPLATES: Final = Path(__file__).with_name("templates")
MARK: Final = ".l1met-export"
"""File that says which export made a folder."""


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
    with replaced_folder(folder, kind) as fresh:
        for name, text in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


@contextmanager
def replaced_folder(folder: Path, kind: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of an earlier export in the end, or of nothing.

    Raises:
        ConversionError: As :func:`write_folder`.
    """
    folder = folder.resolve()  # what a link points to is replaced, never the link
    if folder == Path.cwd():
        raise ConversionError(f"{folder} is the working folder; choose another --output")
    with exclusive(folder):
        _check_replaceable(folder, kind)
        with atomic_folder(folder) as fresh:
            (fresh / MARK).write_text(f"{kind}\n", encoding="utf-8")
            yield fresh


def _check_replaceable(folder: Path, kind: str) -> None:
    mark = folder / MARK
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        made_here = mark.is_file() and mark.read_text(encoding="utf-8").strip() == kind
        if not made_here:
            raise ConversionError(
                f"{folder} is not empty and is no earlier `l1met export {kind}`; refusing to "
                "replace it. Choose another --output"
            )
