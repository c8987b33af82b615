"""Rates, thresholds at equal rate and efficiencies.

A rate is that of pile-up-only events: ``2760 bunches x 11.246 kHz x fraction passing`` (filled LHC
bunches times the revolution frequency; CMS Phase-2 L1 menu tools), not 40 MHz. An event passes when
its score, the one number that a trigger cuts on, is at or above the threshold.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.binomial import Efficiency, efficiency
from l1met_fpga.metrics.ranks import average_ranks

__all__ = [
    "BUNCH_CROSSING_RATE_KHZ",
    "MIN_PASSING_EVENTS",
    "TIE",
    "RateCurve",
    "binned_efficiency",
    "lowest_supported_rate_khz",
    "passes",
    "rate_curve",
    "reached_threshold",
    "reaches_rate",
    "roc_area",
    "roc_curve",
    "roc_error",
    "threshold_at_rate",
    "threshold_within_rate",
]

BUNCH_CROSSING_RATE_KHZ: Final = 2760 * 11.246
TIE: Final = 1e-9
"""Values this close are equal: the rounding of px and py must not break ties."""
_SINGLE_PRECISION: Final = 1e-6
"""The same, relative, for values that were kept in single precision."""
MIN_PASSING_EVENTS: Final = 10
"""A rate is supported when at least this many events of the sample pass (32 % error)."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Rate against threshold of one estimate.

    Attributes:
        thresholds: Increasing thresholds, shape (n,).
        passing: Events at or above each threshold, with intervals, as fractions.
        supported: Whether at least ``MIN_PASSING_EVENTS`` events pass.
    """

    thresholds: FloatArray
    passing: Efficiency
    supported: npt.NDArray[np.bool_]

    @property
    def rate_khz(self) -> FloatArray:
        """Rate at each threshold."""
        return self.passing.value * BUNCH_CROSSING_RATE_KHZ

    @property
    def low_khz(self) -> FloatArray:
        """Lower end of the Clopper-Pearson interval."""
        return self.passing.low * BUNCH_CROSSING_RATE_KHZ

    @property
    def high_khz(self) -> FloatArray:
        """Upper end of the Clopper-Pearson interval."""
        return self.passing.high * BUNCH_CROSSING_RATE_KHZ


def _background(score: npt.ArrayLike) -> FloatArray:
    """Check and sort the scores of pile-up-only events."""
    scores = np.asarray(score, dtype=np.float64)
    if scores.ndim != 1:
        raise DataError(f"scores of pile-up-only events must have one axis, got {scores.shape}")
    if len(scores) == 0:
        raise DataError("a rate needs pile-up-only events, got none; add such a sample")
    if not np.isfinite(scores).all():
        raise DataError("scores of pile-up-only events hold NaN or infinite values")
    return np.sort(scores)


def passes(score: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Tell which events are at or above a threshold; equal means within :data:`TIE`."""
    result: npt.NDArray[np.bool_] = np.asarray(score, dtype=np.float64) >= threshold - TIE
    return result


def rate_curve(
    background_score: npt.ArrayLike, thresholds: npt.ArrayLike | None = None
) -> RateCurve:
    """Compute rate against threshold.

    Args:
        background_score: Scores of pile-up-only events, shape (n,).
        thresholds: Increasing thresholds; steps of 1 from 0 to the largest score if not given.

    Raises:
        DataError: If there is no event or a value is not finite.
    """
    score = _background(background_score)
    if thresholds is None:
        thresholds = np.arange(0.0, np.ceil(score[-1]) + 1.0)
    cuts = np.asarray(thresholds, dtype=np.float64)
    passing = len(score) - np.searchsorted(score, cuts - TIE, side="left")
    fractions = efficiency(passing, np.full(len(cuts), len(score)))
    return RateCurve(cuts, fractions, passing >= MIN_PASSING_EVENTS)


def lowest_supported_rate_khz(n_background: int) -> float:
    """Return the rate at which ``MIN_PASSING_EVENTS`` of so many events pass."""
    if n_background < 1:
        return float("nan")
    return min(1.0, MIN_PASSING_EVENTS / n_background) * BUNCH_CROSSING_RATE_KHZ


def threshold_at_rate(background_score: npt.ArrayLike, rate_khz: float) -> float:
    """Return the threshold at which pile-up-only events pass with the given rate.

    The cumulative count is interpolated linearly between neighbouring distinct scores (those
    within :data:`TIE` are one); nothing is extrapolated. Where many events have the same score the
    rate may be out of reach: ask :func:`reaches_rate`.

    Args:
        background_score: Scores of pile-up-only events, shape (n,).
        rate_khz: Wanted rate.

    Raises:
        DataError: If the sample cannot support the rate (fewer than ``MIN_PASSING_EVENTS`` events
            would pass) or the rate is above that of all events.
    """
    score = _background(background_score)
    wanted = rate_khz / BUNCH_CROSSING_RATE_KHZ * len(score)
    if wanted < MIN_PASSING_EVENTS * (1 - 1e-9):
        raise DataError(
            f"{rate_khz:g} kHz is {wanted:.2g} of {len(score)} pile-up-only events; the lowest rate "
            f"that this sample supports is {lowest_supported_rate_khz(len(score)):.4g} kHz "
            f"({MIN_PASSING_EVENTS} events); add events or raise the rate"
        )
    if wanted > len(score) * (1 + 1e-9):
        raise DataError(
            f"{rate_khz:g} kHz is more than all crossings ({BUNCH_CROSSING_RATE_KHZ:.6g} kHz)"
        )
    first_of_tie = np.flatnonzero(np.diff(score, prepend=-np.inf) > TIE)
    at_or_above = len(score) - first_of_tie
    return float(np.interp(wanted, at_or_above[::-1], score[first_of_tie][::-1]))


def reaches_rate(background_score: npt.ArrayLike, threshold: float, rate_khz: float) -> bool:
    """Tell whether a threshold of :func:`threshold_at_rate` gives its rate.

    It does not when one score holds so many events that no cut gives the rate: the rate at
    the threshold is off by more than a tenth (and more than one event), or more than a tenth of the
    wanted events lie at the threshold itself, where the last digit decides. An estimate with a
    largest value is like that.

    Args:
        background_score: Scores of pile-up-only events, shape (n,).
        threshold: The threshold.
        rate_khz: Wanted rate.
    """
    score = np.asarray(background_score, dtype=np.float64)
    wanted = rate_khz / BUNCH_CROSSING_RATE_KHZ * len(score)
    allowed = 1 + wanted / 10
    passing = np.count_nonzero(passes(score, threshold))
    near = np.count_nonzero(np.abs(score - threshold) <= _SINGLE_PRECISION * abs(threshold))
    return bool(abs(passing - wanted) <= allowed and near <= allowed)


def reached_threshold(background_score: npt.ArrayLike, rate_khz: float) -> float:
    """Return the threshold at a rate; NaN where ties put the rate out of reach (:func:`reaches_rate`).

    Args:
        background_score: Scores of pile-up-only events, shape (n,).
        rate_khz: Wanted rate.

    Raises:
        DataError: As :func:`threshold_at_rate`.
    """
    threshold = threshold_at_rate(background_score, rate_khz)
    return threshold if reaches_rate(background_score, threshold, rate_khz) else float("nan")


def threshold_within_rate(background_score: npt.ArrayLike, rate_khz: float) -> float:
    """Return the threshold at a rate, or, where no cut gives that rate, the next above it.

    For figures that networks are chosen by: one with a largest score must not look efficient
    because all events that have it pass, nor be left out.

    Args:
        background_score: Scores of pile-up-only events, shape (n,).
        rate_khz: Wanted rate.

    Returns:
        Infinite where no score is above those that hold too many events.

    Raises:
        DataError: As :func:`threshold_at_rate`.
    """
    score = np.asarray(background_score, dtype=np.float64)
    threshold = threshold_at_rate(score, rate_khz)
    if reaches_rate(score, threshold, rate_khz):
        return threshold
    tie = max(TIE, _SINGLE_PRECISION * abs(threshold))
    return float(np.min(score[score > threshold + tie], initial=np.inf))


def binned_efficiency(
    score: npt.ArrayLike, truth: npt.ArrayLike, threshold: float, *, bins: Bins
) -> Efficiency:
    """Return the fraction at or above a threshold in bins of the truth; NaN without a threshold."""
    index = bins.index(np.asarray(truth, dtype=np.float64))
    inside = index >= 0
    passing = passes(np.asarray(score)[inside], threshold)
    total = np.bincount(index[inside], minlength=len(bins))
    passed = np.bincount(index[inside][passing], minlength=len(bins))
    if np.isnan(threshold):
        nothing = np.full(len(bins), np.nan)
        return Efficiency(passed, total, nothing, nothing, nothing)
    return efficiency(passed, total)


def roc_curve(
    signal_score: npt.ArrayLike, background_score: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return rate in kHz (increasing, supported ones only) and signal efficiency at equal cut.

    Raises:
        DataError: If either sample is empty.
    """
    background = _background(background_score)
    signal = np.sort(np.asarray(signal_score, dtype=np.float64))
    if len(signal) == 0:
        raise DataError("a ROC curve needs signal events, got none; widen the genMET selection")
    n = len(background)
    if n < MIN_PASSING_EVENTS:
        raise DataError(f"a ROC curve needs {MIN_PASSING_EVENTS} pile-up-only events, got {n}")
    passing = np.unique(np.geomspace(MIN_PASSING_EVENTS, n, 200).round().astype(np.int64))
    cuts = background[n - passing]
    rate = (n - np.searchsorted(background, cuts, side="left")) / n * BUNCH_CROSSING_RATE_KHZ
    selected = (len(signal) - np.searchsorted(signal, cuts, side="left")) / len(signal)
    return rate, selected


def roc_error(
    rate_khz: FloatArray, selected: FloatArray, *, n_signal: int, n_background: int
) -> FloatArray:
    """Return the error of a signal efficiency at equal rate, along a ROC curve.

    The binomial error of the signal, and what the efficiency changes when the number of pile-up-only
    events above the cut fluctuates (Poisson), in quadrature.

    Args:
        rate_khz: Increasing rates, see :func:`roc_curve`.
        selected: Signal efficiency there.
        n_signal: Signal events.
        n_background: Pile-up-only events.
    """
    passing = rate_khz / BUNCH_CROSSING_RATE_KHZ * n_background
    low, high = (
        np.interp(rate_khz * (1 + sign / np.sqrt(passing)), rate_khz, selected) for sign in (-1, 1)
    )
    return np.hypot(np.sqrt(selected * (1 - selected) / n_signal), (high - low) / 2)


def roc_area(signal_score: npt.ArrayLike, background_score: npt.ArrayLike) -> float:
    """Return the probability that a signal event has a larger score than a pile-up-only event.

    This is the area under signal efficiency against background efficiency (Mann-Whitney); ties
    count one half. NaN if a sample is empty.
    """
    signal = np.asarray(signal_score, dtype=np.float64)
    background = np.asarray(background_score, dtype=np.float64)
    if len(signal) == 0 or len(background) == 0:
        return float("nan")
    ranks = average_ranks(np.concatenate([signal, background]))[: len(signal)]
    wins = ranks.sum() - len(signal) * (len(signal) + 1) / 2
    return float(wins / (len(signal) * len(background)))
