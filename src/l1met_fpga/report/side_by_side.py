"""Several runs on one page: paired physics differences, firmware figures beside each other."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from l1met_fpga.evaluation.summary import bin_text, with_error
from l1met_fpga.identity import differing_parts
from l1met_fpga.report.changes import compare
from l1met_fpga.report.chart import turn_on_chart
from l1met_fpga.report.headline import answers
from l1met_fpga.report.headline_physics import lowest_point
from l1met_fpga.report.likeness import contexts
from l1met_fpga.report.page import EMPTY, Section, Table, number
from l1met_fpga.report.physics_tables import physics_tables
from l1met_fpga.report.render import Page, figures_in, write_html, write_markdown
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_file import save_metrics
from l1met_fpga.results.report import Report

__all__ = ["difference_lines", "luts_side_by_side", "training_notes", "write_comparison"]

FIRMWARE = ("pruning.", "bit_exactness.", "saturation.", "rtl.", "rtl_parallel.", "hls.")


def write_comparison(
    metrics: Metrics, reports: Mapping[str, Report], settings: Table, folder: Path
) -> None:
    """Write ``metrics.json`` and ``compare.{md,html}``.

    Args:
        metrics: Joint evaluation of all runs on the same events.
        reports: Report of each run by the name that the evaluation gave to its network.
        settings: What differs in the settings of the runs.
        folder: Where; figures in its ``plots`` are embedded.
    """
    names = list(reports)
    first, *others = names
    page = Page(
        title="Comparison: " + ", ".join(names),
        alerts=tuple(training_notes(reports)),
        chart=turn_on_chart(metrics, ["puppi", *names]),
        tables=(_side_by_side(metrics, reports),),
        notes=tuple(metrics.notes),
        sections=(
            Section("What is compared", (*_contexts(reports, first, others), settings)),
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


def _side_by_side(metrics: Metrics, reports: Mapping[str, Report]) -> Table:
    """Return the answers about every run in a column of its own, and what it gains on the first."""
    found = {name: answers(report, metrics, name) for name, report in reports.items()}
    values = {name: {one.topic: one.value for one in some} for name, some in found.items()}
    topics = dict.fromkeys(topic for some in values.values() for topic in some)
    rows = [(topic, *(some.get(topic, EMPTY) for some in values.values())) for topic in topics]
    first, *others = reports
    for what, gains in _changes(metrics, reports).items():
        rows.append(
            (f"{what} minus {first}", EMPTY, *(gains.get(other, EMPTY) for other in others))
        )
    return Table(
        "Side by side", ("", *reports), tuple(rows), "Differences of efficiencies are paired."
    )


def _changes(metrics: Metrics, reports: Mapping[str, Report]) -> dict[str, dict[str, str]]:
    """Return by what the others differ from the first: efficiencies at the lowest rate, and LUTs."""
    first, *others = reports
    found: dict[str, dict[str, str]] = {}
    point, luts = lowest_point(metrics), luts_side_by_side(reports)
    if point is not None:
        for label, trigger in metrics.trigger.items():
            row = next(iter(trigger.efficiency[point.key].values()))
            found[label] = {other: with_error(row[other].difference[first]) for other in others}
    if luts.get(first):
        found["LUT"] = {
            other: f"{100 * (luts[other] / luts[first] - 1):+.0f} %"
            for other in others
            if other in luts
        }
    return found


def difference_lines(metrics: Metrics, reports: Mapping[str, Report]) -> list[str]:
    """Say in a line for each other run by what it differs from the first."""
    first, *others = reports
    found = _changes(metrics, reports)
    return [
        f"{other} minus {first}: "
        + "; ".join(f"{what} {gains[other]}" for what, gains in found.items() if other in gains)
        for other in others
    ]


def luts_side_by_side(reports: Mapping[str, Report]) -> dict[str, float]:
    """Return LUTs of one kind: of the synthesis if all were built, else counted from the designs."""
    built = {name: one.rtl.lut for name, one in reports.items() if one.rtl and one.rtl.lut}
    counted = {name: one.lut_estimate for name, one in reports.items() if one.lut_estimate}
    return built if len(built) == len(reports) else counted


def training_notes(reports: Mapping[str, Report]) -> list[str]:
    """Say where networks were not trained on the same events, or divide them otherwise.

    A network whose own test part is another one may have been trained on events of this
    comparison.
    """
    (first, one), *others = reports.items()
    notes = []
    for other, two in others:
        if (one.training_samples, one.training_events) != (
            two.training_samples,
            two.training_events,
        ):
            notes.append(
                f"{first} was trained on {one.training_events} events of "
                f"{', '.join(one.training_samples)}, {other} on {two.training_events} of "
                f"{', '.join(two.training_samples)}: differences are not of the networks alone."
            )
        for label in {**(one.evaluated or {})}.keys() & {**(two.evaluated or {})}.keys():
            parts = differing_parts(*(_events_of(report, label) for report in (one, two)))
            if parts:
                told = ", ".join(f"{key} {was} and {now}" for key, (was, now) in parts.items())
                notes.append(
                    f"{first} and {other} were evaluated on other events of {label} ({told}): "
                    f"{other} may have been trained on events compared here."
                )
    return notes


def _events_of(report: Report, label: str) -> dict[str, JsonValue]:
    sample = (report.evaluated or {})[label]
    return {"events": sample.events, **(sample.identity or {})}


def _contexts(reports: Mapping[str, Report], first: str, others: list[str]) -> Iterator[Table]:
    for other in others:
        found = contexts(reports[first].model_dump(), reports[other].model_dump())
        rows = tuple((row.key, row.old_text, row.new_text, row.verdict) for row in found)
        yield Table(f"{other} and {first}", ("made with", first, other, ""), rows)


def _differences(metrics: Metrics, first: str, others: list[str]) -> Iterator[Table]:
    note = f"Positive: better than {first}. Paired bootstrap errors."
    (low, high), words = metrics.config.gain_range_gev, metrics.words
    for label, resolution in metrics.resolution.items():
        gains = [(other, resolution.gain[other][first]) for other in others]
        yield Table(
            f"{label}: slope-corrected resolution against {first}, {words.truth} {low:g}-{high:g} "
            f"{words.unit}",
            ("network", *(width.title for width in words.widths.values())),
            tuple(
                (other, *(with_error(gain[part], percent=True) for part in words.widths))
                for other, gain in gains
            ),
            note,
        )
    for label, found in metrics.trigger.items():
        rows = tuple(
            (
                f"{other}, {point.title}, {words.truth} {bin_text(key)}",
                number(row[first].efficiency),
                number(row[other].efficiency),
                with_error(row[other].difference[first]),
            )
            for other in others
            for point in metrics.working_points
            for key, row in found.efficiency[point.key].items()
        )
        columns = ("network and working point", first, "this network", "difference")
        yield Table(f"{label}: efficiency at equal rate against {first}", columns, rows, note)


def _firmware(reports: Mapping[str, Report], first: str, others: list[str]) -> Iterator[Table]:
    for other in others:
        found = compare(reports[first], reports[other])
        rows = tuple(
            (row.key, row.old_text, row.new_text, row.change_text, row.verdict)
            for row in found.changes
            if row.key.startswith(FIRMWARE)
        )
        columns = ("figure", first, other, "change", "verdict")
        yield Table(f"{other} against {first}", columns, rows, " ".join(found.reasons))
