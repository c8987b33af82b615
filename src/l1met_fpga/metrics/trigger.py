"""Rates, thresholds at equal rate and efficiencies.

A rate is that of pile-up-only events: ``2760 bunches x 11.246 kHz x fraction passing`` (filled LHC
bunches times the revolution frequency; CMS Phase-2 L1 menu tools), not 40 MHz. An event passes when
its MET is at or above the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.binomial import Efficiency, efficiency

__all__ = [
    "BUNCH_CROSSING_RATE_KHZ",
    "MIN_PASSING_EVENTS",
    "TIE_GEV",
    "RateCurve",
    "binned_efficiency",
    "lowest_supported_rate_khz",
    "pass_rate_khz",
    "passes",
    "rate_curve",
    "reaches_rate",
    "roc_area",
    "roc_curve",
    "supported_rates_khz",
    "threshold_at_rate_gev",
]

BUNCH_CROSSING_RATE_KHZ: Final = 2760 * 11.246
TIE_GEV: Final = 1e-9
"""Values this close are equal: the rounding of px and py must not break ties."""
_SINGLE_PRECISION: Final = 1e-6
"""The same, relative, for values that were kept in single precision."""
MIN_PASSING_EVENTS: Final = 10
"""A rate is supported when at least this many events of the sample pass (32 % error)."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Rate against threshold of one estimate.

    Attributes:
        thresholds_gev: Increasing thresholds, shape (n,).
        passing: Events at or above each threshold, with intervals, as fractions.
        supported: Whether at least ``MIN_PASSING_EVENTS`` events pass.
    """

    thresholds_gev: FloatArray
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


def _background(met_gev: npt.ArrayLike) -> FloatArray:
    """Check and sort the magnitudes of pile-up-only events."""
    met = np.asarray(met_gev, dtype=np.float64)
    if met.ndim != 1:
        raise DataError(f"|MET| of pile-up-only events must have one axis, got shape {met.shape}")
    if len(met) == 0:
        raise DataError("a rate needs pile-up-only events, got none; add such a sample")
    if not np.isfinite(met).all():
        raise DataError("|MET| of pile-up-only events holds NaN or infinite values")
    return np.sort(met)


def passes(met_gev: npt.ArrayLike, threshold_gev: float) -> npt.NDArray[np.bool_]:
    """Tell which events are at or above a threshold; equal means within :data:`TIE_GEV`."""
    met = np.asarray(met_gev, dtype=np.float64)
    result: npt.NDArray[np.bool_] = met >= threshold_gev - TIE_GEV
    return result


def pass_rate_khz(background_met_gev: npt.ArrayLike, threshold_gev: float) -> float:
    """Return the rate of pile-up-only events at or above a threshold."""
    met = _background(background_met_gev)
    passing = np.count_nonzero(passes(met, threshold_gev))
    return float(passing / len(met) * BUNCH_CROSSING_RATE_KHZ)


def rate_curve(
    background_met_gev: npt.ArrayLike, thresholds_gev: npt.ArrayLike | None = None
) -> RateCurve:
    """Compute rate against threshold.

    Args:
        background_met_gev: |MET| of pile-up-only events, shape (n,).
        thresholds_gev: Increasing thresholds; 1 GeV steps from 0 to the hardest event if not given.

    Raises:
        DataError: If there is no event or a value is not finite.
    """
    met = _background(background_met_gev)
    if thresholds_gev is None:
        thresholds_gev = np.arange(0.0, np.ceil(met[-1]) + 1.0)
    thresholds = np.asarray(thresholds_gev, dtype=np.float64)
    passing = len(met) - np.searchsorted(met, thresholds - TIE_GEV, side="left")
    fractions = efficiency(passing, np.full(len(thresholds), len(met)))
    return RateCurve(thresholds, fractions, passing >= MIN_PASSING_EVENTS)


def lowest_supported_rate_khz(n_background: int) -> float:
    """Return the rate at which ``MIN_PASSING_EVENTS`` of so many events pass."""
    if n_background < 1:
        return float("nan")
    return min(1.0, MIN_PASSING_EVENTS / n_background) * BUNCH_CROSSING_RATE_KHZ


def supported_rates_khz(wanted_khz: Sequence[float], n_background: int) -> tuple[float, ...]:
    """Replace rates that the sample cannot support by the lowest that it can, once."""
    lowest = lowest_supported_rate_khz(n_background)
    return tuple(dict.fromkeys(max(float(rate), lowest) for rate in wanted_khz))


def threshold_at_rate_gev(background_met_gev: npt.ArrayLike, rate_khz: float) -> float:
    """Return the threshold at which pile-up-only events pass with the given rate.

    The cumulative count is interpolated linearly between neighbouring distinct values of MET (those
    within :data:`TIE_GEV` are one); nothing is extrapolated. Where many events have the same MET the
    rate may be out of reach: ask :func:`reaches_rate`.

    Args:
        background_met_gev: |MET| of pile-up-only events, shape (n,).
        rate_khz: Wanted rate.

    Raises:
        DataError: If the sample cannot support the rate (fewer than ``MIN_PASSING_EVENTS`` events
            would pass) or the rate is above that of all events.
    """
    met = _background(background_met_gev)
    wanted = rate_khz / BUNCH_CROSSING_RATE_KHZ * len(met)
    if wanted < MIN_PASSING_EVENTS * (1 - 1e-9):
        raise DataError(
            f"{rate_khz:g} kHz is {wanted:.2g} of {len(met)} pile-up-only events; the lowest rate "
            f"that this sample supports is {lowest_supported_rate_khz(len(met)):.4g} kHz "
            f"({MIN_PASSING_EVENTS} events); add events or raise the rate"
        )
    if wanted > len(met) * (1 + 1e-9):
        raise DataError(
            f"{rate_khz:g} kHz is more than all crossings ({BUNCH_CROSSING_RATE_KHZ:.6g} kHz)"
        )
    first_of_tie = np.flatnonzero(np.diff(met, prepend=-np.inf) > TIE_GEV)
    at_or_above = len(met) - first_of_tie
    return float(np.interp(wanted, at_or_above[::-1], met[first_of_tie][::-1]))


def reaches_rate(background_met_gev: npt.ArrayLike, threshold_gev: float, rate_khz: float) -> bool:
    """Tell whether a threshold of :func:`threshold_at_rate_gev` gives its rate.

    It does not when one value of MET holds so many events that no cut gives the rate: the rate at
    the threshold is off by more than a tenth (and more than one event), or more than a tenth of the
    wanted events lie at the threshold itself, where the last digit decides. An estimate with a
    largest value is like that.

    Args:
        background_met_gev: |MET| of pile-up-only events, shape (n,).
        threshold_gev: The threshold.
        rate_khz: Wanted rate.
    """
    met = np.asarray(background_met_gev, dtype=np.float64)
    wanted = rate_khz / BUNCH_CROSSING_RATE_KHZ * len(met)
    allowed = 1 + wanted / 10
    passing = np.count_nonzero(passes(met, threshold_gev))
    near = np.count_nonzero(np.abs(met - threshold_gev) <= _SINGLE_PRECISION * threshold_gev)
    return bool(abs(passing - wanted) <= allowed and near <= allowed)


def binned_efficiency(
    met_gev: npt.ArrayLike, gen_gev: npt.ArrayLike, threshold_gev: float, *, bins: Bins
) -> Efficiency:
    """Return the fraction at or above a threshold in bins of |genMET|; NaN without a threshold."""
    index = bins.index(np.asarray(gen_gev, dtype=np.float64))
    inside = index >= 0
    passing = passes(np.asarray(met_gev)[inside], threshold_gev)
    total = np.bincount(index[inside], minlength=len(bins))
    passed = np.bincount(index[inside][passing], minlength=len(bins))
    if np.isnan(threshold_gev):
        nothing = np.full(len(bins), np.nan)
        return Efficiency(passed, total, nothing, nothing, nothing)
    return efficiency(passed, total)


def roc_curve(
    signal_met_gev: npt.ArrayLike, background_met_gev: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return rate in kHz (increasing, supported ones only) and signal efficiency at equal cut.

    Raises:
        DataError: If either sample is empty.
    """
    background = _background(background_met_gev)
    signal = np.sort(np.asarray(signal_met_gev, dtype=np.float64))
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


def roc_area(signal_met_gev: npt.ArrayLike, background_met_gev: npt.ArrayLike) -> float:
    """Return the probability that a signal event has more MET than a pile-up-only event.

    This is the area under signal efficiency against background efficiency (Mann-Whitney); ties
    count one half. NaN if a sample is empty.
    """
    signal = np.asarray(signal_met_gev, dtype=np.float64)
    background = np.asarray(background_met_gev, dtype=np.float64)
    if len(signal) == 0 or len(background) == 0:
        return float("nan")
    ranks = rankdata(np.concatenate([signal, background]))[: len(signal)]
    wins = ranks.sum() - len(signal) * (len(signal) + 1) / 2
    return float(wins / (len(signal) * len(background)))
