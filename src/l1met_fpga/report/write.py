"""Write the report of a run: JSON, Markdown, HTML."""

from typing import Any

from l1met_fpga.evaluation.metrics_file import load_metrics
from l1met_fpga.evaluation.summary import summary_lines
from l1met_fpga.files import write_json
from l1met_fpga.report.collect import build_report, load_json
from l1met_fpga.report.render import Page, figures_in, write_html, write_markdown
from l1met_fpga.report.tables import report_sections
from l1met_fpga.run_folder import RunFolder

__all__ = ["write_report"]


def write_report(run: RunFolder) -> dict[str, Any]:
    """Collect everything that a run folder holds and write ``report.{json,md,html}``.

    Returns:
        The content of ``report.json``.

    Raises:
        ReportError: If a file of the run is damaged or lacks a number.
        RunFolderError: If the run was not trained.
    """
    report = build_report(run)
    metrics = load_metrics(run.metrics) if run.metrics.is_file() else None
    page = Page(
        title=f"{report['model']}: report",
        lead=tuple(_lead(report, metrics)),
        gains=tuple(summary_lines(metrics) if metrics else ()),
        sections=tuple(report_sections(report, metrics)),
        figures=figures_in(run.plots),
        footer=_footer(load_json(run.environment)),
    )
    write_json(run.report("json"), report)
    write_markdown(page, run.report("md"))
    write_html(page, run.report("html"))
    return report


def _lead(report: dict[str, Any], metrics: dict[str, Any] | None) -> list[str]:
    budget = report["budget"]
    verdict = (
        "Budget passed."
        if budget["passed"]
        else "Budget violated: "
        + ", ".join(
            f"{row['key']} = {row['value']:g} (limit {row['limit']:g})"
            for row in budget["violations"]
        )
    )
    exact = [
        f"{form}: {row['differing']} of {row['outputs']} outputs differ"
        for form, row in (report["bit_exactness"] or {}).items()
        if row is not None
    ]
    return [verdict, *exact, *(metrics["notes"] if metrics else [])]


def _footer(about: dict[str, Any] | None) -> str:
    git = (about or {}).get("git")
    made = f"Trained at commit {git['commit'][:12]}. " if git else ""
    return made + "Definitions: docs/evaluation.md and docs/report.md."
