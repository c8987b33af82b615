"""Where a candidate's columns stand in its word, as Verilog."""

from dataclasses import dataclass
from typing import Final

from l1met_fpga.models.nodes import Origin
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT
from l1met_fpga.puppi.words import CHARGED_ONLY, LOWEST_BIT, NEUTRAL_ONLY

__all__ = ["COLUMN_BITS", "Field", "fields_of"]


def _column_bits() -> dict[str, int]:
    lowest, result = 0, {}
    for name, column in COLUMNS.items():
        result[name] = lowest
        lowest += column.type.width
    return result


COLUMN_BITS: Final = _column_bits()
"""Lowest bit of each column in a 128-bit slot of ``in_columns`` (simulation only)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column in a word.

    Attributes:
        name: The column.
        width: Its bits.
        low: Lowest bit in a slot of ``in_columns``.
        expression: How it comes out of ``word``; ``charged`` says of which kind that is.
    """

    name: str
    width: int
    low: int
    expression: str


def fields_of(columns: frozenset[str], *, z0_origin: Origin = "beam") -> list[Field]:
    """Return the fields of some columns, in the order of all columns."""
    return [
        Field(name, column.type.width, COLUMN_BITS[name], _expression(name, z0_origin))
        for name, column in COLUMNS.items()
        if name in columns
    ]


def _expression(name: str, z0_origin: Origin) -> str:
    width, low = COLUMNS[name].type.width, LOWEST_BIT[name]
    bits = f"word[{low + width - 1}:{low}]"
    if name == "z0" and z0_origin == "vertex":
        bits = "from_vertex"
    if name in CHARGED_ONLY:
        return f"charged ? {bits} : {width}'d0"
    if name in NEUTRAL_ONLY:
        other = MAX_PUPPI_WEIGHT if name == "puppi_weight" else 0
        return f"charged ? {width}'d{other} : {bits}"
    return bits
