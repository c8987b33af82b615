"""What the network gains at the lowest rate, as few numbers as can be read at a glance."""

from collections.abc import Iterator
from typing import Final

from l1met_fpga.evaluation.summary import bin_text, with_error
from l1met_fpga.evaluation.worst_cell import worst_cell, worst_cell_text
from l1met_fpga.report.answer import Answer, Verdict
from l1met_fpga.report.page import EMPTY, Table, number
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import Efficiency, Metrics, WorkingPointInfo

__all__ = ["efficiency_table", "lowest_point", "physics_answers", "shown_estimates"]

BASELINE: Final = "puppi"
_AGAINST: Final = {BASELINE: "PUPPI", "table": "the weight table"}
_OF_JETS: Final = {"jump": "JUMP", "jets": "HT of jets"}
"""What the trigger makes of its jets, where the task has it."""
_TWINS: Final = ("float", "unpruned")


def lowest_point(metrics: Metrics) -> WorkingPointInfo | None:
    """Return the lowest rate that the pile-up sample supports."""
    return min(metrics.working_points, key=lambda one: one.rate_khz, default=None)


def shown_estimates(metrics: Metrics) -> list[str]:
    """Return those of the first screen: baseline, weight table, float network, network, of jets."""
    primary = metrics.primary
    wanted = [*_AGAINST, *([f"{primary}_float", primary] if primary else []), *_OF_JETS]
    shown = [name for name in dict.fromkeys(wanted) if name in metrics.estimates]
    return shown or list(metrics.estimates)[:4]


def physics_answers(metrics: Metrics, network: str | None = None) -> Iterator[Answer]:
    """Yield what a network keeps at the lowest rate, for every signal sample.

    Nothing without a network or a rate; the notes of the evaluation say why.

    Args:
        metrics: Content of ``metrics.json``.
        network: Estimate that is asked about; the first network if not given.
    """
    point, network = lowest_point(metrics), network or metrics.primary
    if network is None or point is None:
        return
    for label, found in metrics.trigger.items():
        key, row = next(iter(found.efficiency[point.key].items()))
        mine = row[network]
        gains = _gains(network, mine)
        yield Answer(
            topic=f"{label} at {point.rate_khz:.3g} kHz",
            value=mine.missing if mine.efficiency is None else f"{mine.efficiency:.3f}",
            note="; ".join(
                (
                    *_beside(metrics, mine, row.get(BASELINE)),
                    *gains[:1],
                    f"{metrics.words.truth} {bin_text(key)}",
                )
            ),
            verdict=_verdict(mine.difference.get(BASELINE)),
            more="; ".join(gains[1:]),
        )
    yield from _worst(metrics, network)


def _worst(metrics: Metrics, network: str) -> Iterator[Answer]:
    """Yield where the network is worst against the weight table, of all processes, rates and bins."""
    worst = worst_cell(metrics, network)
    if worst is not None:
        below = worst.in_errors < -1
        yield Answer(
            topic="worst against the table",
            value=f"{worst.in_errors:+.1f} sigma",
            note=worst_cell_text(metrics, worst),
            verdict="bad" if below else "good",
            more="of all processes, rates and ranges of the truth; above -1 it is nowhere below the "
            "table by more than the error",
        )


def efficiency_table(metrics: Metrics) -> Table | None:
    """Return the efficiencies of the shown estimates at the lowest rate; None without a rate."""
    point, primary = lowest_point(metrics), metrics.primary
    if point is None or not metrics.trigger or metrics.rates is None:
        return None
    first_bins = {
        label: next(iter(found.efficiency[point.key].items()))
        for label, found in metrics.trigger.items()
    }
    rows = []
    for name in shown_estimates(metrics):
        cut = metrics.rates.threshold(name, point.key).threshold_gev
        cells = [metrics.title(name), number(cut, 0)]
        for _, row in first_bins.values():
            cells.append(number(row[name].efficiency))
            if primary is not None:
                gain = row[primary].difference.get(name)
                cells.append(EMPTY if gain is None else with_error(gain))
        rows.append(tuple(cells))
    gained = [] if primary is None else ["gain"]
    (key, _), *_ = first_bins.values()
    return Table(
        f"Efficiency at {point.title}, {metrics.words.truth} {bin_text(key)}",
        (
            metrics.words.score,
            f"cut, {metrics.words.unit}",
            *(name for label in first_bins for name in (label, *gained)),
        ),
        tuple(rows),
        ""
        if primary is None
        else f"Gain: {metrics.title(primary)} minus this row, with its paired error.",
    )


def _beside(metrics: Metrics, mine: Efficiency, baseline: Efficiency | None) -> Iterator[str]:
    """Yield how many times the baseline's events are kept."""
    if mine.efficiency is not None and baseline is not None and baseline.efficiency:
        ratio = mine.efficiency / baseline.efficiency
        yield f"efficiency {ratio:.1f} times {metrics.title(BASELINE)}'s {baseline.efficiency:.3f}"


def _gains(primary: str, mine: Efficiency) -> list[str]:
    """Return the paired differences, as far as they were measured; the baseline's is first."""
    twins = {f"{primary}_{form}": f"its {form} twin" for form in _TWINS}
    return [
        f"{with_error(gain)} to {told}"
        for name, told in (_AGAINST | _OF_JETS | twins).items()
        if (gain := mine.difference.get(name)) is not None and gain.value is not None
    ]


def _verdict(gain: Measured | None) -> Verdict:
    if gain is None or gain.value is None or abs(gain.value) <= (gain.error or 0.0):
        return "open"
    return "good" if gain.value > 0 else "bad"
