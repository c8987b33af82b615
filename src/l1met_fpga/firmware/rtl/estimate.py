"""Resources counted from the design itself, before any synthesis.

The traced logic is counted operation by operation (:mod:`count`), the rest (tables, adder trees,
accumulators, CORDIC) as one LUT per adder bit, which is what a carry chain takes.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.blocks import Port
from l1met_fpga.firmware.rtl.cordic import Cordic
from l1met_fpga.firmware.rtl.design import SUMMANDS_PER_STAGE, Design, Term, build_design
from l1met_fpga.firmware.rtl.scores import ScoreLogic
from l1met_fpga.models.network import Network

__all__ = ["AROUND", "EVIDENCE", "Estimate", "estimate", "luts_by_node", "luts_of", "sum_bits"]

EVIDENCE: Final = (
    "LUT counts of Yosys are mapped cells, each in a site of its own: an estimate of what Vivado "
    "places, +-15 %. Vivado packs pairs of small LUTs, but carry bits fed by a register need a LUT "
    "site as a way through, which Yosys does not count. The estimate before synthesis counts "
    "operations; it is within 10 % of Yosys for the shipped networks. Flip-flops are registers as "
    "written: those of products and operands lie in the DSP slices. Clock: static timing of the "
    "mapped netlist with RapidWright's UltraScale+ cell delays and net delays by fan-out; nothing "
    "is placed, so differences between paths are more certain than the clock itself, and no "
    "published design could be timed both ways to say its error."
)
"""How far each figure can be trusted."""

AROUND: Final = "around the nodes"
"""What :func:`luts_by_node` calls the rest."""
_LANE_LUTS: Final = 11 + 14
"""Address of the sine, PUPPI weight of charged candidates, taking."""
_PROTOCOL_LUTS: Final = 80


@dataclass(frozen=True, slots=True)
class Estimate:
    """Counted resources.

    Attributes:
        lut_traced: LUTs of all traced blocks.
        lut: The same and the adders around them.
        dsp: Products.
    """

    lut_traced: float
    lut: float
    dsp: int


def estimate(design: Design) -> Estimate:
    """Count a design."""
    lane_blocks = [b for b in (design.phi, design.projection) if b is not None]
    event_blocks = tuple(b for b in design.blocks if b not in lane_blocks)
    traced = design.lanes * sum(b.lut_estimate for b in lane_blocks)
    traced += sum(b.lut_estimate for b in event_blocks)
    terms = (*design.vector_terms, *design.event_terms)
    tree, accumulators = sum_bits(design)
    products = sum(t.kind != "scalar" for t in terms)
    combine = len(design.output.inputs) if design.output is not None else 0
    momenta = 0 if design.projection is None else 2
    return Estimate(
        lut_traced=traced,
        lut=traced + tree + accumulators + _around(design),
        dsp=design.lanes * (momenta + products)
        + combine
        + (design.cordic is not None)
        + sum(scores.n for scores in design.scores.values()),
    )


def luts_by_node(design: Design) -> dict[str, float]:
    """Return the LUTs of each node, those of its copies in the lanes together.

    What belongs to no node stands under :data:`AROUND`; the sum is that of :func:`estimate`.
    """
    found: defaultdict[str, float] = defaultdict(float, {AROUND: _around(design)})
    for block in design.blocks:
        copies = design.lanes if block in (design.phi, design.projection) else 1
        for node, luts in block.luts_by_node.items():
            found[node] += copies * luts
    for pool, terms in _terms_of_pools(design):
        found[pool] += sum(sum(_sum_bits(design, term)) for term in terms)
    return {name: luts for name, luts in found.items() if luts}


def _terms_of_pools(design: Design) -> Iterator[tuple[str, tuple[Term, ...]]]:
    """Yield each pool and what its accumulators add."""
    if design.parts.vector is not None:
        yield design.parts.vector.pool.name, design.vector_terms
    rest = iter(design.event_terms)
    for pool in design.parts.pools:
        yield pool.name, tuple(islice(rest, math.prod(pool.shape)))


def _around(design: Design) -> int:
    """LUTs that no node needs: taking candidates, the protocol, the word for the global trigger."""
    cordic = 0 if design.cordic is None else _cordic_luts(design.cordic)
    scores = sum(_score_luts(scores) for scores in design.scores.values())
    vertex = design.network.vertex
    # z0 less the vertex in one bit more, then the limit of each bit
    from_vertex = 0 if vertex is None else 2 * vertex.type.width + 1
    return design.lanes * (_LANE_LUTS + from_vertex) + _PROTOCOL_LUTS + cordic + scores


def luts_of(config: RtlConfig) -> Callable[[Network], float]:
    """Return what counts the LUTs of a network as streaming firmware."""
    return lambda network: estimate(build_design(network, config)).lut


def _cordic_luts(cordic: Cordic) -> int:
    turns = [i for stage in cordic.stages for i in stage]
    x = sum(max(0, cordic.y_width(i) - 1 - i) for i in turns)
    y = sum(cordic.y_width(i + 1) for i in turns)
    angle = cordic.angle_width * len(cordic.stages)
    ends = 2 * cordic.width + 32  # the first turn, rounding and saturation of the size
    return x + y + angle + ends


def _score_luts(scores: ScoreLogic) -> int:
    largest = (scores.n - 1) * (scores.width + scores.width // 2)
    distances = (
        2 * scores.width + scores.address_bits
    )  # one waits as long as the largest is looked for
    words = scores.exp_width + 12  # the entry waits for its factor; rounding
    total = (scores.n - 1) * scores.total_width + 3 * scores.factor_width
    return largest + scores.n * (distances + words) + total


def sum_bits(design: Design) -> tuple[int, int]:
    """Return the adder bits of the trees over lanes, and of the accumulators."""
    terms: tuple[Term, ...] = (*design.vector_terms, *design.event_terms)
    pairs = [_sum_bits(design, term) for term in terms]
    return sum(tree for tree, _ in pairs), sum(accumulator for _, accumulator in pairs)


def _sum_bits(design: Design, term: Term) -> tuple[int, int]:
    adds = design.lanes * design.beats
    accumulator = term.port.sum_of(adds, or_none=True).signed_width
    return _tree_bits(term.port, design.lanes)[0], accumulator


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
            adders += width * (len(group) // 2)  # three in one carry chain
            registers += width
        sizes = [sum(group) for group in groups]
    return adders, registers
