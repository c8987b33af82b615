"""``l1met compare``: several runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(_compare)


def _compare(
    runs: Annotated[list[str], typer.Argument(help="Run folders, as RUN or RUN:NAME.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the comparison.")
    ] = Path("compare"),
    html: Annotated[
        bool,
        typer.Option(help="Write the page compare.html and the plots, not only say the answers."),
    ] = True,
    sample: Annotated[
        list[Path] | None,
        typer.Option(
            "--sample", "-s", help="Stores or ROOT files instead of those of the first run."
        ),
    ] = None,
    allow_training_events: Annotated[
        bool,
        typer.Option(
            "--allow-training-events",
            help="Compare on events that a network was trained on too; the page says so.",
        ),
    ] = False,
    plots: Annotated[bool, typer.Option(help="Draw the plots of the page.")] = True,
) -> None:
    """Evaluate several runs on the same events and write one report with paired differences.

    For example:

        l1met compare runs/deepset runs/garnet:GarNet -o compare/

        l1met compare runs/deepset runs/narrow --no-html
    """
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.errors import ConfigError, RunFolderError
    from l1met_fpga.evaluation.draw import draw_all, draw_costs
    from l1met_fpga.evaluation.metrics_content import to_metrics
    from l1met_fpga.evaluation.runs import NamedRun, evaluate_runs
    from l1met_fpga.files import require_folder
    from l1met_fpga.report.collect import build_report
    from l1met_fpga.report.headline import answers
    from l1met_fpga.report.settings_table import settings_table
    from l1met_fpga.report.side_by_side import (
        difference_lines,
        luts_side_by_side,
        training_notes,
        write_comparison,
    )
    from l1met_fpga.run_folder import RunFolder
    from l1met_fpga.tasks.registry import task_named

    if len(runs) < 2:
        raise ConfigError(f"a comparison needs two or more runs, got {len(runs)}")
    named = NamedRun.open_all(runs)
    if html:
        if RunFolder.is_run(output):
            raise RunFolderError(
                f"{output} is a run, whose figures a comparison would replace; choose another --output"
            )
        require_folder(output)
    found = evaluate_runs(
        named,
        task_named(named[0].config.task),
        named[0].config.evaluation,
        stores=sample,
        allow_training_events=allow_training_events,
    )
    reports = {one.name: build_report(one.run) for one in named}
    metrics = to_metrics(found)
    if html and plots:
        draw_all(found, output / "plots")
        draw_costs(metrics, luts_side_by_side(reports), output / "plots", found.config)
    if html:
        settings = settings_table({one.name: one.config for one in named})
        write_comparison(metrics, reports, settings, output)
    console = terminal.console()
    for note in training_notes(reports):
        console.print(note)
    for name, report in reports.items():
        console.print(f"\n{name}")
        print_answers(console, answers(report, metrics, name))
    console.print("")
    for line in difference_lines(metrics, reports):
        console.print(line)
    if html:
        console.print(f"wrote {output / 'compare.html'}")
