"""Quantizers of QONNX as steps, with the numbers of its own executor."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.importing.qonnx_reader import Node, Reader
from l1met_fpga.models.importing.steps import Affine, Quantize, Table, floats, rows

__all__ = ["bipolar", "quant"]

FloatArray = npt.NDArray[np.float64]

ROUNDINGS: Final = {
    "ROUND": Rounding.RND_CONV,
    "HALF_EVEN": Rounding.RND_CONV,
    "FLOOR": Rounding.TRN,
    "DOWN": Rounding.TRN_ZERO,
    "HALF_UP": Rounding.RND_INF,
    "HALF_DOWN": Rounding.RND_ZERO,
}
"""Rounding of QONNX by name; the halves are away from zero and towards it."""
TABLE_BITS: Final = 12
MOST_BITS: Final = 32


def bipolar(reader: Reader, node: Node) -> None:
    """-1 below zero, else +1, times a scale."""
    frac_bits = _scale_bits(node, reader.constant(node, 1))
    n = reader.channels(node.inputs[0])
    _one_bit(reader, node, reader.name_of(node.inputs[0]), reader.per_channel(node, frac_bits, n))


def _one_bit(reader: Reader, node: Node, source: str, frac_bits: FloatArray) -> None:
    """One signed bit is {-1, 0} in a fixed-point type; twice that plus one count is {-1, +1}."""
    types = tuple(FixedType(True, -int(f), int(f), Rounding.TRN, Overflow.SAT) for f in frac_bits)
    sign = f"{node.output}/sign"
    reader.add(Quantize(name=sign, inputs=(source,), types=types))
    kernel = np.diag(np.full(len(frac_bits), 2.0))
    reader.add(
        Affine(name=node.output, inputs=(sign,), kernel=rows(kernel), bias=floats(2.0**-frac_bits))
    )


def quant(reader: Reader, node: Node) -> None:
    """Clamp and round ``x / scale + zero``, take the zero point and the scale away again."""
    node.require(signed=(0, 1), narrow=(0, 1), rounding_mode=())
    tensor = node.inputs[0]
    n = reader.channels(tensor)
    signed, narrow = bool(node.attributes["signed"]), bool(node.attributes["narrow"])
    bits = _bit_width(reader, node)
    scales = _scale_bits(node, reader.constant(node, 1))
    frac_bits = reader.per_channel(node, scales, n)
    zero = reader.per_channel(node, reader.constant(node, 2), n)
    if (zero != np.round(zero)).any():
        raise ConversionError(f"{node.where}: zero point {zero.flat[0]} is no integer")
    source, target = reader.name_of(tensor), node
    if zero.any():
        source = _shifted(reader, f"{node.output}/in", source, zero * 2.0**-frac_bits)
        target = Node(node.kind, node.where, node.inputs, f"{node.output}/q", node.attributes)
    if bits == 1 and signed:
        _one_bit(reader, target, source, frac_bits)
    else:
        _quantize(reader, target, source, frac_bits, bits, signed=signed, narrow=narrow)
    if zero.any():
        _shifted(reader, node.output, target.output, -zero * 2.0**-frac_bits)


def _quantize(
    reader: Reader,
    node: Node,
    source: str,
    frac_bits: FloatArray,
    bits: int,
    *,
    signed: bool,
    narrow: bool,
) -> None:
    rounding = _rounding(node)
    overflow = Overflow.SAT_SYM if signed and narrow else Overflow.SAT
    types = tuple(
        FixedType(signed, bits - signed - int(f), int(f), rounding, overflow) for f in frac_bits
    )
    if signed or not narrow:
        reader.add(Quantize(name=node.output, inputs=(source,), types=types))
        return
    if len(set(types)) > 1 or bits > TABLE_BITS or bits < 2:
        raise ConversionError(
            f"{node.where}: narrow=1 without a sign is supported with one scale and 2 to {TABLE_BITS} "
            f"bits, got {bits}"
        )
    wide = f"{node.output}/wide"  # the largest code does not occur: a table takes it away
    reader.add(Quantize(name=wide, inputs=(source,), types=types[:1]))
    codes = np.minimum(np.arange(types[0].max_code + 1), types[0].max_code - 1)
    looked_up, values = f"{node.output}/narrow", floats(types[0].decode(codes))
    reader.add(Table(name=looked_up, inputs=(wide,), type=types[0], values=values))
    reader.add(Quantize(name=node.output, inputs=(looked_up,), types=types[:1]))


def _rounding(node: Node) -> Rounding:
    mode = str(node.attributes.get("rounding_mode", "ROUND")).upper()
    if mode not in ROUNDINGS:
        raise ConversionError(
            f"{node.where}: rounding_mode={mode} is not supported; use one of {', '.join(ROUNDINGS)}"
        )
    return ROUNDINGS[mode]


def _shifted(reader: Reader, name: str, source: str, shift: FloatArray) -> str:
    kernel = rows(np.eye(len(shift)))
    reader.add(Affine(name=name, inputs=(source,), kernel=kernel, bias=floats(shift)))
    return name


def _bit_width(reader: Reader, node: Node) -> int:
    given = reader.constant(node, 3)
    width = float(given.flat[0])
    if given.size != 1 or width != round(width) or not 1 <= width <= MOST_BITS:
        raise ConversionError(
            f"{node.where}: bit width {given.ravel().tolist()} is not supported; it must be one "
            f"integer from 1 to {MOST_BITS}"
        )
    return int(width)


def _scale_bits(node: Node, scale: FloatArray) -> FloatArray:
    """Fraction bits of scales.

    Raises:
        ConversionError: If one is no power of two.
    """
    mantissa, exponent = np.frexp(scale)
    if (mantissa != 0.5).any():
        wrong = scale[mantissa != 0.5].flat[0] if scale.ndim else scale
        raise ConversionError(
            f"{node.where}: scale {float(wrong):g} is no power of two; train with scales that are"
        )
    result: FloatArray = 1.0 - exponent
    return result
