"""Further studies: tables, and the keys of ``report.json``."""

from collections.abc import Iterator, Mapping
from typing import Final

from l1met_fpga.evaluation.summary import bin_text, with_error
from l1met_fpga.report.page import EMPTY, Table, measured
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import ByClass, OfEstimates, TailFigures
from l1met_fpga.results.studies import ByBin, GroupEfficiency, Studies

__all__ = ["class_figures", "of_estimates", "study_tables", "tail_figures"]

BASELINES: Final = ("puppi", "table")
"""Estimates of ``report.json`` beside the network."""
TITLES: Final = {
    "region": ("by region", "Barrel: more than half of the scalar sum of pt within |eta| < 1.5. "),
    "pileup": ("by number of pile-up collisions", ""),
}


def study_tables(metrics: Metrics) -> Iterator[Table]:
    """Yield fakes and misses, and efficiencies by class of events."""
    studies = metrics.studies
    if studies is not None:
        if studies.tails:
            yield _tails(metrics, studies)
        for study, samples in studies.classes.items():
            for label, found in samples.items():
                if found:
                    yield _classes(metrics, study, label, found)


def _tails(metrics: Metrics, studies: Studies) -> Table:
    samples, words = studies.tails, metrics.words
    rows = tuple(
        (
            metrics.title(name),
            *(
                _share(one)
                for found in samples.values()
                for one in (found[name].fakes, found[name].misses)
            ),
        )
        for name in next(iter(samples.values()))
    )
    low, high = metrics.config.response_range_gev
    return Table(
        f"Fakes and misses: {words.score} more than {studies.tails_beyond_gev:g} {words.unit} off",
        ("estimate", *(f"{label}, {what}" for label in samples for what in ("fakes", "misses"))),
        rows,
        f"Of all events, {words.score} divided by its mean response in the first signal sample at "
        f"{low:g}-{high:g} {words.unit}; a fake is above {words.truth}, a miss below.",
    )


def _share(found: Measured | None) -> str:
    return EMPTY if found is None else measured(found.value, found.error, 4)


def _classes(metrics: Metrics, study: str, label: str, found: Mapping[str, ByBin]) -> Table:
    title, note = TITLES[study]
    words, cells = (
        metrics.words,
        [
            (point.title, kind, key, cell)
            for point in metrics.working_points
            for kind, bins in found[point.key].items()
            for key, cell in bins.items()
        ],
    )
    names = list(dict.fromkeys(name for *_, cell in cells for name in cell.efficiency))
    return Table(
        f"{label}: efficiency {title}",
        ("rate", "events of", words.truth, "events", *(metrics.title(name) for name in names)),
        tuple(
            (point, kind, bin_text(key), str(cell.events), *(_efficiency(cell, n) for n in names))
            for point, kind, key, cell in cells
        ),
        f"{note}At the threshold that gives the rate for all events. In brackets: the network minus "
        "this, paired.",
    )


def _efficiency(cell: GroupEfficiency, name: str) -> str:
    found = cell.efficiency.get(name)
    if found is None or found.value is None:
        return EMPTY
    difference = cell.difference.get(name)
    behind = "" if difference is None else f" ({with_error(difference)})"
    return measured(found.value, found.error) + behind


def class_figures(metrics: Metrics, study: str) -> ByClass | None:
    """Return the efficiencies of ``report.json`` by class; None where the classes are not known."""
    studies, primary = metrics.studies, metrics.primary
    if studies is None or primary is None or study not in studies.classes:
        return None
    return {
        label: {
            point: {
                kind: {key: of_estimates(cell.efficiency, primary) for key, cell in bins.items()}
                for kind, bins in kinds.items()
            }
            for point, kinds in points.items()
        }
        for label, points in studies.classes[study].items()
    }


def tail_figures(metrics: Metrics) -> dict[str, TailFigures] | None:
    """Return fakes and misses of ``report.json`` by sample; None where they are not known."""
    studies, primary = metrics.studies, metrics.primary
    if studies is None or primary is None or not studies.tails:
        return None
    return {
        label: TailFigures(
            fakes=of_estimates({name: one.fakes for name, one in found.items()}, primary),
            misses=(
                of_estimates({name: one.misses for name, one in found.items()}, primary)
                if any(one.misses is not None for one in found.values())
                else None
            ),
        )
        for label, found in studies.tails.items()
    }


def of_estimates(found: Mapping[str, Measured | None], primary: str) -> OfEstimates:
    """Return what ``report.json`` holds of a figure by estimate."""
    values = {name: None if one is None else one.value for name, one in found.items()}
    return OfEstimates(network=values.get(primary), **{key: values.get(key) for key in BASELINES})
