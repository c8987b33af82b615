"""Figures of a head of classes in one sample, of every estimate."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.binomial import Efficiency
from l1met_fpga.metrics.bootstrap import spread
from l1met_fpga.metrics.classes import (
    Area,
    against_rest,
    area,
    confusion,
    efficiency_at_mistag,
    roc_points,
)
from l1met_fpga.tasks.task import Task

__all__ = ["ClassFiguresOf", "OneEstimate", "evaluate_classes"]


@dataclass(frozen=True, slots=True)
class OneEstimate:
    """What one estimate gives; lists run over the classes.

    Attributes:
        areas: Of each class against the rest.
        pairs: Area of a class (row) against another (column), NaN on the diagonal.
        confusion: Share of a true class (row) called another (column).
        at_mistag: Efficiency and mistag in bins of the truth.
        curves: Efficiencies and mistags of the ROC curve.
        response: Median of score over truth, and its bootstrap error.
        width: Half the 68 % width of that ratio over its median, and its error.
    """

    areas: list[Area]
    pairs: FloatArray
    confusion: FloatArray
    at_mistag: list[tuple[Efficiency, Efficiency]]
    curves: list[tuple[FloatArray, FloatArray]]
    response: list[tuple[float, float]]
    width: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class ClassFiguresOf:
    """Figures of a head.

    Attributes:
        examples: Of each class, shape (n_classes,).
        mistag: At which efficiencies are compared.
        bins: Bins of the truth.
        estimates: By estimate.
    """

    examples: npt.NDArray[np.int64]
    mistag: float
    bins: Bins
    estimates: dict[str, OneEstimate]


def evaluate_classes(
    sample: Sample, task: Task, head: str, config: EvaluationConfig
) -> ClassFiguresOf:
    """Compute the figures of a head of classes."""
    true = sample.truth[head].argmax(axis=1)
    size, bins = task.score(sample.truth), Bins.of(config.resolution_edges_gev)
    n = sample.truth[head].shape[1]
    found = {}
    for name, heads in sample.estimates.items():
        logits = heads[head]
        scores = [against_rest(logits, k) for k in range(n)]
        chosen = [true == k for k in range(n)]
        rng = np.random.default_rng(config.seed)
        ratio = np.divide(task.score(heads), size, where=size > 0, out=np.full(len(size), np.nan))
        centres = [
            _centre(ratio[one & (size > 0)], config.bootstrap_samples, rng) for one in chosen
        ]
        found[name] = OneEstimate(
            [area(score, one) for score, one in zip(scores, chosen, strict=True)],
            _pairs(logits, true),
            confusion(logits, true),
            [
                efficiency_at_mistag(score, one, size, mistag=config.class_mistag, bins=bins)
                for score, one in zip(scores, chosen, strict=True)
            ],
            [roc_points(score, one) for score, one in zip(scores, chosen, strict=True)],
            [response for response, _ in centres],
            [width for _, width in centres],
        )
    return ClassFiguresOf(np.bincount(true, minlength=n), config.class_mistag, bins, found)


def _pairs(logits: FloatArray, true: npt.NDArray[np.intp]) -> FloatArray:
    n = logits.shape[1]
    found = np.full((n, n), np.nan)
    for a, b in itertools.permutations(range(n), 2):
        both = (true == a) | (true == b)
        found[a, b] = area(logits[both, a] - logits[both, b], true[both] == a).value
    return found


def _centre(
    ratio: FloatArray, n_samples: int, rng: np.random.Generator
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return median and relative width with their errors; NaN for too few examples, or a median of 0."""
    if len(ratio) < MIN_EVENTS:
        nothing = (float("nan"), float("nan"))
        return nothing, nothing

    def figures(values: FloatArray) -> FloatArray:
        low, middle, high = np.quantile(values, [0.16, 0.5, 0.84], axis=-1)
        half = np.asarray((high - low) / 2)
        nothing = np.full(half.shape, np.nan)  # most have no score: nothing to be relative to
        return np.stack([middle, np.divide(half, middle, where=middle > 0, out=nothing)])

    drawn = np.stack(
        [figures(ratio[rng.integers(0, len(ratio), len(ratio))]) for _ in range(n_samples)]
    )
    (median, width), (of_median, of_width) = figures(ratio), spread(drawn)
    return (float(median), float(of_median)), (float(width), float(of_width))
