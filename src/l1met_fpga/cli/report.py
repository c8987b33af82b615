"""``l1met report``: one page about a run, or what changed between two reports."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(_report)


def _report(
    run: Annotated[Path | None, typer.Argument(help="Run folder.")] = None,
    *,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="OLD NEW: two report.json files or run folders."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="Allowed relative worsening, KEY=FRACTION, for example rtl.lut=0.05."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 13 if a budget is violated.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Copy the run there first, for a run that may not be written."
        ),
    ] = None,
) -> None:
    """Write report.json, report.md and report.html from whatever the run folder holds.

    With --compare nothing is written; the changes are printed, and the exit code is 13 if one is
    worse than its threshold.

    For example:

        l1met report runs/deepset --check

        l1met report --compare old/report.json runs/deepset --threshold rtl.lut=0.02
    """
    from l1met_fpga.errors import BudgetError, ConfigError

    if (run is None) == (compare is None):
        raise ConfigError("give a run folder, or --compare OLD NEW")
    console = terminal.console()
    if compare is not None:
        _compare(console, compare[0], compare[1], threshold or [])
        return
    from l1met_fpga.report.write import write_report
    from l1met_fpga.run_folder import RunFolder

    folder = RunFolder.open(Path(run or "")).writable(output)
    with folder.writing():
        report = write_report(folder)
    for suffix in ("json", "md", "html"):
        console.print(f"wrote {folder.report(suffix)}")
    budget = report["budget"]
    if check and not budget["passed"]:
        over = ", ".join(
            f"{r['key']} = {r['value']:g} (limit {r['limit']:g})" for r in budget["violations"]
        )
        raise BudgetError(f"budget violated: {over}")


def _compare(console: Console, old: Path, new: Path, typed: list[str]) -> None:
    from l1met_fpga.errors import BudgetError
    from l1met_fpga.report.changes import changes, load_report, parse_thresholds

    found = changes(load_report(old), load_report(new), parse_thresholds(typed))
    table = Table("key", "old", "new", "change", "verdict", title=f"{old} -> {new}")
    for row in found:
        table.add_row(row.key, row.old_text, row.new_text, row.change_text, row.verdict)
    console.print(table)
    worse = [row.key for row in found if row.too_much]
    if worse:
        raise BudgetError(
            f"{len(worse)} figures are worse than their thresholds: {', '.join(worse)}"
        )
