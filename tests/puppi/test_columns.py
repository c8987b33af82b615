"""The candidate columns are those of the documented format."""

import math
import re
from pathlib import Path

import pytest

from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, REQUIRED_COLUMNS, STORED_COLUMNS

CONVENTIONS = Path(__file__).parents[2] / "docs" / "conventions.md"


@pytest.mark.parametrize(
    ("name", "bits", "signed", "lsb"),
    [
        ("pt", 14, False, 0.25),
        ("eta", 12, True, math.pi / 720),
        ("phi", 11, True, math.pi / 720),
        ("pid", 3, False, 1),
        ("puppi_weight", 9, False, 1 / 256),
        ("z0", 10, True, 0.05),
        ("dxy", 8, True, 0.05),
        ("quality", 3, False, 1),
        ("em_id", 6, False, 1),
    ],
)
def test_column_types(name: str, bits: int, signed: bool, lsb: float) -> None:
    column = COLUMNS[name]
    assert (column.name, column.type.width, column.type.signed) == (name, bits, signed)
    assert column.lsb == pytest.approx(lsb, rel=1e-12)
    assert column.type.min_code <= column.low <= 0 < column.high <= column.type.max_code


def test_documented_columns_are_the_real_ones() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+), (signed|unsigned) \|", CONVENTIONS.read_text(), re.MULTILINE
    )
    documented = {name: (int(bits), kind == "signed") for name, bits, kind in rows}
    assert documented == {n: (c.type.width, c.type.signed) for n, c in STORED_COLUMNS.items()}
    assert set(REQUIRED_COLUMNS) <= set(documented)
    assert f"up to {N_CANDIDATES} L1 PUPPI candidates" in CONVENTIONS.read_text()
