"""Exact building blocks on da4ml variables: our rounding and overflow modes, tables, products.

da4ml rounds towards minus infinity or half up only; the other modes are built here from its
operations. Saturation looks at the bits above the result instead of subtracting the limit, which
costs a third of da4ml's own in LUTs.
"""

import math
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
from da4ml.trace import FixedVariable, HWConfig

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding

__all__ = [
    "HARDWARE",
    "absolute",
    "constant",
    "fraction_bits",
    "look_up",
    "look_up_values",
    "multiply",
    "quantize",
    "variable",
]

HARDWARE: Final = HWConfig(1, -1, -1)
"""da4ml delay model: every adder takes one unit, whatever its width."""


def constant(value: float) -> FixedVariable:
    """Return a variable that always has ``value``."""
    return FixedVariable.from_const(value, hwconf=HARDWARE)


def variable(low: int, high: int, frac_bits: int) -> FixedVariable:
    """Return an input that takes the codes ``low`` to ``high``, of value ``code * 2**-frac_bits``."""
    step = Decimal(2) ** -frac_bits
    return FixedVariable(low * step, high * step, step, hwconf=HARDWARE)


def fraction_bits(v: FixedVariable) -> int:
    """Return the fraction bits of a variable's step."""
    return -round(math.log2(v.step))


def absolute(v: FixedVariable) -> FixedVariable:
    """Return the absolute value; da4ml's own negates twice."""
    if v.low >= 0:
        return v
    interval = (0.0, float(max(-v.low, v.high)), float(v.step))
    return (~_sign(v)).msb_mux(v, -v, interval)


def quantize(v: FixedVariable, target: FixedType) -> FixedVariable:
    """Bring a variable into a type with the type's rounding and overflow.

    Args:
        v: Any da4ml variable.
        target: Type of the result.

    Returns:
        A variable whose values are ``target.convert`` of the input's, exactly.
    """
    if v.low == v.high:
        return constant(float(target.decode(target.encode(float(v.low)))))
    return _overflow(_round(v, target.frac_bits, target.rounding), target)


def _round(v: FixedVariable, frac_bits: int, rounding: Rounding) -> FixedVariable:
    if fraction_bits(v) <= frac_bits:
        return v
    lsb, eps = 2.0**-frac_bits, float(v.step)
    if rounding is Rounding.RND_CONV:
        return _round_half_to_even(v + lsb / 2, frac_bits)
    not_negative, negative = {
        Rounding.TRN: (0.0, 0.0),
        Rounding.RND: (lsb / 2, lsb / 2),
        Rounding.RND_MIN_INF: (lsb / 2 - eps, lsb / 2 - eps),
        Rounding.TRN_ZERO: (0.0, lsb - eps),
        Rounding.RND_INF: (lsb / 2, lsb / 2 - eps),
        Rounding.RND_ZERO: (lsb / 2 - eps, lsb / 2),
    }[rounding]
    shifted = v + not_negative
    if not_negative != negative and v.low < 0:
        shifted = v + _select(_sign(v), constant(negative), constant(not_negative))
    return _floor(shifted, frac_bits)


def _sign(v: FixedVariable) -> FixedVariable:
    """Return the sign bit as an unsigned one-bit variable."""
    return v.is_negative()


def _floor(v: FixedVariable, frac_bits: int) -> FixedVariable:
    """Drop the fraction bits below ``frac_bits``, keeping every integer bit."""
    if v.low == v.high:
        code = math.floor(v.low * Decimal(2) ** frac_bits)
        return constant(math.ldexp(code, -frac_bits))
    signed, int_bits, _ = v.kif
    if signed + int_bits + frac_bits <= 0:
        return constant(0.0) if not signed else _tiny(v, frac_bits)
    return v.quantize(signed, int_bits, frac_bits)


def _tiny(v: FixedVariable, frac_bits: int) -> FixedVariable:
    """Floor of a value smaller than one count: minus one count when negative, else zero."""
    return _sign(v) * -(2.0**-frac_bits)


def _round_half_to_even(v: FixedVariable, frac_bits: int) -> FixedVariable:
    """Finish rounding of ``v`` (half a count already added): a tie clears the last bit."""
    up = _floor(v, frac_bits)
    even = _floor(v, frac_bits - 1)
    rest = v.quantize(0, -frac_bits, fraction_bits(v))
    if rest.low == rest.high:
        return even
    return _select(rest.unary_bit_op("any"), up, even)


def _overflow(v: FixedVariable, target: FixedType) -> FixedVariable:
    lsb = Decimal(2) ** -target.frac_bits
    low, high = target.min_code * lsb, target.max_code * lsb
    if target.overflow is Overflow.SAT_SYM and target.signed:
        low = -max(high, lsb)  # one bit has no symmetric limits and keeps -1, as in ap_fixed
    if low <= v.low and v.high <= high:
        return v
    if v.low == v.high:
        code = int(v.low / lsb)
        return constant(float(target.decode(target.wrap_or_saturate(code))))
    match target.overflow:
        case Overflow.WRAP:
            return v.quantize(target.signed, target.int_bits, target.frac_bits)
        case Overflow.SAT_ZERO:
            return _clamp(v, target, Decimal(0), Decimal(0))
        case _:
            return _clamp(v, target, low, high)


def _clamp(v: FixedVariable, target: FixedType, below: Decimal, above: Decimal) -> FixedVariable:
    """Replace values under the range by ``below`` and over it by ``above``.

    A value fits when all bits above the type's equal the sign bit: none of them is set, or all of
    them for a negative value.
    """
    lsb = Decimal(2) ** -target.frac_bits
    inside = v.quantize(target.signed, target.int_bits, target.frac_bits)
    if below > target.min_code * lsb and target.overflow is Overflow.SAT_SYM:
        inside = inside.max_of(below)  # symmetric: the lowest code is not a value
    high, low = constant(float(above)), constant(float(below))
    not_negative = inside
    if v.high > target.max_code * lsb:
        not_negative = _select(_upper_bits(v, target).unary_bit_op("any"), high, inside)
    if v.low >= 0:
        return not_negative
    negative = low
    if target.signed:
        fits = _upper_bits(v, target).unary_bit_op("all")
        negative = _select(fits, inside, low) if v.low < target.min_code * lsb else inside
    return _select(_sign(v), negative, not_negative)


def _upper_bits(v: FixedVariable, target: FixedType) -> FixedVariable:
    """Return the bits of a variable above those of a type, its sign among them."""
    signed, own_bits, _ = v.kif
    return v.quantize(signed, max(own_bits, target.int_bits), -target.int_bits)


def _select(bit: FixedVariable, one: FixedVariable, zero: FixedVariable) -> FixedVariable:
    """Return ``one`` where ``bit`` is set, else ``zero``.

    The bit goes through an inverter (free in a LUT): without it da4ml takes the top bit of the
    bit's source for the choice, and its C++ interpreter (0.6.0) then misreads unsigned sources of
    more than two bits.
    """
    if bit.low == bit.high:
        return one if bit.low else zero
    return (~bit).msb_mux(zero, one)


def look_up(
    v: FixedVariable, table: npt.NDArray[np.int64], source: FixedType, out: FixedType
) -> FixedVariable:
    """Look a variable up in a table of integer codes.

    Args:
        v: Variable within ``source``.
        table: One code of ``out`` for every code of ``source``, lowest first.
        source: Type of the index.
        out: Type of the entries.
    """
    return look_up_values(v, out.decode(table), source)


def look_up_values(
    v: FixedVariable, values: npt.NDArray[np.float64], source: FixedType
) -> FixedVariable:
    """Look a variable up in a table of values.

    Args:
        v: Variable within ``source``.
        values: One value for every code of ``source``, lowest first.
        source: Type of the index.
    """
    scale = Decimal(2) ** source.frac_bits
    first, last = (int(x * scale) - source.min_code for x in (v.low, v.high))
    chosen = values[first : last + 1 : max(1, int(v.step * scale))]
    if np.all(chosen == chosen[0]):
        return constant(float(chosen[0]))
    return v.lookup(chosen)


def multiply(a: FixedVariable, b: FixedVariable) -> FixedVariable:
    """Multiply two variables by adding shifted copies, so that pipeline registers fit between.

    da4ml's own product is one operation that no register can cut.
    """
    if a.low == a.high:
        return b * float(a.low)
    if b.low == b.high:
        return a * float(b.low)
    if sum(a.kif) < sum(b.kif):
        a, b = b, a
    signed, int_bits, frac_bits = b.kif
    terms = []
    for bit in range(-frac_bits, int_bits):
        chosen = b.quantize(0, bit + 1, -bit) * 2.0**-bit  # one bit as 0 or 1
        terms.append(_select(chosen, a * 2.0**bit, constant(0.0)))
    if signed:
        terms.append(-_select(_sign(b), a * 2.0**int_bits, constant(0.0)))
    while len(terms) > 1:
        pairs = [x + y for x, y in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(pairs) * 2 :]
    product: FixedVariable = terms[0]
    return product
