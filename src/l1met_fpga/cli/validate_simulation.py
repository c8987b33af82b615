"""``l1met validate-simulation``: simulated samples against published figures."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate-simulation")(_validate)


def _validate(
    folder: Annotated[
        Path, typer.Argument(help="Folder with pileup, ttbar_inclusive and ttbar_dilepton.")
    ] = Path("data/validation"),
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the table and the plots.")
    ] = Path("validation"),
    reference: Annotated[
        Path | None,
        typer.Option(envvar="L1MET_REFERENCE_DATA", help="Folder with the real arrays and words."),
    ] = None,
) -> None:
    """Compare simulated samples with published figures: a table and plots.

    For example:

        l1met simulate data/validation_sample.yaml

        l1met validate-simulation data/validation -o validation
    """
    from l1met_fpga.files import require_folder
    from l1met_fpga.simulation.validation_page import validate

    require_folder(output)
    rows = validate(folder, output, reference)
    table = Table("figure", "simulation", "target", "tolerance", "verdict", box=None)
    for row in rows:
        t = row.target
        table.add_row(
            row.name,
            f"{row.value:.3g} ± {row.error:.1g}",
            f"{t.value:.3g} {t.unit}",
            f"{t.allowed:.2g}",
            row.verdict.value,
        )
    console = terminal.console()
    console.print(table)
    counts = Counter(row.verdict.value for row in rows)
    console.print(", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    console.print(terminal.styled("Table and plots are in ", (output, "bold")))
