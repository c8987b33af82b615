"""Two cuts at one rate: a trigger that asks for a size and for a score.

For each cut on the size the rate fixes the cut on the score. Which pair is best is chosen on crossings and
signal events that no efficiency is quoted of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.paired import Change
from l1met_fpga.metrics.trigger import passes, threshold_at_rate

__all__ = [
    "FAILS",
    "CutPair",
    "Trigger",
    "best_pair",
    "efficiency",
    "gain",
    "halves",
    "mean_of",
]

FAILS = -1e6
"""Score of an event that does not pass the cut on the size."""


@dataclass(frozen=True, slots=True)
class CutPair:
    """A cut on the size and one on the score.

    Attributes:
        cut: Which cut on the size.
        threshold: On the score, interpolated.
    """

    cut: int
    threshold: float

    def passes(self, scores: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which events pass; scores have shape (n_cuts, n_events)."""
        return passes(scores[self.cut], self.threshold)


def best_pair(background: FloatArray, chosen_on: FloatArray, rate_khz: float) -> CutPair:
    """Return the pair of cuts with the highest efficiency at a rate.

    Args:
        background: Scores of pile-up-only crossings by cut, shape (n_cuts, n_crossings);
            :data:`FAILS` where the cut is not passed.
        chosen_on: The same of signal events; others are to be quoted.
        rate_khz: Rate that no pair goes beyond.
    """
    points = [
        CutPair(cut, threshold_at_rate(scores, rate_khz)) for cut, scores in enumerate(background)
    ]
    return max(points, key=lambda point: point.passes(chosen_on).mean())


@dataclass(frozen=True, slots=True)
class Trigger:
    """Scores of one trigger, shape (n_cuts, n_events), and its pair of cuts."""

    background: FloatArray
    signal: FloatArray
    point: CutPair

    def efficiency(
        self, crossings: npt.NDArray[np.intp], events: npt.NDArray[np.intp], rate_khz: float
    ) -> float:
        """Return the efficiency of some events where some crossings pass at the rate."""
        threshold = threshold_at_rate(self.background[self.point.cut, crossings], rate_khz)
        return float(CutPair(self.point.cut, threshold).passes(self.signal[:, events]).mean())


def halves(background: FloatArray, signal: FloatArray, rate_khz: float) -> tuple[Trigger, Trigger]:
    """Choose cuts on one half of crossings and events to be quoted of the other, each way round.

    Cuts that are chosen on the crossings that fix the rate pass fewer of these than of others.

    Args:
        background: As for :func:`best_pair`.
        signal: The same of signal events.
        rate_khz: Rate.
    """
    first, second = ((background[:, k::2], signal[:, k::2]) for k in (0, 1))
    return (
        Trigger(*second, best_pair(*first, rate_khz)),
        Trigger(*first, best_pair(*second, rate_khz)),
    )


Figure = Callable[[npt.NDArray[np.intp], npt.NDArray[np.intp]], float]
"""A number of some crossings and some signal events."""


def efficiency(one: Trigger, rate_khz: float, n_samples: int, rng: np.random.Generator) -> Change:
    """Return the efficiency of a trigger at a rate; the error is that of :func:`gain`."""
    return _bootstrapped(lambda b, s: one.efficiency(b, s, rate_khz), one, n_samples, rng)


def gain(
    one: Trigger, other: Trigger, rate_khz: float, n_samples: int, rng: np.random.Generator
) -> Change:
    """Return the efficiency of a trigger minus that of another at the same rate.

    The error is that of a bootstrap over crossings (which move the thresholds) and signal events,
    both the same for the two triggers.
    """

    def difference(crossings: npt.NDArray[np.intp], events: npt.NDArray[np.intp]) -> float:
        return one.efficiency(crossings, events, rate_khz) - other.efficiency(
            crossings, events, rate_khz
        )

    return _bootstrapped(difference, one, n_samples, rng)


def mean_of(parts: Sequence[Change]) -> Change:
    """Return the mean of figures of different events."""
    return Change(
        float(np.mean([part.value for part in parts])),
        float(np.hypot.reduce([part.error for part in parts]) / len(parts)),
    )


def _bootstrapped(figure: Figure, one: Trigger, n_samples: int, rng: np.random.Generator) -> Change:
    n_crossings, n_events = one.background.shape[1], one.signal.shape[1]
    drawn = [figure(_again(n_crossings, rng), _again(n_events, rng)) for _ in range(n_samples)]
    return Change(figure(np.arange(n_crossings), np.arange(n_events)), float(np.std(drawn)))


def _again(n: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    return np.asarray(rng.integers(0, n, n), np.intp)
