"""HEPData records of the numbers that stand beside the plots, written by hepdata_lib."""

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from l1met_fpga.errors import ReportError
from l1met_fpga.files import replaced_folder
from l1met_fpga.packages import load_package

__all__ = ["NumberTable", "number_tables", "write_hepdata"]

Bin = tuple[float, ...]
"""A value, or a value with its lower and upper end."""


@dataclass(frozen=True, slots=True)
class NumberTable:
    """Curves over the same points: one table of a record.

    Attributes:
        plot: Name of the plot.
        panel: Label of the axis that the curves belong to.
        x: Abscissa of each point.
        curves: Ordinates by name of the curve, one per point.
    """

    plot: str
    panel: str
    x: tuple[Bin, ...]
    curves: dict[str, tuple[Bin, ...]]


def number_tables(path: Path) -> Iterator[NumberTable]:
    """Yield the tables of one CSV file: curves of a panel that have the same points.

    Points that were not measured in any curve are left out.

    Raises:
        ReportError: If it is no file of a plot's numbers.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[tuple[str, tuple[Bin, ...]], dict[str, tuple[Bin, ...]]] = {}
    try:
        for (panel, curve), points in groupby(rows, lambda row: (row["panel"], row["curve"])):
            seen = list(points)
            x = tuple(_bin(row, "x") for row in seen)
            found.setdefault((panel, x), {})[curve] = tuple(_bin(row, "y") for row in seen)
    except (KeyError, ValueError) as err:
        raise ReportError(f"{path} does not hold the numbers of a plot: {err}") from None
    for (panel, x), curves in found.items():
        kept = [k for k in range(len(x)) if any(y[k] for y in curves.values())]
        if kept:
            yield NumberTable(
                path.stem,
                panel,
                tuple(x[k] for k in kept),
                {name: tuple(y[k] for k in kept) for name, y in curves.items()},
            )


def write_hepdata(plots: Path, output: Path) -> int:
    """Write ``submission.tar.gz``, which HEPData takes, and what is in it, from the CSV files of a folder of plots.

    Args:
        plots: Folder that `l1met evaluate` or `l1met compare` drew into.
        output: Folder to write.

    Returns:
        Number of tables.

    Raises:
        ToolMissingError: If hepdata_lib is not installed; names the extra that brings it.
        ReportError: If there are no numbers, or a file is damaged.
    """
    tables = [table for path in sorted(plots.glob("*.csv")) for table in number_tables(path)]
    if not tables:
        raise ReportError(f"{plots} holds no numbers of plots; draw them with `l1met evaluate`")
    library = load_package("hepdata_lib")
    submission = library.Submission()
    for number, table in enumerate(tables, start=1):
        submission.add_table(_as_table(library, table, number))
    with replaced_folder(output, "hepdata", error=ReportError) as fresh, chdir(fresh):
        submission.create_files(".")  # it packs where it is called; it checks what it has written
    return len(tables)


def _as_table(library: Any, numbers: NumberTable, number: int) -> Any:
    table = library.Table(f"{number} {numbers.plot}"[:64])
    table.description = f"{numbers.panel}, plot {numbers.plot}"
    table.location = f"Plot {numbers.plot}"
    binned = all(len(x) == 3 for x in numbers.x)
    abscissa = library.Variable("abscissa", is_independent=True, is_binned=binned, units="")
    abscissa.values = [x[1:] if binned else x[0] for x in numbers.x]
    table.add_variable(abscissa)
    for curve, points in numbers.curves.items():
        ordinate = library.Variable(curve, is_independent=False, is_binned=False, units="")
        ordinate.values = [y[0] if y else "-" for y in points]
        if any(len(y) == 3 for y in points):
            error = library.Uncertainty("interval", is_symmetric=False)
            error.values = [(y[1] - y[0], y[2] - y[0]) if len(y) == 3 else (0, 0) for y in points]
            ordinate.add_uncertainty(error)
        table.add_variable(ordinate)
    return table


def _bin(row: dict[str, str], axis: str) -> Bin:
    cells: Sequence[str] = (row[axis], row[f"{axis}_low"], row[f"{axis}_high"])
    if cells[0] == "":
        return ()
    values = tuple(float(cell) if cell else math.inf for cell in cells)
    if cells[1] == "" and cells[2] == "":
        return values[:1]
    return values
