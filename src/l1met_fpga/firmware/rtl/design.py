"""The streaming design as numbers: blocks, products, accumulators and when each result is there.

Both the Verilog and the interpreter are made from this description.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
from da4ml.trace import FixedVariable

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.rtl import delays, graph, primitives
from l1met_fpga.firmware.rtl.blocks import Block, Port, trace
from l1met_fpga.firmware.rtl.cordic import Cordic, cordic_of
from l1met_fpga.firmware.rtl.delays import NETS
from l1met_fpga.firmware.rtl.nodes import Tensors, trace_nodes
from l1met_fpga.firmware.rtl.owners import Marks
from l1met_fpga.firmware.rtl.schedule import Clock
from l1met_fpga.firmware.rtl.scores import ScoreLogic
from l1met_fpga.firmware.rtl.verilated import Number
from l1met_fpga.firmware.score_heads import score_heads
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["PRODUCT_CLOCKS", "Design", "Term", "build_design"]

MARGIN: Final = 0.92
"""Part of the clock period that the cut into stages plans with."""
INPUT_CLOCKS: Final = 2
"""Register at the pins, register of the columns once it is known whether the beat counts."""
PRODUCT_CLOCKS: Final = 3
"""Registers of a multiplication inside a DSP: operands, product, output."""
SUMMANDS_PER_STAGE: Final = 4
"""Lanes added between two registers: two levels of adders."""
DIRECTION_CLOCKS: Final = 3
"""Address, table, output register of the table."""


@dataclass(frozen=True, slots=True)
class Term:
    """One number per lane and clock that an accumulator adds.

    Attributes:
        kind: ``vector`` (weight times px or py), ``scalar`` or ``aggregate`` (product of two).
        outputs: Indices of the perceptron outputs that it is made of.
        axis: 0 for px, 1 for py; -1 where there is none.
        port: Codes of one lane.
    """

    kind: Literal["vector", "scalar", "aggregate"]
    outputs: tuple[int, ...]
    axis: int
    port: Port


@dataclass(frozen=True)
class Design:
    """A network as a pipeline of hardware.

    Attributes:
        network: What it computes.
        config: How.
        parts: The network, cut.
        columns: Candidate columns that the perceptron reads.
        phi: Perceptron, per candidate.
        vector_terms: What the vector accumulators add, in the order of ``vector.inputs``.
        event_terms: What the other accumulators add, in the order of ``rho.inputs``.
        rho: Coefficients and the numbers of other heads, from pooled numbers; None without pools.
        projection: Rounds pt times cosine and sine; None without a vector of momenta, as the rest.
        vector: From the vector sums to the combination, or to px, py.
        output: From coefficient times vector to px, py; None without a combination.
    """

    network: Network
    config: RtlConfig
    parts: graph.Parts
    columns: tuple[str, ...]
    phi: Block
    vector_terms: tuple[Term, ...] = ()
    event_terms: tuple[Term, ...] = ()
    rho: Block | None = None
    projection: Block | None = None
    vector: Block | None = None
    output: Block | None = None

    @property
    def lanes(self) -> int:
        """Candidates per clock."""
        return self.config.lanes

    @property
    def beats(self) -> int:
        """Clocks that a full event takes to arrive; also the interval between full events."""
        return -(-self.network.n_candidates // self.lanes)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All traced blocks."""
        found = (self.phi, self.projection, self.rho, self.vector, self.output)
        return tuple(block for block in found if block is not None)

    @property
    def n_coefficients(self) -> int:
        """Outputs of the rho block that are coefficients; those of heads follow them."""
        combine = self.parts.vector.combine if self.parts.vector is not None else None
        return 0 if combine is None else self.network.node(combine.inputs[0]).shape[-1]

    def port_of(self, head: NetworkHead) -> Port:
        """One number of a head as given out: every code of its type."""
        kind = self.network.type_of(head.name)
        return Port(kind.min_code, kind.max_code, kind.frac_bits)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """What stands at the pins, in the order of ports."""
        return tuple(
            Number(name, self.port_of(head).width, self.port_of(head).signed)
            for head in self.network.heads
            for name in head.numbers
        )

    @property
    def cordic(self) -> Cordic | None:
        """What makes the word for the global trigger, None where no head is told in one."""
        return cordic_of(self.network)

    @property
    def word_clocks(self) -> int:
        """From the heads to the word for the global trigger; 0 where there is none."""
        return 0 if self.cordic is None else self.cordic.clocks

    @property
    def scores(self) -> dict[NetworkHead, ScoreLogic]:
        """What makes the words of scores, by head."""
        return {
            head: ScoreLogic(words, self.port_of(head).width)
            for head, words in score_heads(self.network).items()
        }

    @property
    def clocks_after_heads(self) -> int:
        """From the heads to the last of the words that are made of them."""
        return max([self.word_clocks, *(scores.clocks for scores in self.scores.values())])

    # -- when a result is there: clocks after the word at the input pins -------------------------

    @property
    def phi_ready(self) -> int:
        """Perceptron outputs."""
        return INPUT_CLOCKS + self.phi.n_stages

    @property
    def projection_clocks(self) -> int:
        """From the columns to px, py."""
        stages = self.projection.n_stages if self.projection is not None else 0
        return DIRECTION_CLOCKS + PRODUCT_CLOCKS + stages

    @property
    def momentum_ready(self) -> int:
        """px, py of the candidate, together with its weights."""
        return max(self.phi_ready, INPUT_CLOCKS + self.projection_clocks)

    def term_ready(self, term: Term) -> int:
        """One term of one lane."""
        if term.kind == "vector":
            return self.momentum_ready + PRODUCT_CLOCKS
        return self.phi_ready + (PRODUCT_CLOCKS if term.kind == "aggregate" else 0)

    @cached_property
    def tree_sizes(self) -> tuple[int, ...]:
        """Summands after each stage of the adder tree over lanes."""
        sizes, n = [], self.lanes
        while n > 1:
            n = -(-n // SUMMANDS_PER_STAGE)
            sizes.append(n)
        return tuple(sizes)

    @property
    def vector_accumulated(self) -> int:
        """Sum of all lanes at the vector accumulators' inputs."""
        return self.momentum_ready + PRODUCT_CLOCKS + len(self.tree_sizes)

    @property
    def event_accumulated(self) -> int:
        """The same of the other accumulators."""
        if not self.event_terms:
            return self.vector_accumulated
        return max(self.term_ready(t) for t in self.event_terms) + len(self.tree_sizes)

    @property
    def vector_ready(self) -> int:
        """Results of the vector block."""
        stages = self.vector.n_stages if self.vector is not None else 0
        return self.vector_accumulated + stages + 1

    @property
    def coefficients_ready(self) -> int:
        """Results of the rho block: coefficients and heads."""
        stages = self.rho.n_stages if self.rho is not None else 0
        return self.event_accumulated + stages + 1

    @property
    def combine_starts(self) -> int:
        """Coefficients and vectors, both there."""
        return max(self.vector_ready, self.coefficients_ready)

    @property
    def combined(self) -> int:
        """px, py of the event."""
        if self.output is None:
            return self.vector_ready
        return self.combine_starts + PRODUCT_CLOCKS + self.output.n_stages

    def ready(self, head: NetworkHead) -> int:
        """Numbers of a head, before they wait for those of the others."""
        vector = self.parts.vector
        is_vector = vector is not None and head == vector.head
        return self.combined if is_vector else self.coefficients_ready

    @property
    def latency(self) -> int:
        """All heads of the event, counted from its last word."""
        return max(self.ready(head) for head in self.network.heads)


def build_design(network: Network, config: RtlConfig) -> Design:
    """Trace a network.

    Args:
        network: The integer network.
        config: Lanes and pipeline depth.

    Raises:
        ConversionError: If the network cannot stream (see :func:`graph.split`).
    """
    parts = graph.split(network)
    event = _clock(config, config.adders_per_stage_event)
    phi, outputs = _phi(network, _clock(config, config.adders_per_stage))
    adds = config.lanes * -(-network.n_candidates // config.lanes)
    event_terms = tuple(t for p in parts.pools for t in _pool_terms(network, p, outputs, phi))
    sums = [t.port.sum_of(adds, or_none=True) for t in event_terms]
    design = Design(
        network,
        config,
        parts,
        _columns(network, parts),
        phi,
        event_terms=event_terms,
        rho=_rho(network, parts, sums, event) if parts.pools else None,
    )
    if parts.vector is None:
        return design
    projection = _projection(parts.vector.momentum, _clock(config, 2, delays.DSP_REGISTER_TO_OUT))
    momentum_port = _union(projection.outputs)
    vector_terms = tuple(
        Term("vector", (i,), axis, phi.outputs[i].times(momentum_port))
        for i in outputs[parts.vector.pool.inputs[0]]
        for axis in (0, 1)
    )
    vector_sums = [t.port.sum_of(adds) for t in vector_terms]
    vector = _vector(network, parts.vector, vector_sums, event)
    output = None
    if parts.vector.combine is not None and design.rho is not None:
        coefficients = design.rho.outputs[: design.n_coefficients]
        products = [coefficients[i // 2].times(port) for i, port in enumerate(vector.outputs)]
        after_product = _clock(config, config.adders_per_stage_event, delays.DSP_REGISTER_TO_OUT)
        output = _output(network, parts.vector, products, after_product)
    return replace(
        design, projection=projection, vector_terms=vector_terms, vector=vector, output=output
    )


def _clock(config: RtlConfig, adders: float, start_ps: float = delays.FF_CLOCK_TO_OUT) -> Clock:
    return Clock(MARGIN * 1000 * config.clock_period_ns, NETS["typical"], adders, start_ps)


def _columns(network: Network, parts: graph.Parts) -> tuple[str, ...]:
    read = {name for node in parts.candidate for name in node.inputs}
    inputs = [n for n in network if isinstance(n, net.InputColumn)]
    return tuple(n.column for n in inputs if n.name in read)


@functools.lru_cache(maxsize=4)
def _phi(network: Network, clock: Clock) -> tuple[Block, dict[str, list[int]]]:
    """Trace the perceptron; also say which of its outputs belong to which node.

    It is the same for every number of lanes, so a few results are kept.
    """
    parts = graph.split(network)
    nodes = [n for n in network if isinstance(n, net.InputColumn)]
    read = _columns(network, parts)
    ports = {c: Port(COLUMNS[c].type.min_code, COLUMNS[c].type.max_code, 0) for c in read}
    inputs = {c: port.as_variable() for c, port in ports.items()}
    tensors: Tensors = {
        n.name: np.array([inputs[n.column]], dtype=object) for n in nodes if n.column in inputs
    }
    tensors = trace_nodes(network, parts.candidate, tensors)
    variables: list[FixedVariable] = []
    index: dict[str, list[int]] = {}
    for name in dict.fromkeys(parts.summed(network)):
        index[name] = list(range(len(variables), len(variables) + tensors[name].size))
        variables.extend(tensors[name].ravel())
    marks = _marks(parts.candidate, tensors)
    block = trace("perceptron", list(inputs.values()), variables, clock=clock, marks=marks)
    return block, index


def _projection(momentum: net.Momentum, clock: Clock) -> Block:
    """Trace the rounding of pt times cosine and sine."""
    pt = Port(0, COLUMNS["pt"].type.max_code, 2)
    largest = max(abs(c) for c in momentum.quadrant_cos)
    product = pt.times(Port(-largest, largest, momentum.table_type.frac_bits))
    variables = [product.as_variable() for _ in range(2)]
    rounded = [primitives.quantize(v, momentum.type) for v in variables]
    return trace("projection", variables, rounded, clock=clock, marks={momentum.name: rounded})


def _vector(network: Network, part: graph.VectorPart, sums: list[Port], clock: Clock) -> Block:
    # the accumulators subtract, so the sign of -sum costs no inverters
    variables = [Port(-port.high, -port.low, port.frac_bits).as_variable() for port in sums]
    pooled = np.array(variables, dtype=object).reshape(-1, 2)
    tensors = trace_nodes(network, part.before, {part.pool.name: pooled})
    end = part.head.node if part.combine is None else part.combine.inputs[1]
    results, marks = list(tensors[end].ravel()), _marks(part.before, tensors)
    return trace("vector", variables, results, clock=clock, marks=marks)


def _pool_terms(
    network: Network, pool: graph.Pool, outputs: dict[str, list[int]], phi: Block
) -> list[Term]:
    factors = [outputs[name] for name in graph.factors(network, pool)]
    if len(factors) == 1:
        return [Term("scalar", (i,), -1, _shifted(phi.outputs[i], pool.shift)) for i in factors[0]]
    left, right = factors
    pairs = [(i, j) for i in left for j in right]
    if isinstance(pool, net.ScalarPool) and len(left) == len(right):
        pairs = list(zip(left, right, strict=True))  # elementwise, not each with each
    return [
        Term("aggregate", (i, j), -1, _shifted(phi.outputs[i].times(phi.outputs[j]), pool.shift))
        for i, j in pairs
    ]


def _shifted(port: Port, bits: int) -> Port:
    return Port(port.low, port.high, port.frac_bits + bits)


def _rho(network: Network, parts: graph.Parts, sums: list[Port], clock: Clock) -> Block:
    variables = [port.as_variable() for port in sums]
    tensors: Tensors = {}
    start = 0
    for pool in parts.pools:
        size = int(np.prod(pool.shape))
        tensors[pool.name] = np.array(variables[start : start + size], dtype=object)
        start += size
    tensors = trace_nodes(network, parts.event, tensors)
    ends = [head.node for head in parts.heads]
    if parts.vector is not None and parts.vector.combine is not None:
        ends.insert(0, parts.vector.combine.inputs[0])
    results = [number for end in ends for number in tensors[end].ravel()]
    return trace("rho", variables, results, clock=clock, marks=_marks(parts.event, tensors))


def _output(network: Network, part: graph.VectorPart, products: list[Port], clock: Clock) -> Block:
    if part.combine is None:
        raise ConversionError(f"network {network.name!r} has no combination")
    variables = [port.as_variable() for port in products]
    total = np.array([_sum(variables[axis::2]) for axis in (0, 1)], dtype=object)
    tensors = trace_nodes(network, part.after, {part.combine.name: total})
    results = list(tensors[part.head.node].ravel())
    marks = _marks((part.combine, *part.after), tensors)
    return trace("output", variables, results, clock=clock, marks=marks)


def _marks(nodes: Sequence[net.Node], tensors: Tensors) -> Marks:
    return {node.name: list(tensors[node.name].ravel()) for node in nodes}


def _sum(variables: list[FixedVariable]) -> FixedVariable:
    """Add in a balanced tree."""
    while len(variables) > 1:
        pairs = [a + b for a, b in zip(variables[::2], variables[1::2], strict=False)]
        variables = pairs + variables[len(pairs) * 2 :]
    return variables[0]


def _union(ports: tuple[Port, ...]) -> Port:
    if len({p.frac_bits for p in ports}) != 1:
        raise ConversionError(f"px and py have different fraction bits: {ports}")
    return Port(min(p.low for p in ports), max(p.high for p in ports), ports[0].frac_bits)
