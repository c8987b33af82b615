"""How integers lose their low bits: the rounding and overflow modes of ``ap_fixed``."""

import enum

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import FixedPointError

__all__ = ["Overflow", "Rounding", "away_from_zero", "shift_left", "shift_round"]

IntArray = npt.NDArray[np.int64]


class Rounding(enum.StrEnum):
    """How bits below the last one are dropped; names of the AMD ``ap_fixed`` user guide (UG1399)."""

    TRN = "AP_TRN"
    """Towards minus infinity."""
    TRN_ZERO = "AP_TRN_ZERO"
    """Towards zero."""
    RND = "AP_RND"
    """To nearest, ties towards plus infinity."""
    RND_ZERO = "AP_RND_ZERO"
    """To nearest, ties towards zero."""
    RND_INF = "AP_RND_INF"
    """To nearest, ties away from zero."""
    RND_MIN_INF = "AP_RND_MIN_INF"
    """To nearest, ties towards minus infinity."""
    RND_CONV = "AP_RND_CONV"
    """To nearest, ties to even."""


class Overflow(enum.StrEnum):
    """What happens above the largest and below the smallest value; names of ``ap_fixed``."""

    WRAP = "AP_WRAP"
    """Keep the low bits."""
    SAT = "AP_SAT"
    """Stop at the nearest limit."""
    SAT_ZERO = "AP_SAT_ZERO"
    """Become zero."""
    SAT_SYM = "AP_SAT_SYM"
    """Stop at the nearest limit, with limits symmetric about zero when signed."""


def shift_round(code: npt.ArrayLike, bits: int, rounding: Rounding) -> IntArray:
    """Divide integers by ``2**bits`` and round.

    Args:
        code: Integers, any shape.
        bits: Number of low bits to drop; zero or negative multiplies exactly.
        rounding: How the dropped bits are rounded.

    Returns:
        Rounded integers, int64, same shape. No overflow handling.

    Raises:
        FixedPointError: If asked to multiply by more than ``2**62``.
    """
    x = np.asarray(code, dtype=np.int64)
    if bits <= 0:
        return shift_left(x, -bits)
    if bits > 62:  # fold the lowest bits into one sticky bit; it cannot make or hide a tie
        fold = min(bits - 62, 63)
        x = (x >> fold) | ((x & ((1 << fold) - 1)) != 0)
        bits = 62
    if rounding is Rounding.TRN:
        return x >> bits
    if rounding is Rounding.RND:  # the highest dropped bit decides
        return ((x >> (bits - 1)) + 1) >> 1
    floor = x >> bits
    rest = x - (floor << bits)
    half = np.int64(1) << (bits - 1)
    match rounding:
        case Rounding.TRN_ZERO:
            up = (x < 0) & (rest > 0)
        case Rounding.RND_MIN_INF:
            up = rest > half
        case Rounding.RND_INF:
            up = (rest > half) | ((rest == half) & (x >= 0))
        case Rounding.RND_ZERO:
            up = (rest > half) | ((rest == half) & (x < 0))
        case Rounding.RND_CONV:
            up = (rest > half) | ((rest == half) & (floor & 1 == 1))
    return floor + up


def shift_left(x: IntArray, bits: int) -> IntArray:
    """Multiply integers by ``2**bits``.

    Raises:
        FixedPointError: If that is more than ``2**62``.
    """
    if bits > 62:
        raise FixedPointError(f"cannot shift 64-bit integers left by {bits} bits")
    return x << bits


def away_from_zero(
    whole: npt.NDArray[np.float64],
    rest: npt.NDArray[np.float64],
    real: npt.NDArray[np.float64],
    rounding: Rounding,
) -> npt.NDArray[np.bool_]:
    """Decide which magnitudes ``whole + rest`` of the values ``real`` round up."""
    negative = real < 0
    tie: npt.NDArray[np.bool_] = rest == 0.5
    match rounding:
        case Rounding.TRN:
            # A value too small for its scaled magnitude still lies below zero.
            return np.where(negative, (rest > 0) | (whole + rest == 0), False)
        case Rounding.TRN_ZERO:
            return np.zeros_like(negative)
        case Rounding.RND:
            tie &= ~negative
        case Rounding.RND_MIN_INF:
            tie &= negative
        case Rounding.RND_ZERO:
            tie = np.zeros_like(negative)
        case Rounding.RND_CONV:
            tie &= whole % 2 == 1
        case Rounding.RND_INF:
            pass
    return tie | (rest > 0.5)
