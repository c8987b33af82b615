"""Write the report of a run: JSON, Markdown, HTML."""

from l1met_fpga.evaluation.summary import summary_lines
from l1met_fpga.files import write_json
from l1met_fpga.report.collect import collect
from l1met_fpga.report.render import Page, figures_in, write_html, write_markdown
from l1met_fpga.report.tables import report_sections
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import Report
from l1met_fpga.run_folder import RunFolder

__all__ = ["budget_lines", "write_report"]


def write_report(run: RunFolder) -> Report:
    """Collect everything that a run folder holds and write ``report.{json,md,html}``.

    A file that cannot be used is named in ``findings`` and costs only its own figures.

    Returns:
        The content of ``report.json``.

    Raises:
        ConfigError: If the run's configuration is not allowed.
        RunFolderError: If the run was not trained.
    """
    found = collect(run)
    report, metrics = found.report, found.metrics
    made = "" if found.commit is None else f"Trained at commit {found.commit[:12]}. "
    page = Page(
        title=f"{report.model}: report",
        lead=tuple(_lead(report, metrics)),
        gains=tuple(summary_lines(metrics) if metrics else ()),
        sections=tuple(report_sections(report, metrics)),
        figures=figures_in(run.plots),
        footer=made + "Definitions: docs/evaluation.md and docs/report.md.",
    )
    write_json(run.report("json"), report.model_dump())
    write_markdown(page, run.report("md"))
    write_html(page, run.report("html"))
    return report


def budget_lines(report: Report) -> list[str]:
    """Say what the budget gave, and why a limit was not checked."""
    keys: dict[str, list[str]] = {}
    for row in report.budget.unchecked:
        keys.setdefault(row.reason, []).append(row.key)
    reasons = [f"Not checked: {', '.join(some)} ({reason})." for reason, some in keys.items()]
    return [f"Budget: {report.budget.summary}.", *reasons]


def _lead(report: Report, metrics: Metrics | None) -> list[str]:
    exact = [
        f"{form}: {row.differing} of {row.outputs} outputs differ"
        for form, row in (report.bit_exactness or {}).items()
        if row is not None
    ]
    findings = [f"Could not be used: {found}." for found in report.findings]
    return [*findings, *budget_lines(report), *exact, *(metrics.notes if metrics else [])]
