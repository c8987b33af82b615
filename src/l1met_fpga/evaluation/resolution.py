"""Resolution figures of all estimates of one sample, with paired bootstrap errors."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import BootstrapResult, bootstrap_resolution, spread
from l1met_fpga.metrics.resolution import BinnedResolution, binned_resolution
from l1met_fpga.processors import allowed_processors
from l1met_fpga.tasks.task import Task

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
        response: Mean response and its error per estimate in ``response_range_gev``.
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
    sample: Sample, task: Task, config: EvaluationConfig, rng: np.random.Generator
) -> ResolutionResult:
    """Compute all resolution figures of a sample, of the task's vectors."""
    truth = task.vector(sample.truth)
    given = {name: task.vector(heads) for name, heads in sample.estimates.items()}

    def in_bins(edges: tuple[float, ...]) -> FiguresWithErrors:
        bins = Bins.of(edges)
        with ThreadPoolExecutor(min(4, allowed_processors())) as pool:
            found = list(pool.map(lambda u: binned_resolution(u, truth, bins=bins), given.values()))
        figures = dict(zip(given, found, strict=True))
        drawn = bootstrap_resolution(
            given,
            truth,
            rng=rng.spawn(1)[0],
            bins=bins,
            n_samples=config.bootstrap_samples,
        )
        return FiguresWithErrors(bins, figures, drawn)

    binned, inclusive = in_bins(config.resolution_edges_gev), in_bins(config.gain_range_gev)
    one_bin = in_bins(config.response_range_gev)
    response = {
        name: (float(figures.response[0]), float(one_bin.bootstrap.error(name, "response")[0]))
        for name, figures in one_bin.figures.items()
    }
    return ResolutionResult(binned, inclusive, response)


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
