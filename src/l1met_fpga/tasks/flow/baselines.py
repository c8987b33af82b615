"""What a network of elements must beat: the rules of particle flow, and a table of single elements."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.element_kinds import CLASSES
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import ELEMENT_ETA, ELEMENT_PT_GEV, RULE_CLASS, RULE_PT_GEV
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.puppi.columns import PT_LSB_GEV

__all__ = ["COLUMNS", "ElementTable", "element_weights", "own_code", "rules"]

COLUMNS: Final = ("pt", "eta", "phi", "pid", "puppi_weight", "dxy", "em_id")
PT_EDGES_GEV: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0)
ABS_ETA_EDGES: Final = (0.8, 1.5, 2.5, 3.0)
CODES: Final = 8
"""Codes of what an element looks like by itself."""
MIN_ELEMENTS: Final = 10


def rules(elements: Examples) -> tuple[FloatArray, FloatArray]:
    """Return logits, 1 for the class that the rules give, and the ratio of their pt to the element's."""
    chosen = elements.besides[RULE_CLASS].astype(np.int64)
    ratio = elements.besides[RULE_PT_GEV] / np.maximum(elements.besides[ELEMENT_PT_GEV], PT_LSB_GEV)
    return np.eye(len(CLASSES))[chosen], np.asarray(ratio, np.float64)[:, None]


def own_code(elements: Examples) -> npt.NDArray[np.int64]:
    """Return the code of what each element looks like by itself; that of a cluster for none."""
    codes = np.zeros(len(elements), np.int64)
    has = elements.counts > 0
    codes[has] = elements.columns["pid"][elements.row_splits[:-1][has]]
    return codes


def _cell(elements: Examples) -> npt.NDArray[np.int64]:
    pt = np.searchsorted(PT_EDGES_GEV, elements.besides[ELEMENT_PT_GEV], side="right")
    eta = np.searchsorted(ABS_ETA_EDGES, np.abs(elements.besides[ELEMENT_ETA]), side="right")
    place = own_code(elements) * (len(PT_EDGES_GEV) + 1) + pt
    return np.asarray(place * (len(ABS_ETA_EDGES) + 1) + eta, np.int64)


class ElementTable:
    """What an element tells without its neighbours: logits and median ratio by code, pt and |eta|.

    Args:
        elements: Training elements.
        classes: Class of each, one-hot, shape (n_elements, n_classes).
        ratio: Generated over measured pt, shape (n_elements,); 0 where there is no particle.
    """

    def __init__(self, elements: Examples, classes: FloatArray, ratio: FloatArray) -> None:
        cell = _cell(elements)
        n_cells = CODES * (len(PT_EDGES_GEV) + 1) * (len(ABS_ETA_EDGES) + 1)
        shares = (classes.sum(axis=0) + 1) / (len(classes) + classes.shape[1])
        counts = np.stack(
            [np.bincount(cell, of, minlength=n_cells) for of in classes.T], axis=1
        )  # a cell without elements gives the shares of all
        self._logits = np.log(counts + shares) - np.log(counts.sum(axis=1, keepdims=True) + 1)
        is_particle = ratio > 0
        whole = np.median(ratio[is_particle]) if is_particle.any() else 1.0
        self._ratio = np.full(n_cells, whole)
        for k in np.unique(cell[is_particle]):
            inside = ratio[is_particle & (cell == k)]
            if len(inside) >= MIN_ELEMENTS:
                self._ratio[k] = np.median(inside)

    def heads(self, elements: Examples) -> tuple[FloatArray, FloatArray]:
        """Return logits, shape (n_elements, n_classes), and ratio, shape (n_elements, 1)."""
        cell = _cell(elements)
        return self._logits[cell], self._ratio[cell][:, None]


def element_weights(classes: FloatArray, pt_gev: FloatArray) -> FloatArray:
    """Return a weight per element, sqrt(pt / N) with N elements in its class, 1 on average.

    Rare classes count, and so do the few elements that sums of an event are made of.

    Args:
        classes: One-hot, shape (n_elements, n_classes).
        pt_gev: As the detector gives it, shape (n_elements,).
    """
    count = np.maximum(classes.sum(axis=0), 1)[classes.argmax(axis=1)]
    weights = np.sqrt(np.maximum(pt_gev, PT_LSB_GEV) / count)
    return np.asarray(weights / weights.mean(), np.float64)
