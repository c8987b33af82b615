"""Figures of classes from logits: areas under ROC curves, confusion, efficiency at equal mistag."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.binomial import Efficiency, efficiency
from l1met_fpga.metrics.ranks import average_ranks

__all__ = [
    "Area",
    "against_rest",
    "area",
    "confusion",
    "difference",
    "efficiency_at_mistag",
    "roc_points",
    "threshold_at_mistag",
]

Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Area:
    """Area under a ROC curve: the chance that one of the class scores above one of the rest.

    Attributes:
        value: NaN without examples of both kinds.
        of_class: Share of the rest below each example of the class; ties count half.
        of_rest: Share of the class above each example of the rest.
    """

    value: float
    of_class: FloatArray
    of_rest: FloatArray

    @property
    def error(self) -> float:
        """Standard error (DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988) 837)."""
        return difference(self, None)[1]


def area(score: FloatArray, chosen: Chosen) -> Area:
    """Return the area under the ROC curve.

    Ranks give the shares at once (Sun, Xu, IEEE Signal Processing Letters 21 (2014) 1389).

    Args:
        score: Shape (n,).
        chosen: Which examples are of the class.
    """
    mine, rest = score[chosen], score[~chosen]
    ranks = average_ranks(np.concatenate([mine, rest]))
    n, m = len(mine), len(rest)
    if not n or not m:
        return Area(float("nan"), np.full(n, np.nan), np.full(m, np.nan))
    of_class = (ranks[:n] - average_ranks(mine)) / m
    of_rest = 1 - (ranks[n:] - average_ranks(rest)) / n
    return Area(float(of_class.mean()), of_class, of_rest)


def difference(one: Area, other: Area | None) -> tuple[float, float]:
    """Return the difference of two areas of the same examples and its paired standard error.

    Args:
        one: An area.
        other: Another one; None stands for zero.
    """
    value, of_class, of_rest = one.value, one.of_class, one.of_rest
    if other is not None:
        value = value - other.value
        of_class, of_rest = of_class - other.of_class, of_rest - other.of_rest
    if min(len(of_class), len(of_rest)) < 2:
        return value, float("nan")
    variance = of_class.var(ddof=1) / len(of_class) + of_rest.var(ddof=1) / len(of_rest)
    return value, float(np.sqrt(variance))


def against_rest(logits: FloatArray, number: int) -> FloatArray:
    """Return log p / (1 - p) of a class, p its softmax, shape (n,)."""
    rest = np.delete(logits, number, axis=1)
    return np.asarray(logits[:, number] - logsumexp(rest, axis=1), np.float64)


def confusion(logits: FloatArray, truth: npt.NDArray[np.intp]) -> FloatArray:
    """Return the share of each true class (row) that has its largest logit in each class (column).

    NaN in the rows of classes without examples.
    """
    size = logits.shape[1]
    counts = np.zeros((size, size))
    np.add.at(counts, (truth, logits.argmax(axis=1)), 1)
    with np.errstate(invalid="ignore"):
        shares: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return shares


def threshold_at_mistag(score: FloatArray, chosen: Chosen, mistag: float) -> float:
    """Return the score that this share of the rest is above, interpolated; NaN without a rest."""
    rest = score[~chosen]
    return float(np.quantile(rest, 1 - mistag)) if len(rest) else float("nan")


def efficiency_at_mistag(
    score: FloatArray, chosen: Chosen, size: FloatArray, *, mistag: float, bins: Bins
) -> tuple[Efficiency, Efficiency]:
    """Return efficiency of the class and mistag of the rest in bins, at one threshold for all.

    The threshold is that of the rest of all bins together; the class has no part in it.

    Args:
        score: Shape (n,).
        chosen: Which examples are of the class.
        size: What is binned, shape (n,).
        mistag: Of the rest.
        bins: Bins of ``size``.
    """
    passed = score > threshold_at_mistag(score, chosen, mistag)
    place = bins.index(size)

    def of(kind: Chosen) -> Efficiency:
        inside = kind & (place >= 0)
        total = np.bincount(place[inside], minlength=len(bins))
        return efficiency(np.bincount(place[inside & passed], minlength=len(bins)), total)

    return of(chosen), of(~chosen)


def roc_points(score: FloatArray, chosen: Chosen, n: int = 200) -> tuple[FloatArray, FloatArray]:
    """Return efficiencies of a class and the mistags of the rest there, each shape (n,)."""
    efficiencies = np.linspace(1 / n, 1, n)
    cuts = np.quantile(score[chosen], 1 - efficiencies) if chosen.any() else np.full(n, np.nan)
    rest = np.sort(score[~chosen])
    mistags = 1 - np.searchsorted(rest, cuts, side="left") / max(len(rest), 1)
    return efficiencies, mistags
