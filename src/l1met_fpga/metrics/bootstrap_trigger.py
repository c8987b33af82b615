"""Bootstrap of efficiencies at equal rate: signal and pile-up-only events, paired.

Clopper-Pearson intervals hold for a given threshold. The threshold itself comes from a finite
sample, and estimates on the same events move together; so differences between estimates are
resampled with both samples, each estimate finding its threshold again in every sample.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray, check_same_length
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import N_SAMPLES, Weights, poisson_weights, sample_generators
from l1met_fpga.metrics.trigger import BUNCH_CROSSING_RATE_KHZ, TIE, passes
from l1met_fpga.processors import allowed_processors

__all__ = ["TriggerSamples", "bootstrap_thresholds", "bootstrap_trigger"]


@dataclass(frozen=True, slots=True)
class TriggerSamples:
    """Samples of thresholds and efficiencies at equal rate.

    Attributes:
        threshold: Per estimate, shape (n_samples, n_rates).
        efficiency: Per estimate, shape (n_samples, n_rates, n_bins).
    """

    threshold: dict[str, FloatArray]
    efficiency: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class _Tail:
    """The hardest pile-up-only events of one estimate, hardest first, and their indices."""

    score: FloatArray
    events: npt.NDArray[np.intp]


def _tail(background_score: npt.ArrayLike, most_passing: float) -> _Tail:
    score = np.asarray(background_score, dtype=np.float64)
    keep = min(len(score), int(2 * most_passing + 20 * np.sqrt(most_passing) + 50))
    hardest = np.argpartition(-score, keep - 1)[:keep]
    order = hardest[np.argsort(-score[hardest], kind="stable")]
    return _Tail(score[order], order)


def _sampled_threshold(tail: _Tail, weights: Weights, wanted: FloatArray) -> FloatArray:
    """Return thresholds at which the wanted weights pass; NaN where the tail does not reach."""
    counted = np.cumsum(weights[tail.events].astype(np.float64))
    last_of_tie = np.append(tail.score[:-1] - tail.score[1:] > TIE, True)
    used = last_of_tie & (np.diff(counted, prepend=0.0) >= 0)
    reached = np.interp(wanted, counted[used], tail.score[used], left=np.nan, right=np.nan)
    return np.where(wanted < counted[used][0], tail.score[0], reached)


def bootstrap_thresholds(
    background_score: Mapping[str, npt.ArrayLike],
    rates_khz: Sequence[float],
    *,
    rng: np.random.Generator,
    n_samples: int = N_SAMPLES,
) -> dict[str, FloatArray]:
    """Resample the thresholds at given rates, shape (n_samples, n_rates) per estimate.

    Raises:
        DataError: If there is no pile-up-only event or lengths differ.
    """
    n_events = check_same_length(background_score)
    if n_events == 0:
        raise DataError("a rate needs pile-up-only events, got none; add such a sample")
    share = np.asarray(rates_khz, dtype=np.float64) / BUNCH_CROSSING_RATE_KHZ
    tails = {
        name: _tail(score, float(share.max()) * n_events)
        for name, score in background_score.items()
    }

    def one(generator: np.random.Generator) -> list[FloatArray]:
        weights = poisson_weights(generator, n_events)
        wanted = share * float(weights.sum(dtype=np.int64))
        return [_sampled_threshold(tail, weights, wanted) for tail in tails.values()]

    with ThreadPoolExecutor(min(4, allowed_processors())) as pool:
        drawn = np.array(list(pool.map(one, sample_generators(rng, n_samples))))
    return {name: drawn[:, k] for k, name in enumerate(tails)}


def bootstrap_trigger(
    signal_score: Mapping[str, npt.ArrayLike],
    signal_truth: npt.ArrayLike,
    threshold_samples: Mapping[str, FloatArray],
    *,
    bins: Bins,
    rng: np.random.Generator,
) -> TriggerSamples:
    """Resample signal efficiencies, each sample with the thresholds of the same number.

    Args:
        signal_score: Scores of the same signal events, by estimate.
        signal_truth: Truth of these events.
        threshold_samples: Result of :func:`bootstrap_thresholds`.
        bins: Bins of the truth.
        rng: Seeded generator, independent of that of the thresholds.
    """
    quoted = {repr(name): score for name, score in signal_score.items()}
    check_same_length({"the generator": signal_truth, **quoted})
    index = bins.index(np.asarray(signal_truth, dtype=np.float64))
    inside = np.flatnonzero(index >= 0)
    where = index[inside]
    scores = {name: np.asarray(score, np.float64)[inside] for name, score in signal_score.items()}
    n_samples = len(next(iter(threshold_samples.values())))

    def one(job: tuple[int, np.random.Generator]) -> list[FloatArray]:
        sample, generator = job
        weights = poisson_weights(generator, len(inside)).astype(np.float64)
        total = np.bincount(where, weights, minlength=len(bins)).astype(np.float64)
        return [
            _weighted_efficiency(score, threshold_samples[name][sample], where, weights, total)
            for name, score in scores.items()
        ]

    jobs = enumerate(sample_generators(rng, n_samples))
    with ThreadPoolExecutor(min(4, allowed_processors())) as pool:
        drawn = np.array(list(pool.map(one, jobs)))
    return TriggerSamples(
        {name: np.asarray(threshold_samples[name]) for name in scores},
        {name: drawn[:, k] for k, name in enumerate(scores)},
    )


def _weighted_efficiency(
    score: FloatArray,
    thresholds: FloatArray,
    where: npt.NDArray[np.intp],
    weights: FloatArray,
    total: FloatArray,
) -> FloatArray:
    """Return the weighted fraction at or above each threshold per bin."""
    rows = []
    for threshold in thresholds:
        passing = passes(score, threshold)
        passed = np.bincount(where[passing], weights[passing], minlength=len(total))
        row = np.where(total > 0, passed / np.where(total > 0, total, 1.0), np.nan)
        rows.append(row if np.isfinite(threshold) else np.full_like(row, np.nan))
    return np.array(rows)
