"""``l1met report``: one page about a run, or what changed between two reports."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
        bool,
        typer.Option(
            "--check",
            help="Exit with 13 if a limit is broken; with --compare, count what was measured "
            "before and is not any more as worse.",
        ),
    ] = False,
    require: Annotated[
        str | None,
        typer.Option(help="Stages that must have figures, for example rtl,hls,physics."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Copy the run there first, for a run that may not be written."
        ),
    ] = None,
) -> None:
    """Write report.json, report.md and report.html from whatever the run folder holds.

    A file that cannot be used is named in the report, which is made without it; the exit code is
    then 12, after everything was written. So it is if a stage of --require has no figures.

    With --compare nothing is written; the changes are printed. The exit code is 13 if a figure is
    worse than its threshold, 14 if figures could not be judged because they are not of one kind.

    For example:

        l1met report runs/deepset --check --require rtl,physics

        l1met report --compare old/report.json runs/deepset --threshold rtl.lut=0.02
    """
    from l1met_fpga.errors import ConfigError

    if (run is None) == (compare is None):
        raise ConfigError("give a run folder, or --compare OLD NEW")
    console = terminal.console()
    if compare is not None:
        if require is not None:
            raise ConfigError("--require is about one run; leave it out with --compare")
        _compare(console, compare[0], compare[1], threshold or [], check=check)
        return
    if threshold:
        raise ConfigError("--threshold is about changes; give it with --compare OLD NEW")
    # An empty text is refused like an unknown stage: a gate must not open by an empty variable.
    stages = [] if require is None else [stage.strip() for stage in require.split(",")]
    _write(console, Path(run or ""), output, stages, check=check)


def _write(
    console: Console, root: Path, output: Path | None, stages: list[str], *, check: bool
) -> None:
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.report.budget import known_stages, require_budget, require_stages
    from l1met_fpga.report.findings import require_usable
    from l1met_fpga.report.write import unchecked_lines, write_report
    from l1met_fpga.run_folder import RunFolder

    known_stages(stages)
    folder = RunFolder.open(root).writable(output)
    with folder.writing():
        written = write_report(folder)
    report = written.report
    for suffix in ("json", "md", "html"):
        console.print(f"wrote {folder.report(suffix)}")
    print_answers(console, written.answers)
    for line in unchecked_lines(report):
        console.print(line)
    if check:
        require_budget(report.budget)
    require_stages(report, stages)
    require_usable(report.findings)


def _compare(console: Console, old: Path, new: Path, typed: list[str], *, check: bool) -> None:
    from l1met_fpga.report.changes import compare, load_report, parse_thresholds, require_judged
    from l1met_fpga.report.comparison_text import comparison_lines

    found = compare(
        load_report(old), load_report(new), parse_thresholds(typed), missing_is_worse=check
    )
    console.print(f"{old} -> {new}")
    for line in comparison_lines(found, width=console.width):
        console.print(line)
    require_judged(found)
