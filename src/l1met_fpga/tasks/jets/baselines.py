"""What a jet network must beat: for each class the best single variable, for pt a table."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.layout import JET_ETA, JET_PT_GEV
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.classes import area
from l1met_fpga.tasks.jets.variables import jet_variables

__all__ = ["PT_EDGES_GEV", "PtTable", "VariableTagger", "balanced"]

logger = logging.getLogger(__name__)

PT_EDGES_GEV: Final = (20.0, 25.0, 30.0, 40.0, 50.0, 65.0, 85.0, 120.0, 200.0)
"""Inner borders of the bins of a jet's pt."""
ABS_ETA_EDGES: Final = (0.8, 1.5, 2.0, np.inf)
"""Upper borders of the regions; the last region is that of an unknown eta."""
BINS: Final = 20
MIN_JETS: Final = 10


@dataclass(frozen=True, slots=True)
class _Choice:
    """The best variable of a class, and log N(class) / N(rest) in its bins."""

    variable: str
    edges: FloatArray
    log_ratio: FloatArray

    def score(self, variables: dict[str, FloatArray]) -> FloatArray:
        return self.log_ratio[np.searchsorted(self.edges, variables[self.variable], side="right")]


class VariableTagger:
    """The logit of a class is the logarithm of its likelihood ratio to the rest in one variable.

    The variable is the one with the largest area under the ROC curve on the training jets.

    Args:
        jets: Training jets.
        truth: Class of each, one-hot, shape (n_jets, n_classes).
    """

    def __init__(self, jets: Examples, truth: FloatArray) -> None:
        variables = jet_variables(jets)
        self._choices = [_best(variables, truth[:, k] > 0) for k in range(truth.shape[1])]
        for name, choice in zip(JET_CLASSES, self._choices, strict=True):
            logger.info("best single variable of %s: %s", name, choice.variable)

    def logits(self, jets: Examples) -> FloatArray:
        """Return the logits of jets, shape (n_jets, n_classes)."""
        variables = jet_variables(jets)
        return np.stack([choice.score(variables) for choice in self._choices], axis=1)


def _best(variables: dict[str, FloatArray], chosen: npt.NDArray[np.bool_]) -> _Choice:
    choices = [_fitted(name, values, chosen) for name, values in variables.items()]
    if not chosen.any() or chosen.all():
        return choices[0]
    return max(choices, key=lambda one: area(one.score(variables), chosen).value)


def _fitted(name: str, values: FloatArray, chosen: npt.NDArray[np.bool_]) -> _Choice:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, values, side="right")
    # half a jet of each kind in every bin: none is impossible
    mine, rest = (
        np.bincount(place[of], minlength=len(edges) + 1) + 0.5 for of in (chosen, ~chosen)
    )
    return _Choice(name, edges, np.log(mine / mine.sum()) - np.log(rest / rest.sum()))


class PtTable:
    """Median of generated over measured pt in bins of pt and regions of |eta|.

    Args:
        jets: Training jets.
        ratio: Generated over measured pt, shape (n_jets,).
    """

    def __init__(self, jets: Examples, ratio: FloatArray) -> None:
        cell = _cell(jets)
        self._medians = np.full(
            (len(ABS_ETA_EDGES) + 1) * (len(PT_EDGES_GEV) + 1), np.median(ratio)
        )
        for k in np.unique(cell):
            inside = ratio[cell == k]
            if len(inside) >= MIN_JETS:
                self._medians[k] = np.median(inside)

    def ratio(self, jets: Examples) -> FloatArray:
        """Return the ratio of jets, shape (n_jets,)."""
        return self._medians[_cell(jets)]


def _cell(jets: Examples) -> npt.NDArray[np.int64]:
    region = np.searchsorted(
        ABS_ETA_EDGES, np.abs(jets.besides[JET_ETA]), side="right"
    )  # NaN: last
    place = np.searchsorted(PT_EDGES_GEV, jets.besides[JET_PT_GEV], side="right")
    return np.asarray(region * (len(PT_EDGES_GEV) + 1) + place, np.int64)


def balanced(jets: Examples, truth: FloatArray) -> FloatArray:
    """Return weights that give every class the same sum and the same spectrum of pt.

    No weight within a class is above ten times another, so that single jets decide nothing.
    """
    place = np.searchsorted(PT_EDGES_GEV, jets.besides[JET_PT_GEV], side="right")
    counts = np.stack(
        [
            np.bincount(place, truth[:, k], minlength=len(PT_EDGES_GEV) + 1)
            for k in range(truth.shape[1])
        ]
    )
    shape = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    there = counts.sum(axis=1) > 0
    wanted = shape[there].mean(axis=0)
    ratio = np.where(counts > 0, wanted / np.maximum(shape, 1e-9), 0)
    ratio = np.clip(ratio, ratio.max(axis=1, keepdims=True) / 10, None)
    weights = ratio[truth.argmax(axis=1), place]
    sums = np.bincount(truth.argmax(axis=1), weights, minlength=truth.shape[1])
    weights = weights / sums[truth.argmax(axis=1)]
    return np.asarray(weights / weights.mean(), np.float64)
