"""A traced piece of combinational logic with integer ports, cut into pipeline stages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from da4ml.trace import FixedVariable, comb_trace
from da4ml.types import CombLogic, Pipeline, QInterval, minimal_kif

from l1met_fpga.firmware.rtl.count import luts_of_operations
from l1met_fpga.firmware.rtl.owners import Marks, owners_of
from l1met_fpga.firmware.rtl.primitives import constant, variable
from l1met_fpga.firmware.rtl.replay import INTERPRETER_BITS, replay, widest
from l1met_fpga.firmware.rtl.schedule import Clock, pipeline

__all__ = ["Block", "Port", "trace"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Port:
    """A bundle of wires that carries one integer code.

    Attributes:
        low: Smallest code.
        high: Largest code.
        frac_bits: The value is ``code * 2**-frac_bits``.
    """

    low: int
    high: int
    frac_bits: int

    @property
    def signed(self) -> bool:
        """Whether negative codes occur."""
        return self.low < 0

    @property
    def width(self) -> int:
        """Wires; 0 for a port that is always zero."""
        positive = self.high.bit_length() if self.high > 0 else 0
        negative = (-self.low - 1).bit_length() if self.low < 0 else 0
        return max(positive, negative) + int(self.signed)

    @property
    def signed_width(self) -> int:
        """Wires once a sign is always there."""
        return max(1, self.width + int(not self.signed))

    def times(self, other: "Port") -> "Port":
        """Port of the product."""
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Port(min(corners), max(corners), self.frac_bits + other.frac_bits)

    def sum_of(self, n: int, *, or_none: bool = False) -> "Port":
        """Port of a sum of ``n`` such codes, each of which may be missing if ``or_none``."""
        low, high = self.low * n, self.high * n
        if or_none:
            low, high = min(low, 0), max(high, 0)
        return Port(low, high, self.frac_bits)

    def as_variable(self) -> FixedVariable:
        """da4ml input with this port's codes."""
        return variable(self.low, self.high, self.frac_bits)

    @classmethod
    def of(cls, interval: QInterval) -> "Port":
        """Port as da4ml's code generator lays it out."""
        low, high, step = interval
        if low == high == 0:
            return cls(0, 0, 0)
        frac_bits = minimal_kif(interval).fractional
        return cls(round(low / step), round(high / step), frac_bits)


@dataclass(frozen=True)
class Block:
    """Combinational logic and its pipeline.

    Attributes:
        name: Module name.
        comb: The logic, all in one clock.
        pipeline: The same in stages; a register stands between stages.
        inputs: Ports, lowest bits of the input bus first.
        outputs: Ports, lowest bits of the output bus first.
        owners: Node that each operation of ``comb`` belongs to, where it was asked for.
    """

    name: str
    comb: CombLogic
    pipeline: Pipeline
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    owners: tuple[str, ...] = ()

    @property
    def n_stages(self) -> int:
        """Stages of logic; with registers at both ends the latency is one clock more."""
        return len(self.pipeline.solutions)

    @cached_property
    def lut_estimate(self) -> float:
        """LUTs, counted operation by operation."""
        return sum(luts_of_operations(self.comb))

    @property
    def luts_by_node(self) -> dict[str, float]:
        """The same by the node that an operation belongs to."""
        found: defaultdict[str, float] = defaultdict(float)
        for owner, luts in zip(self.owners, luts_of_operations(self.comb), strict=True):
            found[owner] += luts
        return dict(found)

    @cached_property
    def used_inputs(self) -> tuple[bool, ...]:
        """Which inputs the logic reads."""
        return tuple(port.width > 0 for port in self.inputs)

    @cached_property
    def widest_bits(self) -> int:
        """Bits of the widest number between inputs and outputs."""
        return widest(self.comb)

    def run(self, codes: IntArray) -> IntArray:
        """Evaluate integer codes with da4ml's interpreter, or exactly where that is too narrow.

        Args:
            codes: Input codes, shape (n, number of inputs).

        Returns:
            Output codes, shape (n, number of outputs).
        """
        if self.widest_bits > INTERPRETER_BITS:
            found, frac_bits = replay(self.comb, codes, [p.frac_bits for p in self.inputs])
            shifts = [p.frac_bits - f for p, f in zip(self.outputs, frac_bits, strict=True)]
            return np.where(
                np.array(shifts) < 0,
                found >> np.maximum(np.negative(shifts), 0),
                found << np.maximum(shifts, 0),
            )
        scale_in = np.array([2.0**-p.frac_bits for p in self.inputs])
        scale_out = np.array([2.0**p.frac_bits for p in self.outputs])
        values = np.ascontiguousarray(codes * scale_in)
        result = self.comb.predict(values).reshape(len(codes), -1) * scale_out
        rounded: IntArray = np.rint(result).astype(np.int64)
        return rounded


def trace(
    name: str,
    inputs: Sequence[FixedVariable],
    outputs: Sequence[FixedVariable],
    *,
    clock: Clock,
    marks: Marks | None = None,
) -> Block:
    """Turn traced variables into a block.

    Args:
        name: Module name.
        inputs: Input variables.
        outputs: Variables to give out.
        clock: What fits between two registers.
        marks: Variables of each node, in order; says which node an operation belongs to.
    """
    given = [v if v.high > v.low else constant(v.low) for v in outputs]
    comb = comb_trace(list(inputs), given)
    stages = pipeline(comb, clock)
    return Block(
        name,
        comb,
        stages,
        tuple(Port.of(q) for q in stages.inp_qint),
        tuple(Port.of(q) for q in stages.out_qint),
        () if marks is None else owners_of(comb, inputs, given, marks),
    )
