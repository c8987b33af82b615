"""Floats that ROOT packs into fewer bits: ``Double32_t`` and ``Float16_t``.

Source: ``TStreamerElement.cxx`` (``GetRange``) and ``TBufferFile.cxx`` (``ReadFastArrayDouble32``,
``ReadFastArrayFloat16``). The range stands in square brackets behind the type; for arrays the
first brackets of the title hold the dimension. uproot takes those for the range and returns the
packed integers as if they were floats, so such branches are read here.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Self

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

__all__ = ["Packing"]

_LEAVES: Final = {"TLeafD32": False, "TLeafF16": True}
_TYPES: Final = {uproot.const.kDouble32: False, uproot.const.kFloat16: True}
_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\]")
_NAMED: Final = {"twopi": 2 * math.pi, "2pi": 2 * math.pi, "pi": math.pi} | {
    "pi/2": math.pi / 2,
    "pi/4": math.pi / 4,
}
_DEFAULT_FLOAT16_BITS: Final = 12
_WHOLE_FLOAT_BITS: Final = 15
"""From here on a mantissa without a range is not cut."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How the numbers of a branch are packed.

    Attributes:
        low: Lower end of the range.
        factor: Codes per unit; 0 without a range.
        mantissa_bits: Bits of a cut mantissa; 0 for a whole float.
        is_single: Whether the numbers are single precision when they are unpacked.
        jagged: Whether another branch counts the numbers of each entry.
        shape: Fixed dimensions of an entry.
    """

    low: float
    factor: float
    mantissa_bits: int
    is_single: bool
    jagged: bool
    shape: tuple[int, ...]

    @classmethod
    def of(cls, branch: Any) -> Self | None:
        """Return the packing of a branch, None if its numbers are not packed.

        Raises:
            ValueError: If the range is written in a way that is not understood.
        """
        leaves = branch.member("fLeaves")
        if len(leaves) != 1 or branch.branches:
            return None
        leaf = leaves[0]
        is_float16 = _LEAVES.get(leaf.classname)
        title = leaf.member("fTitle")
        if leaf.classname == "TLeafElement":
            kind = leaf.member("fType")
            offset = uproot.const.kOffsetL
            is_float16 = _TYPES.get(kind - offset if kind > offset else kind)
            title = branch.streamer.title if branch.streamer is not None else ""
        if is_float16 is None:
            return None
        low, factor, bits = _range(title)
        if not factor and not bits and is_float16:
            bits = _DEFAULT_FLOAT16_BITS
        jagged = leaf.member("fLeafCount") is not None
        n = int(leaf.member("fLen"))
        return cls(low, factor, bits, is_float16, jagged, (n,) if n > 1 and not jagged else ())

    @property
    def interpretation(self) -> Any:
        """Uproot's interpretation of the packed codes."""
        if self.factor:
            stored: Any = np.dtype(">u4")
        elif self.mantissa_bits:
            stored = np.dtype([("exponent", "u1"), ("mantissa", ">u2")])
        else:
            stored = np.dtype(">f4")
        numbers = uproot.AsDtype(np.dtype((stored, self.shape)) if self.shape else stored)
        return uproot.AsJagged(numbers) if self.jagged else numbers

    def unpacked(self, codes: ak.Array) -> ak.Array:
        """Return the numbers that codes stand for, in the same lists."""
        kind = np.float32 if self.is_single else np.float64
        values = self._values(ak.flatten(codes) if self.jagged else codes).astype(kind)
        return ak.unflatten(values, ak.num(codes)) if self.jagged else ak.Array(values)

    def _values(self, codes: ak.Array) -> npt.NDArray[np.float64]:
        if self.factor:
            scaled: npt.NDArray[np.float64] = np.asarray(codes).astype(np.float64) / self.factor
            return scaled + self.low
        if not self.mantissa_bits:
            return np.asarray(codes).astype(np.float64)
        exponent = np.asarray(codes["exponent"]).astype(np.uint32)
        mantissa = np.asarray(codes["mantissa"]).astype(np.uint32)
        sign_bit = np.uint32(1 << (self.mantissa_bits + 1))
        bits = (exponent << 23) | ((mantissa & (sign_bit - 1)) << (23 - self.mantissa_bits))
        size = bits.astype(np.uint32).view(np.float32).astype(np.float64)
        return np.where(mantissa & sign_bit, -size, size)


def _range(title: str) -> tuple[float, float, int]:
    """Return low end, codes per unit and bits of a cut mantissa."""
    inside = next((text for text in _BRACKETS.findall(title) if "," in text), None)
    if inside is None:
        return 0.0, 0.0, 0
    parts = [part.strip().lower() for part in inside.split(",")]
    if len(parts) not in (2, 3):
        raise ValueError(f"range [{inside}]")
    low, high = _number(parts[0]), _number(parts[1])
    n_bits = int(parts[2]) if len(parts) == 3 else 32
    if not 2 <= n_bits <= 32:
        n_bits = 32
    if low < high:
        # The largest code of 32 bits is not a power of two.
        n_codes = (1 << n_bits) if n_bits < 32 else (1 << 32) - 1
        return low, n_codes / (high - low), 0
    return 0.0, 0.0, n_bits if n_bits < _WHOLE_FLOAT_BITS else 0


def _number(text: str) -> float:
    sign, bare = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    return sign * (_NAMED[bare] if bare in _NAMED else float(bare))
