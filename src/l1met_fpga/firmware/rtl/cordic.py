"""|MET| and phi from px, py by CORDIC, as integers: what the Verilog does, in NumPy.

A calibration of the size (:class:`~l1met_fpga.models.size_calibration.SizeCalibration`) costs nothing: its slope is part
of the constant that undoes the gain, its offset part of the constant that rounds.

Vectoring mode: the vector is turned onto the x axis by angles atan(2^-i); the turns add up to phi
and x becomes |MET| times a known gain. A subtraction is done in ones' complement, which is one count of
the guard bits off and needs one adder instead of an adder and a subtractor. Every shift, sum and rounding is that of the Verilog, so
the two agree bit for bit. Against the exactly rounded values of
:meth:`l1met_fpga.puppi.gt_word.GtSum.from_met_xy_gev` the size is at most one count off, and so
is phi where the size is 2 GeV or more.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.network import Network
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.puppi.gt_word import GT_PHI_TYPE, GT_PT_TYPE, GtSum, pack

__all__ = ["Cordic", "cordic_of", "gt_words"]

ITERATIONS: Final = 13
GUARD_BITS: Final = 7
GAIN_BITS: Final = 17
"""Bits below one, and at most in all, of the constant that undoes the gain: with its sign it fits a DSP slice."""
SINGLE_TURNS: Final = 2
"""Turns with a clock of their own, while y is wide; later ones go in pairs."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cordic:
    """Widths and constants for one type of px, py.

    Attributes:
        xy: Type of px and py.
        calibration: Correction of the size.
    """

    xy: FixedType
    calibration: SizeCalibration | None = None

    @property
    def guard_bits(self) -> int:
        """Bits below one count of px during the turns."""
        return GUARD_BITS

    @property
    def width(self) -> int:
        """Bits of x and y: a length grows by sqrt(2) * 1.65, less than two bits."""
        return self.xy.width + GUARD_BITS + 2

    @property
    def angle_width(self) -> int:
        """Bits of the angle; a full turn wraps around them."""
        return GT_PHI_TYPE.width + GUARD_BITS

    @property
    def angles(self) -> tuple[int, ...]:
        """atan(2^-i) in counts of pi/4096 times ``2**-GUARD_BITS``."""
        one = (1 << (GT_PHI_TYPE.width - 1 + GUARD_BITS)) / math.pi
        return tuple(round(math.atan(2.0**-i) * one) for i in range(ITERATIONS))

    @property
    def half_turn(self) -> int:
        """The angle pi."""
        return 1 << (self.angle_width - 1)

    @property
    def _size_per_x(self) -> float:
        gain = math.prod(math.sqrt(1 + 4.0**-i) for i in range(ITERATIONS))
        return (1.0 if self.calibration is None else self.calibration.factor) / gain

    @property
    def gain_bits(self) -> int:
        """Bits of ``inverse_gain`` below one."""
        return GAIN_BITS - max(0, math.frexp(self._size_per_x)[1])

    @property
    def inverse_gain(self) -> int:
        """1 / gain (times the slope of the calibration), times ``2**gain_bits``."""
        return min(round((1 << self.gain_bits) * self._size_per_x), (1 << GAIN_BITS) - 1)

    @property
    def size_shift(self) -> int:
        """Bits to drop from x * inverse_gain for counts of the global trigger."""
        return self.gain_bits + GUARD_BITS + self.xy.frac_bits - GT_PT_TYPE.frac_bits

    @property
    def size_offset(self) -> int:
        """What is added to x * inverse_gain before bits are dropped, rounding not included."""
        return 0 if self.calibration is None else self.calibration.offset << self.size_shift

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Turns between registers."""
        single = range(SINGLE_TURNS)
        pairs = range(SINGLE_TURNS, ITERATIONS, 2)
        return (*((i,) for i in single), *(tuple(range(i, min(i + 2, ITERATIONS))) for i in pairs))

    def y_width(self, turns: int) -> int:
        """Bits of y after so many turns: each halves what y can be."""
        return self.width - max(0, turns - 1)

    def turned(self, stage: tuple[int, ...]) -> tuple[int, ...]:
        """Angle that a stage adds, for every combination of the signs of y (bit 0: first turn)."""
        wrap = (1 << self.angle_width) - 1
        return tuple(
            sum(~self.angles[i] if signs >> k & 1 else self.angles[i] for k, i in enumerate(stage))
            & wrap
            for signs in range(1 << len(stage))
        )

    @property
    def smallest(self) -> int:
        """Smallest x whose size is not rounded to zero; 0 where none is rounded to zero."""
        return max(-(-((1 << (self.size_shift - 1)) - self.size_offset) // self.inverse_gain), 0)

    @property
    def clocks(self) -> int:
        """From px, py to the word: first turn, iterations, product (2), rounding."""
        return 1 + len(self.stages) + 2 + 1

    def run(self, xy: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
        """Return size and direction.

        Args:
            xy: Codes of px and py, shape (n_events, 2).

        Returns:
            Codes of ``GT_PT_TYPE`` and ``GT_PHI_TYPE``, shape (n_events,).
        """
        x, y = (xy[:, i].astype(np.int64) << GUARD_BITS for i in (0, 1))
        behind = x < 0
        nothing = (x == 0) & (y == 0)
        x, y = np.where(behind, -x, x), np.where(behind, -y, y)
        z = np.where(behind, self.half_turn, 0)
        for i, angle in enumerate(self.angles):
            # all bits of a summand are inverted instead of subtracting it: one adder, no carry in
            turn = np.where(y < 0, -1, 0)
            x, y, z = x + ((y >> i) ^ turn), y + ((x >> i) ^ ~turn), z + (angle ^ turn)
        half = 1 << (self.size_shift - 1)
        size = (x * self.inverse_gain + self.size_offset + half) >> self.size_shift
        phi = (z + (1 << (GUARD_BITS - 1))) >> GUARD_BITS
        return (
            np.where(nothing, 0, np.clip(size, 0, GT_PT_TYPE.max_code)),
            np.where(nothing, 0, GT_PHI_TYPE.wrap_or_saturate(phi)),
        )


def cordic_of(network: Network) -> Cordic | None:
    """Return what makes a network's word for the global trigger, None where no head is told in one."""
    head = gt_head(network)
    return None if head is None else Cordic(network.type_of(head.name), head.calibration)


def gt_words(
    kind: FixedType, xy: npt.NDArray[Any], calibration: SizeCalibration | None = None
) -> npt.NDArray[np.uint64]:
    """Return the global-trigger words that the RTL gives for px, py codes, shape (n_events,).

    The scalar sum is zero, as in the CMSSW emulator of the PUPPI MET.

    Args:
        kind: Type of px and py.
        xy: Their codes, shape (n_events, 2).
        calibration: Correction of the size.
    """
    size, phi = Cordic(kind, calibration).run(xy)
    return pack(GtSum(size != 0, size, phi, np.zeros_like(size)))
