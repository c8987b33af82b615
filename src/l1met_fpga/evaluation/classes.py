"""Events by what they are: where their activity lies, and how many collisions lie on top."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_PILEUP
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD
from l1met_fpga.puppi.sums import sum_by_event

__all__ = ["PILEUP_BINS", "Classes", "classes_of"]

BARREL_ETA: Final = 1.5
PILEUP_BINS: Final = Bins.of((0, 160, 180, 200, 220, np.inf))


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """A division of events.

    Attributes:
        labels: Names of the classes.
        index: Class of each event, shape (n,); -1 for none.
    """

    labels: tuple[str, ...]
    index: npt.NDArray[np.intp]


def classes_of(examples: Examples) -> dict[str, Classes]:
    """Divide events by region, and by pile-up where it is known.

    ``region`` is ``barrel`` when more than half of the scalar sum of pt lies within |eta| < 1.5, else
    ``endcap``.
    """
    found = {"region": Classes(("barrel", "endcap"), _region(examples))}
    if N_PILEUP in examples.besides:
        index = PILEUP_BINS.index(examples.besides[N_PILEUP].astype(np.float64))
        found["pileup"] = Classes(PILEUP_BINS.labels, index)
    return found


def _region(examples: Examples) -> npt.NDArray[np.intp]:
    pt, eta = examples.columns["pt"], examples.columns["eta"]
    inside = np.abs(eta.astype(np.int64)) * ANGLE_LSB_RAD < BARREL_ETA
    both = np.stack([pt * inside, pt * ~inside], axis=1)
    sums = sum_by_event(both, examples.example_of_rows, len(examples))
    return np.where(sums[:, 0] > sums[:, 1], 0, 1)
