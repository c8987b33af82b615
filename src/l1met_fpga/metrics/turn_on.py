"""Turn-on curves: efficiency against the truth, a fitted curve, the offline threshold."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression, minimize

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.binomial import Efficiency
from l1met_fpga.metrics.fitted_curve import FittedCurve, curve
from l1met_fpga.metrics.trigger import binned_efficiency

__all__ = ["OFFLINE_EFFICIENCY", "TURN_ON_BINS", "TurnOn", "turn_on"]

TURN_ON_BINS: Final = Bins(tuple(float(edge) for edge in range(0, 420, 20)))
OFFLINE_EFFICIENCY: Final = 0.9
"""The offline threshold is the truth at which a seed reaches this efficiency."""
N_PARAMETERS: Final = 5


@dataclass(frozen=True, slots=True)
class TurnOn:
    """A turn-on at one threshold.

    Attributes:
        bins: Bins of the truth.
        threshold: Cut on the estimate.
        mean_truth: Mean truth in each bin (the abscissa), NaN where empty.
        efficiency: With Clopper-Pearson intervals; NaN where empty.
        fit: ``None`` when too few bins hold events or the fit did not converge.
        offline: Truth where the efficiency reaches 90 %, interpolated between bins;
            NaN when it does not within the sample.
    """

    bins: Bins
    threshold: float
    mean_truth: FloatArray
    efficiency: Efficiency
    fit: FittedCurve | None
    offline: float


def turn_on(
    score: npt.ArrayLike,
    truth: npt.ArrayLike,
    threshold: float,
    *,
    bins: Bins = TURN_ON_BINS,
) -> TurnOn:
    """Compute a turn-on curve.

    Args:
        score: What the trigger cuts on, shape (n,).
        truth: What it estimates, of the same events.
        threshold: Cut on the estimate; NaN if no cut gives the rate, then nothing is measured.
        bins: Bins of the truth.
    """
    gen = np.asarray(truth, dtype=np.float64)
    measured = binned_efficiency(score, gen, threshold, bins=bins)
    index = bins.index(gen)
    inside = index >= 0
    sums = np.bincount(index[inside], weights=gen[inside], minlength=len(bins))
    mean = np.where(measured.total > 0, sums / np.maximum(measured.total, 1), np.nan)
    if np.isnan(threshold):
        return TurnOn(bins, threshold, mean, measured, None, float("nan"))
    return TurnOn(
        bins, threshold, mean, measured, _fit(mean, measured), offline_threshold(mean, measured)
    )


def offline_threshold(
    mean_truth: FloatArray, measured: Efficiency, *, level: float = OFFLINE_EFFICIENCY
) -> float:
    """Return the truth at which a rising curve through the bins reaches ``level``.

    Bins with fewer than ``MIN_EVENTS`` events are left out; the efficiencies are made
    non-decreasing (weighted by events) so that one fluctuation does not decide.
    """
    used = measured.total >= MIN_EVENTS
    if used.sum() < 2:
        return float("nan")
    rising = isotonic_regression(measured.value[used], weights=measured.total[used]).x
    gen = mean_truth[used]
    above = int(np.searchsorted(rising, level, side="left"))
    if above in (0, len(rising)):
        return float("nan")
    share = (level - rising[above - 1]) / (rising[above] - rising[above - 1])
    return float(gen[above - 1] + share * (gen[above] - gen[above - 1]))


def _deviance(parameters: FloatArray, truth: FloatArray, k: FloatArray, n: FloatArray) -> float:
    """Return -2 log of the binomial likelihood ratio to the saturated model."""
    p = np.clip(curve(parameters, truth), 1e-9, 1 - 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(k > 0, k * np.log(k / (n * p)), 0.0)
        no = np.where(k < n, (n - k) * np.log((n - k) / (n * (1 - p))), 0.0)
    return float(2 * (yes + no).sum())


def _fit(mean_truth: FloatArray, measured: Efficiency) -> FittedCurve | None:
    used = measured.total > 0
    k, n = measured.passed[used].astype(float), measured.total[used].astype(float)
    freedom = int(used.sum()) - N_PARAMETERS
    if freedom < 1 or not 0 < k.sum() < n.sum():
        return None
    gen = mean_truth[used]
    top = max(float(measured.value[used][-1]), 0.5)
    middle = float(gen[np.argmin(np.abs(measured.value[used] - top / 2))])
    start = np.array([top, 0.01, middle, 40.0, 0.05])
    for _ in range(3):  # a simplex can shrink too early; started again at its end it goes on
        found = minimize(
            _deviance,
            start,
            args=(gen, k, n),
            bounds=[(0.01, 1.0), (0.0, 0.9), (0.0, 1000.0), (0.5, 500.0), (0.0, 2.0)],
            method="Nelder-Mead",
            options={"maxiter": 2000, "maxfev": 2000, "xatol": 1e-4, "fatol": 1e-4},
        )
        start = found.x
    if not found.success:
        return None
    plateau, floor, middle, width, growth = (float(value) for value in found.x)
    return FittedCurve(plateau, floor, middle, width, growth, float(found.fun) / freedom)
