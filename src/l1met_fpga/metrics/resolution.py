"""Response, slope and widths in bins of generator MET.

A width over the response ``<u_par> / <|q|>`` rewards estimates that shrink or flatten MET. A width
over the slope ``S = d<u_par> / d|q|`` does not, because an estimate that stops following the true
MET loses its slope with its width. One gap stays: in an estimate with nearly constant |MET| the
mean of ``u_par`` moves with its tails, which a percentile width does not see. So the slope of the
median is computed too, and slope-corrected widths divide by the smaller of the two (for PUPPI MET
they agree within 1 %; ``docs/evaluation.md`` shows what each choice lets through).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.metrics.arrays import FloatArray, check_met_xy, check_same_length
from l1met_fpga.metrics.binning import MIN_EVENTS, RESOLUTION_BINS, Bins
from l1met_fpga.metrics.projection import Projection, delta_phi_rad, project

__all__ = [
    "FIGURES",
    "BinnedResolution",
    "binned_resolution",
    "half_width",
    "tail_fraction",
    "x_residual_half_width_gev",
]

MEDIAN_GRID_GEV: Final = (*range(0, 200, 10), *range(200, 300, 20), *range(300, 500, 50))
"""Fine bins of |q| whose medians give the slope of the median; bin edges are added."""
FIGURES: Final = (
    "response",
    "response_median",
    "slope",
    "slope_median",
    "parallel_gev",
    "perpendicular_gev",
    "parallel_over_slope_gev",
    "perpendicular_over_slope_gev",
    "parallel_over_response_gev",
    "perpendicular_over_response_gev",
    "x_gev",
    "phi_rad",
    "tail_2_sigma",
    "tail_3_sigma",
)
"""Attributes of :class:`BinnedResolution` that tables and files hold."""


@dataclass(frozen=True, slots=True)
class BinnedResolution:
    """Figures per bin of |q|, shape (..., n_bins); NaN in bins with under ``MIN_EVENTS`` events.

    Attributes:
        bins: Bins of |q|.
        n_events: Events with a direction in each bin.
        gen_mean_gev: Mean |q|.
        response: ``<u_par> / <|q|>``.
        response_median: Median of ``|u| / |q|``.
        slope: ``d<u_par> / d|q|``, straight line over the bin and its neighbours.
        slope_median: The same through the medians of ``u_par`` in fine bins.
        parallel_gev: (P84 - P16) / 2 of ``u_par`` after removing the slope.
        perpendicular_gev: (P84 - P16) / 2 of ``u_perp``.
        x_gev: (P84 - P16) / 2 of the x residual.
        phi_rad: (P84 - P16) / 2 of the angle to the true MET.
        tail_2_sigma: Fraction of ``u_par`` residuals beyond 2 half widths of their median.
        tail_3_sigma: The same beyond 3.
    """

    bins: Bins
    n_events: npt.NDArray[np.float64]
    gen_mean_gev: FloatArray
    response: FloatArray
    response_median: FloatArray
    slope: FloatArray
    slope_median: FloatArray
    parallel_gev: FloatArray
    perpendicular_gev: FloatArray
    x_gev: FloatArray
    phi_rad: FloatArray
    tail_2_sigma: FloatArray
    tail_3_sigma: FloatArray

    @property
    def parallel_over_slope_gev(self) -> FloatArray:
        """Slope-corrected parallel width; NaN where a slope is not positive."""
        return self.parallel_gev / self._smaller_slope

    @property
    def perpendicular_over_slope_gev(self) -> FloatArray:
        """Slope-corrected perpendicular width; NaN where a slope is not positive."""
        return self.perpendicular_gev / self._smaller_slope

    @property
    def parallel_over_response_gev(self) -> FloatArray:
        """Parallel width divided by the response (can be gamed; see the module)."""
        return self.parallel_gev / _positive(self.response)

    @property
    def perpendicular_over_response_gev(self) -> FloatArray:
        """Perpendicular width divided by the response (can be gamed; see the module)."""
        return self.perpendicular_gev / _positive(self.response)

    @property
    def _smaller_slope(self) -> FloatArray:
        return _positive(np.minimum(self.slope, self.slope_median))


def _positive(values: FloatArray) -> FloatArray:
    """Return values with everything that is not above zero replaced by NaN."""
    return np.where(values > 0, values, np.nan)


def half_width(values: FloatArray) -> float:
    """Return (P84 - P16) / 2, or NaN for fewer than ``MIN_EVENTS`` values."""
    if len(values) < MIN_EVENTS:
        return float("nan")
    low, high = np.percentile(values, [16, 84])
    return float(high - low) / 2


def tail_fraction(residual: FloatArray, n_sigma: float) -> float:
    """Return the fraction further than ``n_sigma`` half widths from the median.

    A Gaussian gives 0.0467 (2) and 0.0028 (3); its half width is 0.9945 sigma.
    """
    width = half_width(residual)
    if not width > 0:
        return float("nan")
    return float(np.mean(np.abs(residual - np.median(residual)) > n_sigma * width))


def slope_bins(bins: Bins) -> Bins:
    """Return ``bins`` cut finer by ``MEDIAN_GRID_GEV`` for the slope of the median."""
    first, last = bins.edges_gev[0], bins.edges_gev[-1]
    inner = (float(edge) for edge in MEDIAN_GRID_GEV if first < edge < last)
    return Bins(tuple(sorted({*bins.edges_gev, *inner})))


def line_moments(
    weight: FloatArray, gen_mean_gev: FloatArray, gen_square: FloatArray, centre_gev: FloatArray
) -> FloatArray:
    """Return the sums of a straight-line fit per fine bin: n, nq, nqq, nu, nuq; shape (..., 5)."""
    return np.stack(
        [
            weight,
            weight * gen_mean_gev,
            weight * gen_square,
            weight * centre_gev,
            weight * centre_gev * gen_mean_gev,
        ],
        axis=-1,
    )


def fit_slopes(moments: FloatArray, owner: npt.NDArray[np.intp], n_bins: int) -> FloatArray:
    """Fit ``u = a + S q`` in each bin together with its neighbours.

    Args:
        moments: Sums n, nq, nqq, nu, nuq per fine bin, shape (..., n_fine, 5).
        owner: Bin of each fine bin.
        n_bins: Number of bins.

    Returns:
        S, shape (..., n_bins); NaN where fewer than ``MIN_EVENTS`` events (or only one value of
        |q|) enter.
    """
    window = np.abs(owner[None, :] - np.arange(n_bins)[:, None]) <= 1
    total = np.einsum("bf,...fk->...bk", window.astype(np.float64), moments)
    n, q, qq, u, uq = np.moveaxis(total, -1, 0)
    spread = n * qq - q * q
    fits = (n >= MIN_EVENTS) & (spread > 1e-9 * n * qq)
    return np.where(fits, (n * uq - q * u) / np.where(fits, spread, 1.0), np.nan)


def binned_resolution(
    met_xy_gev: npt.ArrayLike, gen_met_xy_gev: npt.ArrayLike, *, bins: Bins = RESOLUTION_BINS
) -> BinnedResolution:
    """Compute all resolution figures of one estimate.

    Args:
        met_xy_gev: Estimate, shape (n, 2), GeV.
        gen_met_xy_gev: Generator MET, shape (n, 2), GeV.
        bins: Bins of |q|. With a single bin the slope is fitted inside it.

    Raises:
        DataError: If the arrays differ in length or hold NaN or infinite values.
    """
    met = check_met_xy(met_xy_gev, name="MET estimate")
    gen = check_met_xy(gen_met_xy_gev, name="generator MET")
    seen = project(met, gen)
    slopes, medians = _slopes(seen, bins)
    index = bins.index(seen.gen_gev)
    met, gen = met[seen.events], gen[seen.events]
    x_residual, dphi = met[:, 0] - gen[:, 0], delta_phi_rad(met, gen)
    rows = []
    for k in range(len(bins)):
        inside = np.flatnonzero(index == k)
        figures = _figures(seen, x_residual, dphi, inside, float(slopes[k]))
        rows.append((len(inside), *figures[:3], slopes[k], medians[k], *figures[3:]))
    table = np.array(rows, dtype=np.float64)
    table[table[:, 0] < MIN_EVENTS, 1:] = np.nan
    return BinnedResolution(bins, *table.T)


def _slopes(seen: Projection, bins: Bins) -> tuple[FloatArray, FloatArray]:
    """Return the slopes of the mean and of the median of ``u_par``."""
    fine = slope_bins(bins)
    index = fine.index(seen.gen_gev)
    mean = np.zeros((len(fine), 5))
    median = np.zeros((len(fine), 5))
    for f in range(len(fine)):
        inside = index == f
        q, u = seen.gen_gev[inside], seen.parallel_gev[inside]
        n = float(len(q))
        mean[f] = n, q.sum(), (q * q).sum(), u.sum(), (u * q).sum()
        if n >= MIN_EVENTS:
            median[f] = line_moments(n, q.mean(), q.mean() ** 2, np.median(u))  # type: ignore[arg-type]
    owner = bins.index(np.asarray(fine.edges_gev[:-1]))
    return fit_slopes(mean, owner, len(bins)), fit_slopes(median, owner, len(bins))


def _figures(
    seen: Projection,
    x_residual_gev: FloatArray,
    dphi_rad: FloatArray,
    events: npt.NDArray[np.intp],
    slope: float,
) -> tuple[float, ...]:
    """Return mean |q|, responses, widths and tails of the events of one bin."""
    if len(events) < MIN_EVENTS:
        return (float("nan"),) * 9
    q, u = seen.gen_gev[events], seen.parallel_gev[events]
    across = seen.perpendicular_gev[events]
    residual = u - slope * q
    angle = dphi_rad[events]
    return (
        float(q.mean()),
        float(u.mean() / q.mean()),
        float(np.median(np.hypot(u, across) / q)),
        half_width(residual),
        half_width(across),
        half_width(x_residual_gev[events]),
        half_width(angle[np.isfinite(angle)]),
        tail_fraction(residual, 2.0),
        tail_fraction(residual, 3.0),
    )


def x_residual_half_width_gev(met_xy_gev: npt.ArrayLike, gen_met_xy_gev: npt.ArrayLike) -> float:
    """Return (P84 - P16) / 2 of ``met_x - gen_x`` over all events."""
    met = check_met_xy(met_xy_gev, name="MET estimate")
    gen = check_met_xy(gen_met_xy_gev, name="generator MET")
    check_same_length({"estimate": met, "generator": gen})
    return half_width(met[:, 0] - gen[:, 0])
