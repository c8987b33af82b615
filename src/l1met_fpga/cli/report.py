"""``l1met report``: one page about a run, or what changed between two reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import CopiedRun

if TYPE_CHECKING:
    from l1met_fpga.results.report import Report
    from l1met_fpga.run_folder import RunFolder

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
            help="Exit with 13 if a limit is broken, with 15 if one could not be checked; with "
            "--compare, count what was measured before and is not any more as worse.",
        ),
    ] = False,
    require: Annotated[
        str | None,
        typer.Option(help="Stages that must have figures, for example rtl,hls,physics."),
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(
            help="With --check: stages that the run may lack, for example hls,rtl_parallel; limits "
            "on one that did not run are left out."
        ),
    ] = None,
    vendor: Annotated[
        Path | None,
        typer.Option(help="Reports to take in first: what `l1met export vendor`'s script wrote."),
    ] = None,
    output: CopiedRun = None,
) -> None:
    """Write report.json, report.md and report.html from whatever the run folder holds.

    A file that cannot be used is named in the report, which is made without it; the exit code is
    then 12, after everything was written. So it is if a stage of --require has no figures.

    With --check the exit code is 0 only if every limit of the budget was checked and holds. 13 says
    that one is broken; 15 that none is, but that some were not checked, because a stage did not run
    or a figure is missing. A stage that the run is not to have is said with --without.

    With --compare nothing is written; the changes are printed. The exit code is 13 if a figure is
    worse than its threshold, 14 if figures could not be judged because they are not of one kind.

    For example:

        l1met report runs/deepset --check --require rtl,physics --without hls

        l1met report --compare old/report.json runs/deepset --threshold rtl.lut=0.02
    """
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.report.budget import (
        read_stages,
        require_budget,
        require_checked,
        require_stages,
    )
    from l1met_fpga.report.findings import require_usable
    from l1met_fpga.run_folder import RunFolder

    if (run is None) == (compare is None):
        raise ConfigError("give a run folder, or --compare OLD NEW")
    console = terminal.console()
    if compare is not None:
        about_one = {"--require": require, "--without": without, "--vendor": vendor}
        for option, given in about_one.items():
            if given is not None:
                raise ConfigError(f"{option} is about one run; leave it out with --compare")
        _compare(console, compare[0], compare[1], threshold or [], check=check)
        return
    if threshold:
        raise ConfigError("--threshold is about changes; give it with --compare OLD NEW")
    if without is not None and not check:
        raise ConfigError("--without is about what --check holds; give both")
    needed, lacking = read_stages(require, "--require"), read_stages(without, "--without")
    both = [stage for stage in needed if stage in lacking]
    if both:
        raise ConfigError(f"{', '.join(both)}: given with --require and with --without")
    folder = RunFolder.open(Path(run or "")).writable(output)
    report = _write(console, folder, vendor)
    if check:
        require_budget(report.budget)
    require_stages(report, needed)
    require_usable(report.findings)
    if check:
        require_checked(report, lacking)


def _take_in(console: Console, folder: "RunFolder", archive: Path) -> None:
    from l1met_fpga.config.run import load_run
    from l1met_fpga.firmware.export.vendor_run import take_vendor_reports
    from l1met_fpga.report.rtl_vivado import use_vivado_figures

    config = load_run(folder.need(folder.config, made_by="l1met train"))
    with folder.writing():
        taken = take_vendor_reports(folder, config.hls, archive)
        if any(path.startswith("rtl/") for path in taken):
            use_vivado_figures(folder.rtl)
    for path in taken:
        console.print(f"took {path}", highlight=False, markup=False)


def _write(console: Console, folder: "RunFolder", vendor: Path | None) -> "Report":
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.report.write import unchecked_lines, write_report

    if vendor is not None:
        _take_in(console, folder, vendor)
    with folder.writing():
        written = write_report(folder)
    report = written.report
    for suffix in ("json", "md", "html"):
        console.print(f"wrote {folder.report(suffix)}")
    print_answers(console, written.answers)
    for line in unchecked_lines(report):
        console.print(line)
    return report


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
