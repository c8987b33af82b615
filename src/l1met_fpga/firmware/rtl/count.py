"""LUTs of traced logic, counted as a synthesis would."""

from collections import Counter
from typing import Final

from da4ml.codegen.rtl.verilog.comb import gen_memfile
from da4ml.types import CombLogic, Op

from l1met_fpga.firmware.rtl import fusion
from l1met_fpga.firmware.rtl.fusion import chain_luts, operands, sources, width_of

__all__ = ["luts_of_operations"]

MASKS_IN_LUTS: Final = 0.33
"""Part of masks and multiplexers that needs a LUT; set and reset pins of registers are the others
(in the mean of the shipped networks)."""
_LUT_INPUTS: Final = 6
_LUT_ENTRIES: Final = 1 << _LUT_INPUTS


def luts_of_operations(comb: CombLogic) -> list[float]:
    """Count the LUTs of each operation of a block; their sum is what the block needs.

    Adders take what stands in front of their carry chains. A mask or multiplexer takes one LUT per
    bit, unless its only reader is another one or a plain adder, whose LUTs hold it too. Tables take
    one LUT per 64 entries and bit; equal bits of tables of one number are there once, at
    the first of them.
    """
    pairs = fusion.three_operand(comb)
    inner = set(pairs.values())
    uses = Counter(source for op in comb.ops for source in sources(op))
    uses.update(i for i in comb.out_idxs if i >= 0)
    reader = {j: i for i, op in enumerate(comb.ops) for j in sources(op)}

    def held_by_its_reader(i: int) -> bool:
        if uses[i] != 1 or i not in reader:
            return False
        user = reader[i]
        plain = comb.ops[user].opcode in (0, 1, 4) and user not in pairs and user not in inner
        return plain or abs(comb.ops[user].opcode) in (2, 6)

    luts, seen = [0.0] * len(comb.ops), set[tuple[int, tuple[int, ...]]]()
    for i, op in enumerate(comb.ops):
        if op.opcode in (0, 1, 4):
            if i not in inner:
                luts[i] = chain_luts(comb, operands(comb, i, pairs.get(i)), width_of(op))
        elif op.opcode == 8:
            if not held_by_its_reader(i):
                new = _columns(comb, op) - seen
                luts[i] = sum(-(-len(bits) // _LUT_ENTRIES) for _, bits in new)
                seen |= new
        elif abs(op.opcode) in (2, 3, 6):
            luts[i] = _gates(comb, op, held=held_by_its_reader(i))
        elif op.opcode in (9, -9) and op.data:
            luts[i] = -(-(width_of(comb.ops[op.id0]) - 2) // (_LUT_INPUTS - 1))
    return luts


def _gates(comb: CombLogic, op: Op, *, held: bool) -> float:
    """LUTs of a mask, a multiplexer or a cut, and of the negation in front of it."""
    inputs = {2: op.id0, 3: op.id0, 6: op.id1}
    negation = width_of(comb.ops[inputs[-op.opcode]]) if op.opcode < 0 else 0
    masks = abs(op.opcode) == 6 or (op.opcode == 2 and comb.ops[op.id0].qint.min < 0)
    return negation + (MASKS_IN_LUTS * width_of(op) if masks and not held else 0.0)


def _columns(comb: CombLogic, op: Op) -> set[tuple[int, tuple[int, ...]]]:
    """Bits of a table that are not constant, as functions of the number that it reads."""
    entries = [int(x, 16) if "X" not in x else 0 for x in gen_memfile(comb, op).split()]
    bits = (tuple(x >> k & 1 for x in entries) for k in range(width_of(op)))
    return {(op.id0, column) for column in bits if len(set(column)) > 1}
