"""The curve that is fitted to turn-ons, apart from the fit: drawing one needs no SciPy."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.metrics.arrays import FloatArray

__all__ = ["FittedCurve", "curve"]

_erfc: Final = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """``floor + (plateau - floor) Phi((q - middle) / (width + growth |q - middle|))``.

    ``Phi`` is the normal cumulative distribution. The floor is what noise alone passes; the width
    grows away from the middle because the resolution has tails and grows with the truth. On real PUPPI
    MET (161,487 ttbar events, thresholds 60 to 130 GeV) chi2 per degree of freedom is 1.4 to 1.7.

    Attributes:
        plateau: Efficiency far above the threshold, at most 1.
        floor: Efficiency far below.
        middle: Truth half-way between.
        width: Width at the middle.
        growth: Growth of the width.
        chi2_per_dof: Likelihood ratio to the binned efficiencies over degrees of freedom.
    """

    plateau: float
    floor: float
    middle: float
    width: float
    growth: float
    chi2_per_dof: float

    def __call__(self, truth: npt.ArrayLike) -> FloatArray:
        """Return the efficiency at a true value."""
        values = (self.plateau, self.floor, self.middle, self.width, self.growth)
        return curve(np.asarray(values), np.asarray(truth, dtype=np.float64))


def curve(parameters: FloatArray, truth: FloatArray) -> FloatArray:
    """Return the efficiency at true values, from the parameters in the order of :class:`FittedCurve`."""
    plateau, floor, middle, width, growth = parameters
    distance = truth - middle
    pull = distance / (width + growth * np.abs(distance))
    rise = 0.5 * np.asarray(_erfc(-pull / math.sqrt(2)), np.float64)
    return np.asarray(floor + (plateau - floor) * rise)
