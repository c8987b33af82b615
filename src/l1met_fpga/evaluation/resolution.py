"""Resolution figures of all estimates of one sample, with paired bootstrap errors."""

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import BootstrapResult, bootstrap_resolution, spread
from l1met_fpga.metrics.resolution import BinnedResolution, binned_resolution
from l1met_fpga.processors import allowed_processors

__all__ = ["FiguresWithErrors", "Gain", "ResolutionResult", "evaluate_resolution", "gain"]


@dataclass(frozen=True, slots=True)
class FiguresWithErrors:
    """Figures of every estimate in some bins, and their bootstrap samples."""

    bins: Bins
    figures: dict[str, BinnedResolution]
    bootstrap: BootstrapResult


@dataclass(frozen=True, slots=True)
class ResolutionResult:
    """Figures of one sample.

    Attributes:
        binned: In the bins of the configuration.
        inclusive: In one bin, the range of the gain figures.
        response: Mean response and its error per estimate in ``response_range_gev``; NaN when
            that range does not end on edges of the bins.
    """

    binned: FiguresWithErrors
    inclusive: FiguresWithErrors
    response: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Gain:
    """``1 - width / width of the reference`` with its paired error; positive is better."""

    value: float
    error: float


def evaluate_resolution(
    sample: Sample, config: EvaluationConfig, rng: np.random.Generator
) -> ResolutionResult:
    """Compute all resolution figures of a sample."""

    def in_bins(edges: tuple[float, ...]) -> FiguresWithErrors:
        bins = Bins.of(edges)
        exact = functools.partial(
            binned_resolution, gen_met_xy_gev=sample.gen_met_xy_gev, bins=bins
        )
        with ThreadPoolExecutor(min(4, allowed_processors())) as pool:
            found = list(pool.map(exact, sample.met_xy_gev.values()))
        figures = dict(zip(sample.met_xy_gev, found, strict=True))
        drawn = bootstrap_resolution(
            sample.met_xy_gev,
            sample.gen_met_xy_gev,
            rng=rng.spawn(1)[0],
            bins=bins,
            n_samples=config.bootstrap_samples,
        )
        return FiguresWithErrors(bins, figures, drawn)

    binned = in_bins(config.resolution_edges_gev)
    response = {
        name: (
            float(_mean_response(binned.figures[name], config.response_range_gev)),
            float(
                spread(_mean_response(binned.bootstrap.samples[name], config.response_range_gev))
            ),
        )
        for name in sample.met_xy_gev
    }
    return ResolutionResult(binned, in_bins(config.gain_range_gev), response)


def _mean_response(figures: BinnedResolution, range_gev: tuple[float, float]) -> FloatArray:
    """Join the responses of the bins in a range; over the last axis of the figures."""
    edges = list(figures.bins.edges_gev)
    if not all(end in edges for end in range_gev):
        return np.full(figures.response.shape[:-1], np.nan)
    inside = slice(edges.index(range_gev[0]), edges.index(range_gev[1]))
    gen_sum = np.nan_to_num(figures.n_events * figures.gen_mean_gev)[..., inside]
    parallel_sum = gen_sum * np.nan_to_num(figures.response)[..., inside]
    total = gen_sum.sum(axis=-1)
    joined = parallel_sum.sum(axis=-1) / np.where(total > 0, total, np.nan)
    return np.asarray(joined)


def gain(result: FiguresWithErrors, name: str, reference: str, figure: str) -> Gain:
    """Compare one estimate with another in the first bin of ``result``.

    Args:
        result: Usually ``ResolutionResult.inclusive``.
        name: Estimate.
        reference: Estimate to compare with.
        figure: Width, for example ``parallel_over_slope_gev``.
    """
    figures: Mapping[str, BinnedResolution] = result.figures
    ratio = getattr(figures[name], figure)[0] / getattr(figures[reference], figure)[0]
    drawn = result.bootstrap
    samples = drawn.values(name, figure)[:, 0] / drawn.values(reference, figure)[:, 0]
    return Gain(float(1 - ratio), float(spread(samples)))
