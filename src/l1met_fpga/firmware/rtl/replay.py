"""Evaluate da4ml's operations in 64-bit integers, for logic that da4ml's interpreter gets wrong.

The C++ interpreter of da4ml 0.6 computes in 32 bits: a quantization of a wider number gives another
result, without a message, while the generated Verilog is right. The meaning of each operation is
that of ``da4ml.types.CombLogic.__call__``; here whole arrays of codes go through at once.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from da4ml.types import CombLogic, Op, QInterval, minimal_kif

from l1met_fpga.errors import ConversionError

__all__ = ["INTERPRETER_BITS", "replay", "widest"]

IntArray = npt.NDArray[np.int64]

INTERPRETER_BITS: Final = 32
"""Widest number that da4ml's interpreter computes right."""
_MAX_BITS: Final = 62


def widest(logic: CombLogic) -> int:
    """Return the bits of the widest number in a piece of logic."""
    return max((sum(minimal_kif(op.qint)) for op in logic.ops), default=0)


def replay(logic: CombLogic, codes: IntArray, frac_bits: list[int]) -> tuple[IntArray, list[int]]:
    """Evaluate integer codes.

    Args:
        logic: Traced logic.
        codes: Input codes, shape (n, number of inputs).
        frac_bits: Fraction bits of each input.

    Returns:
        Output codes, shape (n, number of outputs), and the fraction bits of each output.

    Raises:
        ConversionError: If a number in the logic has more than 62 bits.
    """
    if widest(logic) > _MAX_BITS:
        raise ConversionError(
            f"the logic has numbers of {widest(logic)} bits, at most {_MAX_BITS} can be evaluated; "
            "make the types of the network narrower"
        )
    values: list[IntArray] = []
    for op in logic.ops:
        if op.opcode == -1:
            shift = _frac(op.qint) - frac_bits[op.id0] + int(logic.inp_shifts[op.id0])
            values.append(_shifted(codes[:, op.id0], shift))
        else:
            values.append(_OPERATIONS[abs(op.opcode)](logic, op, values))
    outputs, fractions = [], []
    for index, shift, negative in zip(
        logic.out_idxs, logic.out_shifts, logic.out_negs, strict=True
    ):
        if index < 0:
            outputs.append(np.zeros(len(codes), np.int64))
            fractions.append(0)
            continue
        outputs.append(np.broadcast_to(-values[index] if negative else values[index], len(codes)))
        fractions.append(_frac(logic.ops[index].qint) - int(shift))
    return np.stack(outputs, axis=1), fractions


def _frac(interval: QInterval) -> int:
    return int(minimal_kif(interval).fractional)


def _shifted(codes: IntArray, left: int) -> IntArray:
    """Multiply codes by ``2**left``, rounding down."""
    shifted: IntArray = codes << left if left >= 0 else codes >> -left
    return shifted


def _wrapped(codes: IntArray, interval: QInterval) -> IntArray:
    """Keep the bits of an interval's own type, as hardware does."""
    signed, integers, fraction = minimal_kif(interval)
    n_bits = int(signed) + integers + fraction
    low = -(1 << (n_bits - 1)) if signed else 0
    wrapped: IntArray = ((codes - low) & ((1 << n_bits) - 1)) + low
    return wrapped


def _signed32(bits: int) -> int:
    """Read the lowest 32 bits as a signed number, as da4ml packs shifts."""
    return ((bits & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def _operand(
    logic: CombLogic, op: Op, index: int, values: list[IntArray], left: int = 0
) -> IntArray:
    """Return an operand times ``2**left``, with the fraction bits of the result."""
    fraction = _frac(logic.ops[index].qint)
    return _shifted(values[index], _frac(op.qint) - fraction + left)


def _add(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    a = _operand(logic, op, op.id0, values)
    b = _operand(logic, op, op.id1, values, int(op.data))
    return a + b if op.opcode == 0 else a - b


def _negated(op: Op, codes: IntArray) -> IntArray:
    return -codes if op.opcode < 0 else codes


def _relu(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    codes = np.maximum(_negated(op, values[op.id0]), 0)
    shift = _frac(op.qint) - _frac(logic.ops[op.id0].qint)
    return _wrapped(_shifted(codes, shift), op.qint)


def _quantize(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    shift = _frac(op.qint) - _frac(logic.ops[op.id0].qint)
    return _wrapped(_shifted(_negated(op, values[op.id0]), shift), op.qint)


def _add_constant(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    return _operand(logic, op, op.id0, values) + int(op.data)


def _constant(_logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    n = len(values[0]) if values else 1
    return np.full(n, int(op.data), np.int64)


def _mux(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    """Choose by the highest bit of a third number."""
    chooser = int(op.data) & 0xFFFFFFFF
    signed, integers, fraction = minimal_kif(logic.ops[chooser].qint)
    code = values[chooser]
    highest = code < 0 if signed else code >= 1 << max(integers + fraction - 1, 0)
    other = _operand(logic, op, op.id1, values, _signed32(int(op.data) >> 32))
    return np.where(highest, _operand(logic, op, op.id0, values), _negated(op, other))


def _product(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    fraction = sum(_frac(logic.ops[i].qint) for i in (op.id0, op.id1))
    return _shifted(values[op.id0] * values[op.id1], _frac(op.qint) - fraction)


def _look_up(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    if logic.lookup_tables is None:
        raise ConversionError("the logic looks up a table that it does not have")
    table = logic.lookup_tables[int(op.data)]
    interval = logic.ops[op.id0].qint
    entries = _wrapped(table.table.astype(np.int64), table.spec.out_qint)
    index = values[op.id0] - round(interval.min / interval.step)
    return _shifted(entries[index], _frac(op.qint) - _frac(table.spec.out_qint))


def _unary_bits(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    """Not, any, all."""
    code, interval = _negated(op, values[op.id0]), logic.ops[op.id0].qint
    signed, integers, fraction = minimal_kif(interval)
    n_bits = max(1, int(signed) + integers + fraction)
    if op.data == 0:
        return _wrapped(~code & ((1 << n_bits) - 1), op.qint)
    all_set = -1 if signed else (1 << n_bits) - 1
    bit: IntArray = (code != 0 if op.data == 1 else code == all_set).astype(np.int64)
    return bit  # one wire: its code is 1 whatever its step


def _binary_bits(logic: CombLogic, op: Op, values: list[IntArray]) -> IntArray:
    """And, or, exclusive or, of numbers brought to the finer step of the two."""
    data = int(op.data)
    shift = _signed32(data)
    fractions = _frac(logic.ops[op.id0].qint), _frac(logic.ops[op.id1].qint) - shift
    finest = max(fractions)
    a, b = (
        _shifted(-values[i] if data >> (32 + k) & 1 else values[i], finest - fractions[k])
        for k, i in enumerate((op.id0, op.id1))
    )
    both = (np.bitwise_and, np.bitwise_or, np.bitwise_xor)[data >> 56 & 0xFF](a, b)
    return _wrapped(both, op.qint)


_OPERATIONS: Final[dict[int, Callable[[CombLogic, Op, list[IntArray]], IntArray]]] = {
    0: _add,
    1: _add,
    2: _relu,
    3: _quantize,
    4: _add_constant,
    5: _constant,
    6: _mux,
    7: _product,
    8: _look_up,
    9: _unary_bits,
    10: _binary_bits,
}
