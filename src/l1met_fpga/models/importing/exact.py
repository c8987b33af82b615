"""Real numbers as integer codes, where they are such numbers."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType

__all__ = [
    "FLOAT32_BITS",
    "MAX_WEIGHT_BITS",
    "Codes",
    "codes_type",
    "exact_codes",
    "no_bias",
    "require_float32",
]

IntArray = npt.NDArray[np.int64]
Codes = tuple[IntArray, FixedType]
"""Integer codes of constants and their type."""

MAX_WEIGHT_BITS: Final = 18
"""Widest constant that is taken: one input of a DSP."""
MAX_FRAC_BITS: Final = 40
FLOAT32_BITS: Final = 24
"""float32 holds every integer below ``2**24``."""


def codes_type(codes: IntArray, frac_bits: int) -> FixedType:
    """Return the narrowest type that holds some codes."""
    return FixedType.for_codes(int(codes.min(initial=0)), int(codes.max(initial=0)), frac_bits)


def no_bias(outputs: int) -> Codes:
    """Return a bias of zeros."""
    return np.zeros(outputs, np.int64), FixedType(False, 1, 0)


def exact_codes(values: npt.ArrayLike, where: str, *, bits: int = MAX_WEIGHT_BITS) -> Codes:
    """Return integer codes of constants, and the narrowest type that holds them.

    Args:
        values: Real numbers, any shape.
        where: What they are, for the message.
        bits: Widest that is taken.

    Raises:
        ConversionError: If one of them is no fixed-point number of so many bits.
    """
    real = np.asarray(values, dtype=np.float64)
    wrong = real[~np.isfinite(real)]
    if wrong.size:
        raise ConversionError(f"{where} holds {wrong.flat[0]}")
    frac_bits = _frac_bits(real)
    codes = np.ldexp(real, frac_bits)
    limit = 2.0 ** (bits - 1)
    if (np.floor(codes) != codes).any() or (codes < -limit).any() or (codes >= limit).any():
        first = real[_needed(real) == _needed(real).max()].flat[0]
        raise ConversionError(
            f"{where} needs more than {bits} bits (for example {first!r} beside values up "
            f"to {np.abs(real).max():g}); give it a quantizer and train with that"
        )
    whole = codes.astype(np.int64)
    return whole, codes_type(whole, frac_bits)


def _needed(real: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Fraction bits that each number needs, at most :data:`MAX_FRAC_BITS`."""
    mantissa, exponent = np.frexp(real)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.zeros(real.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        even = (whole & ((1 << step) - 1)) == 0
        whole = np.where(even, whole >> step, whole)
        trailing += np.where(even, step, 0)
    needed = np.where(real == 0, -MAX_FRAC_BITS, 53 - trailing - exponent)
    return np.minimum(needed, MAX_FRAC_BITS)


def _frac_bits(real: npt.NDArray[np.float64]) -> int:
    if not real.size or not real.any():
        return 0
    return int(_needed(real).max())


def require_float32(
    kernel: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    inputs: Sequence[FixedType],
    where: str,
) -> None:
    """Check that float32 adds a layer's products exactly, as the integers will.

    Args:
        kernel: Values, shape (inputs, outputs).
        bias: Values, shape (outputs,).
        inputs: Type of each input.
        where: The layer.

    Raises:
        ConversionError: If a sum may have more than 24 bits.
    """
    largest_input = np.array([max(-t.min, t.max) for t in inputs])
    largest = largest_input @ np.abs(kernel) + np.abs(bias)
    fractions = [
        t.frac_bits + _frac_bits(row) for t, row in zip(inputs, kernel, strict=True) if row.any()
    ]
    finest = max([*fractions, _frac_bits(bias)])
    bits = int(np.ceil(np.ldexp(largest.max(initial=0), finest))).bit_length()
    if bits > FLOAT32_BITS:
        widest = max(inputs, key=lambda t: t.width)
        raise ConversionError(
            f"{where} adds numbers of up to {bits} bits; Keras computes in float32, which is exact to "
            f"{FLOAT32_BITS}. Use fewer bits in its inputs (the widest is {widest.hls_name}) or weights"
        )
