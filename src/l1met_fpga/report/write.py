"""Write the report of a run: JSON, Markdown, HTML."""

from dataclasses import dataclass

from l1met_fpga.evaluation.summary import summary_lines
from l1met_fpga.files import write_json
from l1met_fpga.report.answer import Answer
from l1met_fpga.report.chart import turn_on_chart
from l1met_fpga.report.collect import collect
from l1met_fpga.report.headline import answers
from l1met_fpga.report.headline_physics import efficiency_table
from l1met_fpga.report.render import Page, figures_in, write_html, write_markdown
from l1met_fpga.report.tables import BAD_DAYS, report_sections
from l1met_fpga.results.report import Report
from l1met_fpga.run_folder import RunFolder

__all__ = ["Written", "unchecked_lines", "write_report"]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the content of ``report.json``, and the answers of the first screen."""

    report: Report
    answers: tuple[Answer, ...]


def write_report(run: RunFolder) -> Written:
    """Collect everything that a run folder holds and write ``report.{json,md,html}``.

    A file that cannot be used is named in ``findings`` and costs only its own figures.

    Returns:
        What was written.

    Raises:
        ConfigError: If the run's configuration is not allowed.
        RunFolderError: If the run was not trained.
    """
    found = collect(run)
    report, metrics = found.report, found.metrics
    made = "" if found.commit is None else f"Trained at commit {found.commit[:12]}. "
    page = Page(
        title=f"{report.model}: report",
        subtitle=_subtitle(run, report),
        alerts=tuple(f"Could not be used: {found}." for found in report.findings),
        answers=answers(report, metrics),
        chart=turn_on_chart(metrics) if metrics else None,
        tables=tuple(filter(None, [efficiency_table(metrics)])) if metrics else (),
        limits=tuple(r for r in (*report.budget.violations, *report.budget.held) if r.limit > 0),
        notes=(*unchecked_lines(report), *(metrics.notes if metrics else ())),
        gains=tuple(summary_lines(metrics) if metrics else ()),
        sections=tuple(report_sections(report, metrics, run.plots)),
        figures=tuple(file for file in figures_in(run.plots) if file.stem != BAD_DAYS),
        footer=made + "Definitions: docs/evaluation.md and docs/report.md.",
    )
    write_json(run.report("json"), report.model_dump())
    write_markdown(page, run.report("md"))
    write_html(page, run.report("html"))
    return Written(report, page.answers)


def unchecked_lines(report: Report) -> list[str]:
    """Say why limits were not checked."""
    keys: dict[str, list[str]] = {}
    for row in report.budget.unchecked:
        keys.setdefault(row.reason, []).append(row.key)
    return [f"Not checked: {', '.join(some)} ({reason})." for reason, some in keys.items()]


def _subtitle(run: RunFolder, report: Report) -> str:
    events = report.training_events
    parts = [f"run {run.root.resolve().name}"]
    if events is not None:
        parts.append(f"{events:,} training events of {', '.join(report.training_samples)}")
    if report.seed is not None:
        parts.append(f"seed {report.seed}")
    return " · ".join(parts)
