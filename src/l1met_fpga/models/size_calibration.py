"""A straight line that brings the size of a vector, such as MET, to the scale of the truth.

It is monotone, so it changes neither the order of events nor a rate at equal efficiency. Only the size that is told
changes, in the word for the global trigger; x and y stay as the network gives them.
"""

from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from l1met_fpga.models.strict import Strict
from l1met_fpga.puppi.gt_word import GT_PT_TYPE

__all__ = ["SizeCalibration"]

SLOPE_BITS: Final = 10
_SMALLEST_SLOPE: Final = 1 << (SLOPE_BITS - 2)
_LARGEST_SLOPE: Final = 3 << SLOPE_BITS
_LARGEST_OFFSET: Final = 100 << GT_PT_TYPE.frac_bits


class SizeCalibration(Strict):
    """Told size = slope * size + offset; nothing stays nothing, and no size is below zero.

    Attributes:
        slope: In counts of 2**-10; 1/4 to 3.
        offset: In counts of 1/32 GeV, those of the word for the global trigger; 100 GeV at most.
    """

    slope: Annotated[int, Field(ge=_SMALLEST_SLOPE, le=_LARGEST_SLOPE)]
    offset: Annotated[int, Field(ge=-_LARGEST_OFFSET, le=_LARGEST_OFFSET)]

    @classmethod
    def of(cls, slope: float, offset_gev: float) -> "SizeCalibration":
        """Round a line to the nearest counts; one that cannot be told becomes the nearest that can."""
        counts = round(slope * (1 << SLOPE_BITS)), round(offset_gev * (1 << GT_PT_TYPE.frac_bits))
        return cls(
            slope=min(max(counts[0], _SMALLEST_SLOPE), _LARGEST_SLOPE),
            offset=min(max(counts[1], -_LARGEST_OFFSET), _LARGEST_OFFSET),
        )

    @property
    def factor(self) -> float:
        """The slope."""
        return self.slope / (1 << SLOPE_BITS)

    @property
    def offset_gev(self) -> float:
        """The offset, GeV."""
        return self.offset / (1 << GT_PT_TYPE.frac_bits)

    def told_gev(self, size_gev: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return told sizes before they are rounded to counts, GeV."""
        size = np.asarray(size_gev, np.float64)
        return np.where(size > 0, np.maximum(self.factor * size + self.offset_gev, 0.0), 0.0)
