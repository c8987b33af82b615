"""Resources counted from the design itself, before any synthesis.

da4ml's cost covers the traced logic; the rest (folding of phi, adder trees, accumulators, CORDIC)
is counted as one LUT per adder bit, which is what a carry chain takes.
"""

from dataclasses import dataclass
from typing import Final

from l1met_fpga.firmware.rtl.blocks import Port
from l1met_fpga.firmware.rtl.cordic import ITERATIONS, Cordic
from l1met_fpga.firmware.rtl.design import SUMMANDS_PER_STAGE, Design, Term

__all__ = ["EVIDENCE", "Estimate", "estimate", "sum_bits"]

EVIDENCE: Final = (
    "LUT estimate: da4ml's cost was 0.95 of Vivado's post-route LUTs in the mean of the 20 "
    "JEDI-linear designs on this device (arXiv:2508.15468, 36,000 to 296,000 LUTs), with a mean "
    "absolute error of 5.3 % and at most 11.7 %; those designs hold da4ml logic only. "
    "Yosys maps every carry bit to a LUT of its own and packs no two LUTs into one site, so its "
    "count is an upper bound of what Vivado places; no published comparison covers adder trees. "
    "Flip-flops: da4ml's register bits were 41 % over Vivado's in the one published case. "
    "Clock: no open tool gives a timing for UltraScale+; two adders between registers reached 203 "
    "to 386 MHz in the same 20 designs (all larger than this one), so 360 MHz is likely but "
    "unproven until Vivado has placed and routed the design."
)
"""How far each figure can be trusted."""

_FOLD_BITS: Final = 11 + 11 + 10 + 10 + 9


@dataclass(frozen=True, slots=True)
class Estimate:
    """Counted resources.

    Attributes:
        lut_da4ml: da4ml's cost of all traced blocks.
        lut: The same and the adders around them.
        register_bits_da4ml: Pipeline registers of the traced blocks.
        dsp: Products.
    """

    lut_da4ml: float
    lut: float
    register_bits_da4ml: int
    dsp: int


def estimate(design: Design) -> Estimate:
    """Count a design."""
    lane_blocks = (design.phi, design.projection)
    event_blocks = tuple(b for b in design.blocks if b not in lane_blocks)
    da4ml = design.lanes * sum(b.lut_estimate for b in lane_blocks)
    da4ml += sum(b.lut_estimate for b in event_blocks)
    registers = design.lanes * sum(b.pipeline.reg_bits for b in lane_blocks)
    registers += sum(b.pipeline.reg_bits for b in event_blocks)
    terms = (*design.vector_terms, *design.event_terms)
    table_bits = max(design.momentum.quadrant_cos).bit_length() + 1
    lane_rest = _FOLD_BITS + 2 * table_bits
    tree, accumulators = sum_bits(design)
    cordic = Cordic(design.network.output.type)
    turns = ITERATIONS * (2 * cordic.width + cordic.angle_width) + 2 * cordic.width
    products = sum(t.kind != "scalar" for t in terms)
    combine = len(design.vector.outputs) if design.output is not None else 0
    return Estimate(
        lut_da4ml=da4ml,
        lut=da4ml + design.lanes * lane_rest + tree + accumulators + turns,
        register_bits_da4ml=registers,
        dsp=design.lanes * (2 + products) + combine + 1,
    )


def sum_bits(design: Design) -> tuple[int, int]:
    """Return the adder bits of the trees over lanes, and of the accumulators."""
    terms: tuple[Term, ...] = (*design.vector_terms, *design.event_terms)
    adds = design.lanes * design.beats
    tree = sum(_tree_bits(t.port, design.lanes)[0] for t in terms)
    return tree, sum(t.port.sum_of(adds, or_none=True).signed_width for t in terms)


def tree_register_bits(design: Design) -> int:
    """Return the flip-flops of the trees over lanes."""
    terms: tuple[Term, ...] = (*design.vector_terms, *design.event_terms)
    return sum(_tree_bits(t.port, design.lanes)[1] for t in terms)


def _tree_bits(port: Port, lanes: int) -> tuple[int, int]:
    """Adder bits and register bits of one tree."""
    sizes, adders, registers = [1] * lanes, 0, 0
    while len(sizes) > 1:
        groups = [
            sizes[i : i + SUMMANDS_PER_STAGE] for i in range(0, len(sizes), SUMMANDS_PER_STAGE)
        ]
        for group in groups:
            width = port.sum_of(sum(group), or_none=True).signed_width
            adders += width * (len(group) - 1)
            registers += width
        sizes = [sum(group) for group in groups]
    return adders, registers
