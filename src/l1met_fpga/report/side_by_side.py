"""Several runs on one page: paired physics differences, firmware figures beside each other."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from l1met_fpga.evaluation.metrics_file import save_metrics
from l1met_fpga.evaluation.summary import bin_text, with_error
from l1met_fpga.report.changes import changes
from l1met_fpga.report.render import Page, figures_in, write_html, write_markdown
from l1met_fpga.report.tables import Section, Table, number, physics_tables

__all__ = ["write_comparison"]

Json = Mapping[str, Any]
FIRMWARE = ("pruning.", "bit_exactness.", "rtl.", "rtl_parallel.", "hls.")


def write_comparison(
    metrics: dict[str, Any], reports: Mapping[str, dict[str, Any]], folder: Path
) -> None:
    """Write ``metrics.json`` and ``compare.{md,html}``.

    Args:
        metrics: Joint evaluation of all runs on the same events.
        reports: Report of each run by the name that the evaluation gave to its network.
        folder: Where; figures in its ``plots`` are embedded.
    """
    names = list(reports)
    first, *others = names
    page = Page(
        title="Comparison: " + ", ".join(names),
        lead=tuple(metrics["notes"]),
        gains=(),
        sections=(
            Section("Differences", tuple(_differences(metrics, first, others))),
            Section("Firmware", tuple(_firmware(reports, first, others))),
            Section("Physics", tuple(physics_tables(metrics))),
        ),
        figures=figures_in(folder / "plots"),
        footer="Differences are paired: all networks saw the same events.",
    )
    save_metrics(metrics, folder / "metrics.json")
    write_markdown(page, folder / "compare.md")
    write_html(page, folder / "compare.html")


def _differences(metrics: Json, first: str, others: list[str]) -> Iterator[Table]:
    note = f"Positive: better than {first}. Paired bootstrap errors."
    low, high = metrics["config"]["gain_range_gev"]
    for label, found in metrics["resolution"].items():
        rows = tuple(
            (
                other,
                *(
                    with_error(found["gain"][other][first][part], percent=True)
                    for part in ("u_par", "u_perp")
                ),
            )
            for other in others
        )
        yield Table(
            f"{label}: slope-corrected resolution against {first}, genMET {low:g}-{high:g} GeV",
            ("network", "parallel", "perpendicular"),
            rows,
            note,
        )
    for label, found in metrics["trigger"].items():
        rows = tuple(
            (
                f"{other}, {point['title']}, genMET {bin_text(key)}",
                number(row[first]["efficiency"]),
                number(row[other]["efficiency"]),
                with_error(row[other]["difference"][first]),
            )
            for other in others
            for point in metrics["rates"]["working_points"]
            for key, row in found["efficiency"][point["key"]].items()
        )
        columns = ("network and working point", first, "this network", "difference")
        yield Table(f"{label}: efficiency at equal rate against {first}", columns, rows, note)


def _firmware(
    reports: Mapping[str, dict[str, Any]], first: str, others: list[str]
) -> Iterator[Table]:
    for other in others:
        rows = tuple(
            (row.key, row.old_text, row.new_text, row.change_text)
            for row in changes(reports[first], reports[other])
            if row.key.startswith(FIRMWARE)
        )
        yield Table(f"{other} against {first}", ("figure", first, other, "change"), rows)
