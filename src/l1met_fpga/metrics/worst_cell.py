"""Where an estimate is worst against another: the least difference over process, rate and truth, in its error.

A mean over processes hides that a network loses in one of them. The worst cell does not: it is above -1
where the estimate is nowhere below the other one by more than the error of their difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.bootstrap import spread
from l1met_fpga.metrics.bootstrap_trigger import bootstrap_thresholds, bootstrap_trigger
from l1met_fpga.metrics.trigger import (
    binned_efficiency,
    lowest_supported_rate_khz,
    threshold_within_rate,
)

__all__ = ["Cell", "Scores", "worst_cell"]

N_SAMPLES: Final = 100
"""Of the bootstrap: errors within 7 %, enough to rank trials."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of two estimates of the same events.

    Attributes:
        mine: Of the estimate in question, shape (n,).
        other: Of the one that it is held against.
        truth: True scores; not of background.
    """

    mine: FloatArray
    other: FloatArray
    truth: FloatArray | None = None

    @property
    def by_name(self) -> dict[str, FloatArray]:
        """Both."""
        return {"mine": self.mine, "other": self.other}


@dataclass(frozen=True, slots=True)
class Cell:
    """One efficiency of two estimates at equal rate.

    Attributes:
        sample: Signal sample.
        rate_khz: Rate.
        low_gev: Lower end of the truth.
        high_gev: Upper end.
        difference: Of the efficiencies, mine minus the other one.
        error: Its paired error, that of the thresholds included.
    """

    sample: str
    rate_khz: float
    low_gev: float
    high_gev: float
    difference: float
    error: float

    @property
    def in_errors(self) -> float:
        """The difference over its error; a difference of nothing is 0."""
        if self.error:
            return self.difference / self.error
        return float(np.sign(self.difference)) * float("inf") if self.difference else 0.0


def worst_cell(
    background: Scores,
    signals: Mapping[str, Scores],
    *,
    rates_khz: Sequence[float],
    bins: Bins,
    rng: np.random.Generator,
) -> Cell | None:
    """Return the cell with the least difference in units of its error.

    Args:
        background: Of pile-up-only events.
        signals: By sample, with their truth.
        rates_khz: Rates; those that so few pile-up-only events do not support are left out. If they
            support none of them, it is the lowest that they do.
        bins: Of the truth; a bin with fewer than ``MIN_EVENTS`` events tells nothing.
        rng: Seeded generator.

    Returns:
        None if no bin has enough events, or no error can be measured (ties of scores).
    """
    lowest = lowest_supported_rate_khz(len(background.mine))
    rates = [rate for rate in rates_khz if rate >= lowest] or [lowest]
    drawn = bootstrap_thresholds(background.by_name, rates, rng=rng, n_samples=N_SAMPLES)
    cuts = {n: [threshold_within_rate(s, r) for r in rates] for n, s in background.by_name.items()}
    found = [
        cell
        for label, scores in signals.items()
        for cell in _cells(label, scores, rates, cuts, drawn, bins=bins, rng=rng)
    ]
    measured = [cell for cell in found if np.isfinite([cell.difference, cell.error]).all()]
    return min(measured, key=lambda cell: cell.in_errors, default=None)


def _cells(
    label: str,
    scores: Scores,
    rates: Sequence[float],
    cuts: Mapping[str, Sequence[float]],
    thresholds: Mapping[str, FloatArray],
    *,
    bins: Bins,
    rng: np.random.Generator,
) -> list[Cell]:
    truth = np.zeros(0) if scores.truth is None else scores.truth
    drawn = bootstrap_trigger(scores.by_name, truth, thresholds, bins=bins, rng=rng).efficiency
    errors = spread(drawn["mine"] - drawn["other"])
    counts = np.bincount(bins.index(truth)[bins.index(truth) >= 0], minlength=len(bins))
    edges = list(zip(bins.edges_gev[:-1], bins.edges_gev[1:], strict=True))
    values = {
        name: [binned_efficiency(score, truth, cut, bins=bins).value for cut in cuts[name]]
        for name, score in scores.by_name.items()
    }
    return [
        Cell(
            sample=label,
            rate_khz=rate,
            low_gev=edges[b][0],
            high_gev=edges[b][1],
            difference=float(values["mine"][r][b] - values["other"][r][b]),
            error=float(errors[r, b]),
        )
        for r, rate in enumerate(rates)
        for b in range(len(bins))
        if counts[b] >= MIN_EVENTS
    ]
