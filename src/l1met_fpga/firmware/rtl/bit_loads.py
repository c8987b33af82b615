"""How many cells every bit of traced logic drives, before any synthesis."""

from collections.abc import Mapping

from da4ml.types import CombLogic, minimal_kif

from l1met_fpga.firmware.rtl import fusion
from l1met_fpga.firmware.rtl.fusion import width_of

__all__ = ["bit_loads"]


def bit_loads(comb: CombLogic, pairs: Mapping[int, int]) -> list[list[int]]:
    """Count the loads of every bit of every result, one for a register behind it included.

    Wires (cuts, inverters) pass the loads behind them on.

    Args:
        comb: The logic.
        pairs: Adders of three operands, as :func:`fusion.three_operand` gives them.
    """
    loads = [[1] * width_of(op) for op in comb.ops]
    inner = set(pairs.values())
    count = _Count(comb, pairs, loads)
    for i in range(len(comb.ops) - 1, -1, -1):
        if i not in inner:
            count.operation(i)
    return loads


class _Count:
    """Adds the loads that each operation is to what it reads."""

    def __init__(self, comb: CombLogic, pairs: Mapping[int, int], loads: list[list[int]]):
        self.comb, self.pairs, self.loads = comb, pairs, loads

    def add(self, source: int, bit: int, n: int) -> None:
        """Load a bit; one above the top is the sign, one below the lowest a zero."""
        bits = self.loads[source]
        if bits and bit >= 0 and (bit < len(bits) or self.comb.ops[source].qint.min < 0):
            bits[min(bit, len(bits) - 1)] += n

    def operation(self, i: int) -> None:
        op, width = self.comb.ops[i], len(self.loads[i])
        match abs(op.opcode):
            case 0 | 4:
                self.sum(i)
            case 1 if op.opcode == 1:
                self.sum(i)
            case 2 | 3:
                self.cut(i)
            case 6:
                key = op.data & 0xFFFFFFFF
                self.add(key, len(self.loads[key]) - 1, width)
                for k in range(width):
                    self.add(op.id0, k, 1)
                    self.add(op.id1, k, 1)
            case 8 | 9:
                for k in range(len(self.loads[op.id0])):
                    inverter = (op.opcode, op.data) == (9, 0)
                    self.add(op.id0, k, self.loads[i][k] - 1 if inverter else width)

    def sum(self, i: int) -> None:
        """A two-operand adder reads one of its operands twice, in the LUT and in the chain."""
        terms = fusion.operands(self.comb, i, self.pairs.get(i))
        begins = fusion.chain_begins(terms)
        into_chain = next((t for t in terms if not t.negative and t.value >= 0), None)
        for term in (t for t in terms if t.value >= 0):
            each = 2 if len(terms) == 2 and term is into_chain else 1
            for k, beyond in enumerate(self.loads[i]):
                self.add(term.value, k - term.shift, each if k >= begins else beyond - 1)

    def cut(self, i: int) -> None:
        """Wires, a negation, or a mask by the sign."""
        op, own = self.comb.ops[i], self.loads[i]
        source = self.comb.ops[op.id0]
        drop = minimal_kif(source.qint).fractional - minimal_kif(op.qint).fractional
        for k, beyond in enumerate(own):
            self.add(op.id0, k + drop, beyond - 1 if op.opcode == 3 else 2)
        if op.opcode == 2 and source.qint.min < 0:
            self.add(op.id0, len(self.loads[op.id0]), len(own))
