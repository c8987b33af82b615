"""Cut traced logic into pipeline stages by what a clock period holds.

da4ml counts adders only; here every operation has the delay that the static timing would give it
(:mod:`delays`), bit by bit: low bits of a sum are early, wires cost nothing, a mask or a
multiplexer disappears in the LUT behind it, and two adders that become one of three operands
stay together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from da4ml.trace import to_pipeline
from da4ml.types import CombLogic, Pipeline, minimal_kif

from l1met_fpga.firmware.rtl import delays, fusion
from l1met_fpga.firmware.rtl.bit_loads import bit_loads
from l1met_fpga.firmware.rtl.carry import FloatArray, carry_chain
from l1met_fpga.firmware.rtl.delays import NetDelay
from l1met_fpga.firmware.rtl.fusion import sources, width_of

__all__ = ["Clock", "pipeline"]

_ZERO: Final = -1
"""A bit that never changes."""
_LUT_INPUTS: Final = 5
_NEVER: Final = -1e9
_SHARED: Final = 16
"""Loads of one LUT of a wide gate: a synthesis shares it between gates."""
_BALANCE_STEPS: Final = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """What a stage may take.

    Attributes:
        period_ps: Clock period.
        net: Delay of a net by its fan-out.
        adders: Longest chain of adders in a stage (one of three operands counts once).
        start_ps: When the block's inputs are there after the clock.
    """

    period_ps: float
    net: NetDelay
    adders: float
    start_ps: float = delays.FF_CLOCK_TO_OUT


def pipeline(comb: CombLogic, clock: Clock) -> Pipeline:
    """Cut logic into as few stages as the clock allows, and spread the delay over them.

    Args:
        comb: Traced logic.
        clock: What a stage may take.
    """
    best = _Schedule(comb, clock).stages
    shortest, longest = 0.0, clock.period_ps
    for _ in range(_BALANCE_STEPS):  # the shortest period that needs no more stages
        tried = (shortest + longest) / 2
        stages = _Schedule(
            comb, Clock(tried, clock.net, clock.adders, clock.start_ps), at_most=max(best)
        ).stages
        if stages and max(stages) <= max(best):
            best, longest = stages, tried
        else:
            shortest = tried
    timed = comb._replace(
        ops=[op._replace(latency=s + 0.5) for op, s in zip(comb.ops, best, strict=True)]
    )
    return to_pipeline(timed, 1, retiming=False, verbose=False)


@dataclass(slots=True)
class _Node:
    """One bit.

    Attributes:
        stage: Where it is made.
        ps: When it is there after the clock that begins the stage.
        leaves: What the LUT that makes it reads; empty for bits of sums.
        adders: Adders before it in its stage, itself included.
    """

    stage: int
    ps: float
    leaves: tuple[int, ...] = ()
    adders: int = 0


class _Schedule:
    """Stage of every operation, as early as the clock allows."""

    def __init__(self, comb: CombLogic, clock: Clock, at_most: int | None = None):
        self.comb, self.clock = comb, clock
        self.limit = clock.period_ps - delays.CLOCK_UNCERTAINTY - delays.FF_SETUP - delays.LUT_TO_FF
        self.pairs = fusion.three_operand(comb)
        self.nodes: list[_Node] = []
        self.bits: list[list[int]] = []
        self.loads = bit_loads(comb, self.pairs)
        self.node_loads: list[int] = []
        self.stages: list[int] = []
        inner = set(self.pairs.values())
        for i in range(len(comb.ops)):
            if i in inner:
                self.stages.append(-1)
                self.bits.append([])
                continue
            self.stages.append(self._place(i))
            if at_most is not None and self.stages[-1] > at_most:
                self.stages = []
                return
        self._finish()

    def _finish(self) -> None:
        """Inner adders stay with their outer ones, constants and inverters with what reads them."""
        ops = self.comb.ops
        for outer, inner in self.pairs.items():
            self.stages[inner] = self.stages[outer]
        last = max(self.stages)
        moved = {i for i, op in enumerate(ops) if op.opcode == 5 or (op.opcode, op.data) == (9, 0)}
        for i in moved:
            self.stages[i] = last
        for i in range(len(ops) - 1, -1, -1):
            for j in moved.intersection(sources(ops[i])):
                self.stages[j] = min(self.stages[j], self.stages[i])

    # -- placing one operation --------------------------------------------------------------------

    def _place(self, i: int) -> int:
        op = self.comb.ops[i]
        inner = self.pairs.get(i)
        read = [*sources(op), *(() if inner is None else sources(self.comb.ops[inner]))]
        stage = max((self.stages[j] for j in read if j != inner), default=0)
        for tried in (stage, stage + 1):
            made, done = self._made(i, tried)
            if done or tried > stage:
                break
        first = len(self.nodes)
        fresh = [node for node in made if isinstance(node, _Node)]
        self.nodes += fresh
        self.node_loads += [self.loads[i][k] for k, n in enumerate(made) if isinstance(n, _Node)]
        numbers = iter(range(first, len(self.nodes)))
        self.bits.append([next(numbers) if isinstance(n, _Node) else n for n in made])
        return tried

    def _made(self, i: int, stage: int) -> tuple[list["_Node | int"], bool]:
        """Bits of an operation made in a stage, and whether that fits."""
        made = self._bits(i, stage)
        fresh = [n for n in made if isinstance(n, _Node)]
        late = max((n.ps for n in fresh), default=0.0)
        deep = max((n.adders for n in fresh), default=0)
        return made, late <= self.limit and deep <= self.clock.adders

    def _bits(self, i: int, stage: int) -> list["_Node | int"]:
        op, width = self.comb.ops[i], width_of(self.comb.ops[i])
        match op.opcode:
            case -1:
                return [_Node(0, self.clock.start_ps) for _ in range(width)]
            case 5:
                return [_ZERO] * width
            case 0 | 1 | 4:
                return self._sum(i, stage)
            case -3 | -2:
                return self._negative_cut(op.id0, i, stage)
            case 3:
                return list(self._cut(self.bits[op.id0], op.id0, i))
            case 9 if op.data == 0:  # an inverter is part of the LUT behind it
                return list(self.bits[op.id0])
            case _:
                return self._gates(i, stage)

    def _gates(self, i: int, stage: int) -> list["_Node | int"]:
        """Operations that are LUTs."""
        op, width = self.comb.ops[i], width_of(self.comb.ops[i])
        if op.opcode == 2:
            mask = [self.bits[op.id0][-1]] if self.comb.ops[op.id0].qint.min < 0 else []
            cut = self._cut(self.bits[op.id0], op.id0, i)
            return [self._lut([b, *mask], stage) for b in cut] if mask else list(cut)
        if abs(op.opcode) == 6:
            key = self.bits[op.data & 0xFFFFFFFF][-1]
            one, zero = (self._wide(self.bits[j], j, width) for j in (op.id0, op.id1))
            made = [self._lut([key, a, b], stage) for a, b in zip(one, zero, strict=True)]
            if op.opcode < 0:
                made = self._after(self._negative(op.id1, stage), made, stage)
            return made
        made_once = self._lut(self.bits[op.id0], stage)
        beyond = len(self.bits[op.id0]) - _LUT_INPUTS - 1
        if op.opcode == 8 and beyond > 0 and isinstance(made_once, _Node):
            # a table of more than six inputs: a level of LUTs for every further one
            made_once.ps += beyond * (self.clock.net(_SHARED) + delays.LUT_PINS[2])
        return [made_once] * width

    def _operand(self, term: fusion.Term, width: int) -> list[int]:
        if term.value < 0:
            return [_ZERO] * width
        bits = self.bits[term.value]
        sign = bits[-1] if bits and self.comb.ops[term.value].qint.min < 0 else _ZERO
        return ([_ZERO] * term.shift + bits + [sign] * width)[:width]

    def _wide(self, bits: list[int], i: int, width: int) -> list[int]:
        """A value in ``width`` bits; which bit is which matters little for its delay."""
        sign = bits[-1] if bits and self.comb.ops[i].qint.min < 0 else _ZERO
        return (bits + [sign] * width)[:width]

    def _cut(self, bits: list[int], source: int, i: int) -> list[int]:
        ops = self.comb.ops
        drop = minimal_kif(ops[source].qint).fractional - minimal_kif(ops[i].qint).fractional
        width = width_of(ops[i])
        sign = bits[-1] if bits and ops[source].qint.min < 0 else _ZERO
        padded = [_ZERO] * max(0, -drop) + bits[max(0, drop) :]
        return (padded + [sign] * width)[:width]

    def _negative_cut(self, source: int, i: int, stage: int) -> list["_Node | int"]:
        ops = self.comb.ops
        drop = minimal_kif(ops[source].qint).fractional - minimal_kif(ops[i].qint).fractional
        width = width_of(ops[i])
        made: list[_Node | int] = list(self._negative(source, stage))
        if ops[i].opcode == -2:
            made = self._after(made, made, stage)
        return (made + [made[-1]] * width)[drop : drop + width]

    def _negative(self, source: int, stage: int) -> list[_Node]:
        bits = self.bits[source]
        return self._chain([[b] for b in (*bits, bits[-1]) if b != _ZERO], stage)

    def _after(
        self, chain: Sequence["_Node | int"], made: Sequence["_Node | int"], stage: int
    ) -> list["_Node | int"]:
        """Bits made by LUTs behind a carry chain that has no number of its own yet."""
        nodes = [n for n in chain if isinstance(n, _Node)]
        late = max(n.ps for n in nodes) + self.clock.net(2) + delays.LUT_PINS[1]
        adders = max(n.adders for n in nodes)
        return [_Node(stage, late, (), adders) if isinstance(n, _Node) else n for n in made]

    # -- delays -----------------------------------------------------------------------------------

    def _at(self, bit: int, stage: int) -> float:
        """When a bit is there at the input of a LUT."""
        node = self.nodes[bit]
        ps = node.ps if node.stage == stage else float(delays.FF_CLOCK_TO_OUT)
        return ps + self.clock.net(self.node_loads[bit])

    def _leaves(self, bits: Iterable[int], stage: int) -> list[int]:
        """What a LUT reads when it takes in the LUTs before it that nothing else needs."""
        direct = list(dict.fromkeys(b for b in bits if b != _ZERO))
        leaves = list(direct)
        for bit in direct:
            node = self.nodes[bit]
            shared = len(node.leaves) > 1 and self.node_loads[bit] > 2
            if node.stage == stage and node.leaves and not shared:
                merged = dict.fromkeys(
                    x for b in leaves for x in (node.leaves if b == bit else (b,))
                )
                if len(merged) <= _LUT_INPUTS:
                    leaves = list(merged)
        return leaves

    def _lut(self, bits: Iterable[int], stage: int) -> "_Node | int":
        leaves = self._leaves(bits, stage)
        if not leaves:
            return _ZERO
        adders = max(self._adders(b, stage) for b in leaves)
        times = sorted((self._at(b, stage) for b in leaves), reverse=True)
        ps = delays.lut_delay(min(6, len(leaves)), times)
        if len(leaves) <= 6:
            return _Node(stage, ps, tuple(leaves), adders)
        # two levels: the second collects LUTs of six, whose outputs others share
        return _Node(stage, ps + self.clock.net(_SHARED) + delays.LUT_PINS[1], (), adders)

    def _adders(self, bit: int, stage: int) -> int:
        node = self.nodes[bit]
        return node.adders if node.stage == stage else 0

    def _sum(self, i: int, stage: int) -> list["_Node | int"]:
        """Bits of a sum of two or three operands."""
        terms = fusion.operands(self.comb, i, self.pairs.get(i))
        width = width_of(self.comb.ops[i])
        operands = [self._operand(t, width) for t in terms]
        low = min(width, fusion.chain_begins(terms))
        wires = operands[0][:low]
        columns = [[o[k] for o in operands if o[k] != _ZERO] for k in range(low, width)]
        return [*wires, *self._chain(columns, stage, three=len(operands) == 3)]

    def _chain(
        self, columns: Sequence[Sequence[int]], stage: int, *, three: bool = False
    ) -> list[_Node]:
        """Output bits of a carry chain that adds up columns of bits."""
        if not columns:
            return []
        adders = 1 + max((self._adders(b, stage) for c in columns for b in c), default=0)
        s, di = self._select_times(columns, stage, three=three)
        return [
            _Node(stage, float(ps) + delays.CARRY_TO_PIN, (), adders) for ps in carry_chain(s, di)
        ]

    def _select_times(
        self, columns: Sequence[Sequence[int]], stage: int, *, three: bool
    ) -> tuple[FloatArray, FloatArray]:
        """When the select and data inputs of each carry bit are there."""
        s, di = np.zeros(len(columns)), np.zeros(len(columns))
        below = _NEVER
        for k, column in enumerate(columns):
            direct = [self._at(b, stage) for b in column]
            if three:
                times = [*direct, below] if below > 0 else direct
                s[k] = delays.lut_delay(5, times) + delays.LUT_TO_CARRY
                di[k] = max(below, 0.0)
                majority = delays.lut_delay(5, direct, second_output=True)
                below = majority + delays.LUT_TO_MUX_PIN + self.clock.net(2)
            elif len(column) == 1:
                s[k] = direct[0] + delays.LUT_PINS[3] + delays.LUT_TO_CARRY
                di[k] = direct[0]
            elif column:
                leaves = [self._at(b, stage) for b in self._leaves(column, stage)]
                s[k] = delays.lut_delay(len(leaves), leaves) + delays.LUT_TO_CARRY
                di[k] = max(direct)
        return s, di
