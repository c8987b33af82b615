"""Bootstrap errors of the resolution figures, paired between estimates on the same events.

Each sample gives every event an integer weight from a Poisson distribution of mean 1 (the bootstrap
for many events; every event's weight is the same for all estimates, so a difference between two
estimates is taken sample by sample and its error knows their correlation). Percentiles come from
weighted histograms of 1/128 half width, interpolated: linear in events, no sort per sample.
"""

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray, check_met_xy, check_same_length
from l1met_fpga.metrics.binning import MIN_EVENTS, RESOLUTION_BINS, Bins
from l1met_fpga.metrics.projection import delta_phi_rad, project
from l1met_fpga.metrics.resolution import (
    BinnedResolution,
    fit_slopes,
    line_moments,
    slope_bins,
)
from l1met_fpga.processors import allowed_processors

__all__ = [
    "N_SAMPLES",
    "BootstrapResult",
    "bootstrap_resolution",
    "paired_difference",
    "poisson_weights",
    "spread",
]

N_SAMPLES: Final = 200
"""Bootstrap samples: the error of an error is then 5 %."""
CELLS: Final = 2048
"""Histogram cells between ``-HALF_RANGE`` and ``+HALF_RANGE`` half widths."""
HALF_RANGE: Final = 8.0
RANGE_EVENTS: Final = 20_000
"""Events that set the range of a histogram."""
Codes = npt.NDArray[np.uint16]
Weights = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]


def _poisson_table() -> Weights:
    """Return a table that turns a uniform 16-bit number into a Poisson(1) one."""
    cumulative = np.cumsum([np.exp(-1.0) / _factorial(k) for k in range(10)])
    uniform = (np.arange(65536) + 0.5) / 65536
    return np.searchsorted(cumulative, uniform).astype(np.uint8)


def _factorial(k: int) -> float:
    return float(np.prod(np.arange(1, k + 1)))


_POISSON: Final = _poisson_table()


def poisson_weights(rng: np.random.Generator, n_events: int) -> Weights:
    """Draw one bootstrap sample: how often each event counts, shape (n_events,)."""
    return _POISSON[rng.integers(0, 65536, n_events, dtype=np.uint16)]


def sample_generators(rng: np.random.Generator, n_samples: int) -> list[np.random.Generator]:
    """Return one independent generator per sample, so that samples can be made in any order."""
    return list(rng.spawn(n_samples))


def spread(samples: FloatArray) -> FloatArray:
    """Return the standard deviation over samples (first axis); NaN if over 10 % are NaN."""
    finite = np.isfinite(samples)
    enough = finite.sum(axis=0) >= max(2, int(np.ceil(0.9 * len(samples))))
    count = np.maximum(finite.sum(axis=0), 2)
    mean = np.where(finite, samples, 0.0).sum(axis=0) / count
    square = (np.where(finite, samples - mean, 0.0) ** 2).sum(axis=0) / (count - 1)
    return np.where(enough, np.sqrt(square), np.nan)


def paired_difference(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the error of ``first - second`` from samples with the same weights."""
    return spread(first - second)


@dataclass(frozen=True, slots=True)
class _Estimate:
    """What the samples of one estimate need, events sorted by fine bin.

    ``codes`` are histogram cells of u_perp, the x residual, the angle and |u|/|q|; ``low`` and
    ``step`` bring them back, shape (4, n_bins).
    """

    parallel_gev: FloatArray
    codes: Codes
    low: FloatArray
    step: FloatArray
    parallel_low: FloatArray
    parallel_step: FloatArray
    residual_low: FloatArray
    residual_step: FloatArray


@dataclass(frozen=True, slots=True)
class _Events:
    """What all estimates share: |q| of events sorted by fine bin, and where each bin starts.

    ``fine`` and ``coarse`` hold the first event of each fine bin and bin, and the end.
    """

    gen_gev: FloatArray
    fine: Starts
    coarse: Starts
    owner: npt.NDArray[np.intp]
    bins: Bins


@dataclass(frozen=True, slots=True)
class BootstrapResult:
    """Samples of every figure of every estimate.

    Attributes:
        samples: Per estimate, figures of shape (n_samples, n_bins).
    """

    samples: dict[str, BinnedResolution]

    def values(self, name: str, figure: str) -> FloatArray:
        """Return the samples of a figure, shape (n_samples, n_bins)."""
        return np.asarray(getattr(self.samples[name], figure), dtype=np.float64)

    def error(self, name: str, figure: str) -> FloatArray:
        """Return the error of a figure per bin."""
        return spread(self.values(name, figure))

    def difference_error(self, first: str, second: str, figure: str) -> FloatArray:
        """Return the error of ``first - second`` per bin."""
        return paired_difference(self.values(first, figure), self.values(second, figure))

    def ratio_error(self, first: str, second: str, figure: str) -> FloatArray:
        """Return the error of ``first / second`` per bin."""
        return spread(self.values(first, figure) / self.values(second, figure))


def bootstrap_resolution(
    met_xy_gev: Mapping[str, npt.ArrayLike],
    gen_met_xy_gev: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    bins: Bins = RESOLUTION_BINS,
    n_samples: int = N_SAMPLES,
) -> BootstrapResult:
    """Resample the figures of :func:`~l1met_fpga.metrics.resolution.binned_resolution`.

    Args:
        met_xy_gev: Estimates of the same events by name, each (n, 2), GeV.
        gen_met_xy_gev: Generator MET, shape (n, 2), GeV.
        rng: Seeded generator.
        bins: Bins of |q|.
        n_samples: Bootstrap samples.

    Raises:
        DataError: If there is no estimate, fewer than 2 samples, lengths differ, or values are NaN.
    """
    if not met_xy_gev or n_samples < 2:
        raise DataError(
            f"a bootstrap needs an estimate and 2 samples, got {len(met_xy_gev)} and {n_samples}"
        )
    gen = check_met_xy(gen_met_xy_gev, name="generator MET")
    events, order = _sort_events(gen, bins)
    estimates = {
        name: _prepare(check_met_xy(met, name=name), gen, events, order)
        for name, met in met_xy_gev.items()
    }
    generators = sample_generators(rng, n_samples)

    def one(generator: np.random.Generator) -> list[FloatArray]:
        weights = poisson_weights(generator, len(order))
        return [_resample(events, estimate, weights) for estimate in estimates.values()]

    with ThreadPoolExecutor(min(4, allowed_processors())) as pool:
        drawn = np.array(list(pool.map(one, generators)))  # (samples, estimates, figures, bins)
    return BootstrapResult(
        {
            name: BinnedResolution(bins, *drawn[:, k].swapaxes(0, 1))
            for k, name in enumerate(estimates)
        }
    )


def _sort_events(gen_xy_gev: FloatArray, bins: Bins) -> tuple[_Events, npt.NDArray[np.intp]]:
    """Return the shared columns and the events used, sorted by fine bin."""
    size = project(gen_xy_gev, gen_xy_gev)
    fine_bins = slope_bins(bins)
    fine = fine_bins.index(size.gen_gev)
    order = np.argsort(fine, kind="stable")
    order = order[fine[order] >= 0]
    owner = bins.index(np.asarray(fine_bins.edges_gev[:-1]))
    starts = np.searchsorted(fine[order], np.arange(len(fine_bins) + 1)).astype(np.int64)
    firsts = np.searchsorted(owner, np.arange(len(bins) + 1))
    events = _Events(size.gen_gev[order], starts, starts[firsts], owner, bins)
    return events, size.events[order]


def _prepare(
    met: FloatArray, gen: FloatArray, events: _Events, order: npt.NDArray[np.intp]
) -> _Estimate:
    """Project one estimate and turn everything that no sample changes into histogram cells."""
    check_same_length({"estimate": met, "generator": gen})
    met, gen = met[order], gen[order]
    seen = project(met, gen)
    angle = delta_phi_rad(met, gen)
    columns = [
        seen.perpendicular_gev,
        met[:, 0] - gen[:, 0],
        np.where(np.isfinite(angle), angle, 0.0),
        np.hypot(met[:, 0], met[:, 1]) / seen.gen_gev,
    ]
    n_bins, sizes = len(events.bins), np.diff(events.coarse)
    codes = np.zeros((len(columns), len(order)), dtype=np.uint16)
    low, step = np.zeros((2, len(columns), n_bins))
    for k, column in enumerate(columns):
        low[k], step[k] = _ranges(column, events.coarse)
        cell = (column - np.repeat(low[k], sizes)) / np.repeat(step[k], sizes)
        codes[k] = np.clip(cell, 0, CELLS - 1).astype(np.uint16)
    fine_low, fine_step = _ranges(seen.parallel_gev, events.fine)
    slopes = np.nan_to_num(_nominal_slopes(events, seen.parallel_gev))
    residual = seen.parallel_gev - np.repeat(slopes, sizes) * events.gen_gev
    rest_low, rest_step = _ranges(residual, events.coarse)
    return _Estimate(seen.parallel_gev, codes, low, step, fine_low, fine_step, rest_low, rest_step)


def _nominal_slopes(events: _Events, parallel_gev: FloatArray) -> FloatArray:
    ones = np.ones(len(parallel_gev), dtype=np.uint8)
    moments = _moments(events.gen_gev, parallel_gev, events.fine, ones)
    return fit_slopes(moments, events.owner, len(events.bins))


def _ranges(values: FloatArray, starts: Starts) -> tuple[FloatArray, FloatArray]:
    """Return where the cells of each bin start and their width."""
    low, step = np.zeros(len(starts) - 1), np.ones(len(starts) - 1)
    for k, (start, stop) in enumerate(itertools.pairwise(starts)):
        if stop > start:
            some = values[start : stop : max(1, (stop - start) // RANGE_EVENTS)]
            p16, p50, p84 = np.percentile(some, [16, 50, 84])
            half = max(float(p84 - p16) / 2, 1e-9 * max(abs(float(p50)), 1.0))
            low[k], step[k] = p50 - HALF_RANGE * half, 2 * HALF_RANGE * half / CELLS
    return low, step


@numba.njit(nogil=True, cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _moments(gen: FloatArray, parallel: FloatArray, starts: Starts, weights: Weights) -> FloatArray:
    """Return weighted sums of 1, q, q^2, u, u q per fine bin; sums stay in registers."""
    out = np.zeros((len(starts) - 1, 5))
    for f in range(len(starts) - 1):
        n = sq = sqq = su = suq = 0.0
        for i in range(starts[f], starts[f + 1]):
            w, q, u = float(weights[i]), gen[i], parallel[i]
            n += w
            sq += w * q
            sqq += w * q * q
            su += w * u
            suq += w * u * q
        out[f] = (n, sq, sqq, su, suq)
    return out


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count_codes(codes: Codes, starts: Starts, weights: Weights) -> Counts:
    """Return weighted counts per column, bin and cell."""
    out = np.zeros((codes.shape[0], len(starts) - 1, CELLS), dtype=np.int32)
    for k in range(codes.shape[0]):
        for b in range(len(starts) - 1):
            row = out[k, b]
            for i in range(starts[b], starts[b + 1]):
                row[codes[k, i]] += weights[i]
    return out


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count_residuals(
    parallel: FloatArray,
    gen: FloatArray,
    slope: FloatArray,
    starts: Starts,
    weights: Weights,
    low: FloatArray,
    step: FloatArray,
) -> Counts:
    """Return weighted counts of ``u_par - S q`` per bin and cell."""
    out = np.zeros((len(starts) - 1, CELLS), dtype=np.int32)
    for b in range(len(starts) - 1):
        row, s, start, scale = out[b], slope[b], low[b], 1.0 / step[b]
        for i in range(starts[b], starts[b + 1]):
            cell = (parallel[i] - s * gen[i] - start) * scale
            row[int(min(max(cell, 0.0), CELLS - 1.0))] += weights[i]
    return out


def _quantiles(
    counts: Counts, low: FloatArray, step: FloatArray, levels: tuple[float, ...]
) -> FloatArray:
    """Return interpolated quantiles of each histogram, shape (n_bins, n_levels)."""
    cumulative = np.cumsum(counts, axis=-1, dtype=np.int64)
    out = np.full((len(counts), len(levels)), np.nan)
    for k, row in enumerate(cumulative):
        if row[-1] < MIN_EVENTS:
            continue
        for j, level in enumerate(levels):
            wanted = level * row[-1]
            cell = int(np.searchsorted(row, wanted, side="left"))
            before = row[cell - 1] if cell else 0
            out[k, j] = low[k] + step[k] * (cell + (wanted - before) / (row[cell] - before))
    return out


def _tails(
    counts: Counts, low: FloatArray, step: FloatArray, quantiles: FloatArray
) -> Iterator[FloatArray]:
    """Yield the fractions beyond 2 and 3 half widths of the median."""
    total = counts.sum(axis=-1)
    centres = low[:, None] + step[:, None] * (np.arange(CELLS) + 0.5)
    p16, p50, p84 = quantiles.T[:, :, None]
    for n_sigma in (2.0, 3.0):
        beyond = np.abs(centres - p50) > n_sigma * (p84 - p16) / 2
        fraction = (counts * beyond).sum(axis=-1) / np.maximum(total, 1)
        yield np.where(total >= MIN_EVENTS, fraction, np.nan)


def _resample(events: _Events, estimate: _Estimate, weights: Weights) -> FloatArray:
    """Return the fields of ``BinnedResolution`` for one sample, shape (n_fields, n_bins)."""
    n_bins, owner = len(events.bins), events.owner
    q, u = events.gen_gev, estimate.parallel_gev
    moments = _moments(q, u, events.fine, weights)
    slope = fit_slopes(moments, owner, n_bins)
    flat = np.zeros(len(owner))
    fine_counts = _count_residuals(
        u, q, flat, events.fine, weights, estimate.parallel_low, estimate.parallel_step
    )
    medians = _quantiles(fine_counts, estimate.parallel_low, estimate.parallel_step, (0.5,))[:, 0]
    used = np.isfinite(medians)
    mean_q = moments[:, 1] / np.maximum(moments[:, 0], 1)
    median_moments = line_moments(
        np.where(used, moments[:, 0], 0.0), mean_q, mean_q**2, np.where(used, medians, 0.0)
    )
    residuals = _count_residuals(
        u,
        q,
        np.nan_to_num(slope),
        events.coarse,
        weights,
        estimate.residual_low,
        estimate.residual_step,
    )
    levels = (0.16, 0.5, 0.84)
    parallel = _quantiles(residuals, estimate.residual_low, estimate.residual_step, levels)
    counts = _count_codes(estimate.codes, events.coarse, weights)
    across, x, phi, ratio = (
        _quantiles(counts[k], estimate.low[k], estimate.step[k], levels) for k in range(4)
    )
    n, sum_q, _, sum_u, _ = np.stack([moments[owner == k].sum(axis=0) for k in range(n_bins)], -1)
    enough = n >= MIN_EVENTS
    rows = [
        np.where(enough, sum_q / np.maximum(n, 1), np.nan),
        np.where(enough, sum_u / np.where(sum_q > 0, sum_q, np.nan), np.nan),
        ratio[:, 1],
        slope,
        fit_slopes(median_moments, owner, n_bins),
        *((p[:, 2] - p[:, 0]) / 2 for p in (parallel, across, x, phi)),
        *_tails(residuals, estimate.residual_low, estimate.residual_step, parallel),
    ]
    return np.stack([n, *rows])
