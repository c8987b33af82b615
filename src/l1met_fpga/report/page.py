"""What a page is made of: sections of tables whose cells are text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["EMPTY", "Section", "Table", "measured", "number"]

EMPTY: Final = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Text cells; the first column names the row.

    Attributes:
        title: Heading.
        columns: Column names.
        rows: One text per column.
        note: What a reader must know, below the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Tables under one heading.

    Attributes:
        title: The heading.
        tables: Its tables.
        empty: Shown when there are none.
        figures: PNG files below the tables, embedded in the HTML page.
    """

    title: str
    tables: tuple[Table, ...]
    empty: str = ""
    figures: tuple[Path, ...] = ()


def number(value: float | str | None, digits: int = 3) -> str:
    """Return a cell; ``None`` becomes a dash."""
    if value is None:
        return EMPTY
    if isinstance(value, str):
        return value
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value))
    return f"{value:.{digits}f}"


def measured(value: float | None, error: float | None, digits: int = 3) -> str:
    """Return ``value ± error``; a dash for an empty bin."""
    if value is None:
        return EMPTY
    return f"{value:.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")
