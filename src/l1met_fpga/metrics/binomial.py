"""Efficiencies with Clopper-Pearson intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray

__all__ = ["ONE_SIGMA", "Efficiency", "clopper_pearson", "efficiency"]

ONE_SIGMA: Final = 0.6826894921370859
"""Coverage of the intervals."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Passing fraction with its interval; NaN where there is no event.

    Attributes:
        passed: Events that pass.
        total: Events in all.
        value: ``passed / total``.
        low: Lower end of the Clopper-Pearson interval.
        high: Upper end.
    """

    passed: npt.NDArray[np.int64]
    total: npt.NDArray[np.int64]
    value: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def error(self) -> FloatArray:
        """Half the interval, for tables that have room for one number only."""
        return (self.high - self.low) / 2


def clopper_pearson(
    passed: npt.ArrayLike, total: npt.ArrayLike, *, coverage: float = ONE_SIGMA
) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper end of the exact central interval.

    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404. NaN where ``total`` is 0.
    """
    k, n = np.asarray(passed, np.float64), np.asarray(total, np.float64)
    tail = (1 - coverage) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, betaincinv(k, n - k + 1, tail), 0.0)
        high = np.where(k < n, betaincinv(k + 1, n - k, 1 - tail), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def efficiency(passed: npt.ArrayLike, total: npt.ArrayLike) -> Efficiency:
    """Return ``passed / total`` with its interval.

    Raises:
        DataError: If more pass than there are.
    """
    k, n = np.asarray(passed, np.int64), np.asarray(total, np.int64)
    if (k > n).any() or (k < 0).any():
        raise DataError(f"0 <= passed <= total must hold, got passed {k} of {n}")
    value = np.where(n > 0, k / np.maximum(n, 1), np.nan)
    low, high = clopper_pearson(k, n)
    return Efficiency(k, n, value, low, high)
