"""The one fixed-point type: what it holds, how values become integer codes, what others call it.

A value is ``code * 2**-frac_bits`` with an integer ``code``. The sign bit is never counted in
``int_bits`` (QKeras and da4ml agree; ``ap_fixed`` counts it). ``int_bits`` may be negative or
larger than the width, as in ``ap_fixed``.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import FixedPointError
from l1met_fpga.rounding import Overflow, Rounding, away_from_zero, shift_round

__all__ = ["FixedType", "Overflow", "Rounding", "shift_round"]

IntArray = npt.NDArray[np.int64]
_MOST_FRAC_BITS: Final = 512
"""Beyond it values are none of float64."""


_Mode = TypeVar("_Mode", Rounding, Overflow)


@dataclass(frozen=True, slots=True)
class FixedType:
    """A fixed-point format.

    Attributes:
        signed: Whether a sign bit stands above the integer bits.
        int_bits: Bits left of the binary point, sign bit not counted; may be negative.
        frac_bits: Bits right of the binary point; may be negative.
        rounding: How values between two codes are rounded.
        overflow: What happens to values out of range.
    """

    signed: bool
    int_bits: int
    frac_bits: int
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        """Refuse widths that no integer code here can hold."""
        if not 1 <= self.width <= 62:
            raise FixedPointError(
                f"fixed-point width must be 1 to 62 bits, got {self.width} (signed={self.signed}, "
                f"int_bits={self.int_bits}, frac_bits={self.frac_bits}); int_bits + frac_bits + "
                "sign gives the width"
            )
        if abs(self.frac_bits) > _MOST_FRAC_BITS:
            raise FixedPointError(
                f"the binary point may be {_MOST_FRAC_BITS} bits away from the last bit, got "
                f"frac_bits={self.frac_bits}"
            )

    # -- numbers ------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Total bits, sign included."""
        return int(self.signed) + self.int_bits + self.frac_bits

    @property
    def lsb(self) -> float:
        """Value of one count."""
        return float(2.0**-self.frac_bits)

    @property
    def min_code(self) -> int:
        """Smallest integer code of the bit pattern."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_code(self) -> int:
        """Largest integer code."""
        return (1 << (self.width - int(self.signed))) - 1

    @property
    def min(self) -> float:
        """Smallest value."""
        return self.min_code * self.lsb

    @property
    def max(self) -> float:
        """Largest value."""
        return self.max_code * self.lsb

    # -- codes --------------------------------------------------------------------------------

    def encode(self, value: npt.ArrayLike) -> IntArray:
        """Quantize real values to integer codes with this type's rounding and overflow.

        Args:
            value: Finite values, any shape; exact for every float64.

        Returns:
            Integer codes, int64, same shape.

        Raises:
            FixedPointError: If a value is not finite, or beyond ``2**62`` counts of a wrapping
                type.
        """
        real = np.asarray(value, dtype=np.float64)
        if not np.all(np.isfinite(real)):
            raise FixedPointError(f"cannot encode NaN or infinite values as {self.hls_name}")
        # On magnitudes: floor and fraction of a positive float are exact, whatever its size.
        scaled = np.ldexp(np.abs(real), self.frac_bits)
        if np.any(scaled >= 2.0**62):
            if self.overflow is Overflow.WRAP:
                raise FixedPointError(
                    f"values up to {np.abs(real).max():g} are beyond exact arithmetic in "
                    f"{self.hls_name}; saturate instead of wrapping, or use more integer bits"
                )
            scaled = np.minimum(scaled, 2.0**62)  # overflows just the same
        whole = np.floor(scaled)
        away = away_from_zero(whole, scaled - whole, real, self.rounding)
        magnitude = whole.astype(np.int64) + away
        return self.wrap_or_saturate(np.where(real < 0, -magnitude, magnitude))

    def decode(self, code: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the values of integer codes, float64."""
        return np.ldexp(np.asarray(code, dtype=np.float64), -self.frac_bits)

    def convert(self, code: npt.ArrayLike, source_frac_bits: int) -> IntArray:
        """Bring integer codes with another binary point into this type.

        Args:
            code: Integers of value ``code * 2**-source_frac_bits``, already exact.
            source_frac_bits: Fraction bits of ``code``.

        Returns:
            Integer codes of this type, int64.
        """
        bits = source_frac_bits - self.frac_bits
        if bits < 0 and self.overflow is not Overflow.WRAP:
            limit = 1 << max(62 + bits, 0)  # more overflows just the same, but fits 64 bits
            code = np.clip(np.asarray(code, dtype=np.int64), -limit, limit)
        return self.wrap_or_saturate(shift_round(code, bits, self.rounding))

    def wrap_or_saturate(self, code: npt.ArrayLike) -> IntArray:
        """Apply the overflow mode to rounded integer codes of this type's binary point."""
        x = np.asarray(code, dtype=np.int64)
        low, high = self.min_code, self.max_code
        match self.overflow:
            case Overflow.SAT:
                return np.clip(x, low, high)
            case Overflow.SAT_SYM:
                # ap_fixed has no symmetric limits in one bit: it keeps -1.
                return np.clip(x, -max(high, 1) if self.signed else 0, high)
            case Overflow.SAT_ZERO:
                return np.where((x < low) | (x > high), 0, x)
            case Overflow.WRAP:
                masked = x & ((np.int64(1) << self.width) - 1)
                if not self.signed:
                    return masked
                return masked - ((masked >> (self.width - 1)) << self.width)

    def exactly(self, value: npt.ArrayLike) -> IntArray:
        """Return the codes of values that this type holds exactly.

        Raises:
            FixedPointError: If any value is not one of the type's values.
        """
        codes = self.encode(value)
        wrong = self.decode(codes) != np.asarray(value, dtype=np.float64)
        if np.any(wrong):
            first = np.asarray(value, dtype=np.float64)[wrong].flat[0]
            raise FixedPointError(
                f"{int(wrong.sum())} of {wrong.size} values are not representable in "
                f"{self.hls_name}, the first is {first!r}"
            )
        return codes

    # -- names elsewhere ----------------------------------------------------------------------

    @property
    def hls_name(self) -> str:
        """Name in C++ (``ap_fixed<W,I,Q,O>``; its I counts the sign bit)."""
        u = "" if self.signed else "u"
        integer = int(self.signed) + self.int_bits
        return f"ap_{u}fixed<{self.width},{integer},{self.rounding.value},{self.overflow.value}>"

    @property
    def hls4ml_name(self) -> str:
        """Name in an hls4ml configuration (``fixed<W,I,RND,SAT>``)."""
        u = "" if self.signed else "u"
        integer = int(self.signed) + self.int_bits
        rounding = self.rounding.value.removeprefix("AP_")
        overflow = self.overflow.value.removeprefix("AP_")
        return f"{u}fixed<{self.width},{integer},{rounding},{overflow}>"

    @property
    def kif(self) -> tuple[bool, int, int]:
        """``(keep_negative, integer bits, fraction bits)`` as da4ml and HGQ2 write it."""
        return self.signed, self.int_bits, self.frac_bits

    @classmethod
    def from_hls_name(cls, name: str) -> Self:
        """Parse ``ap_fixed<W,I[,Q[,O]]>``, ``ap_ufixed``, ``ap_int<W>`` or ``ap_uint<W>``.

        Raises:
            FixedPointError: If the text is none of these, or a mode has another name.
        """
        match = re.fullmatch(
            r"(?:ap_)?(u?)(fixed|int)<(-?\d+)(?:,(-?\d+))?(?:,(\w+))?(?:,(\w+))?(?:,0)?>",
            name.replace(" ", ""),
        )
        if match is None or (match[2] == "fixed") != (match[4] is not None):
            raise FixedPointError(
                f"{name!r} is not a fixed-point type; write for example ap_fixed<16,6,AP_RND,AP_SAT>"
            )
        signed = not match[1]
        width = int(match[3])
        integer = int(match[4]) if match[2] == "fixed" else width

        return cls(
            signed,
            integer - int(signed),
            width - integer,
            _mode(Rounding, match[5] or "AP_TRN", name),
            _mode(Overflow, match[6] or "AP_WRAP", name),
        )

    # -- arithmetic on types ------------------------------------------------------------------

    def with_modes(self, rounding: Rounding, overflow: Overflow) -> Self:
        """Return the same bits with other rounding and overflow."""
        return replace(self, rounding=rounding, overflow=overflow)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON and YAML."""
        return {
            "signed": self.signed,
            "int_bits": self.int_bits,
            "frac_bits": self.frac_bits,
            "rounding": self.rounding.value,
            "overflow": self.overflow.value,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """Rebuild a type from :meth:`to_dict`."""
        return cls(
            bool(raw["signed"]),
            int(raw["int_bits"]),
            int(raw["frac_bits"]),
            Rounding(raw["rounding"]),
            Overflow(raw["overflow"]),
        )

    @classmethod
    def for_codes(cls, low: int, high: int, frac_bits: int) -> Self:
        """Return the narrowest wrapping type that holds every code from ``low`` to ``high``."""
        signed = low < 0
        bits = max(max(high, 0).bit_length(), (-low - 1).bit_length() if signed else 0)
        bits = max(bits, 0 if signed else 1)
        return cls(signed, bits - frac_bits, frac_bits)


def _mode(kind: type[_Mode], text: str, where: str) -> _Mode:
    """Read a rounding or overflow mode, with or without ``AP_``."""
    wanted = "AP_" + text.removeprefix("AP_")
    if wanted not in set(kind):
        raise FixedPointError(
            f"{where!r}: {text} is no {kind.__name__.lower()} mode; there are "
            f"{', '.join(mode.value for mode in kind)}"
        )
    return kind(wanted)
