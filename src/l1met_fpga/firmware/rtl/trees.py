"""Adder trees over lanes and the accumulators behind them, as the top level's template needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

from l1met_fpga.firmware.rtl.blocks import Port
from l1met_fpga.firmware.rtl.design import SUMMANDS_PER_STAGE, Design, Term

__all__ = ["Tree", "tree_of"]


@dataclass(frozen=True, slots=True)
class Node:
    """A register of a tree.

    Attributes:
        name: Of the register.
        width: Its bits.
        summands: Wires that it adds.
        extended: The same with their signs up to its width.
        live: Bits in which a summand can differ from zero, as a Verilog constant.
    """

    name: str
    width: int
    summands: tuple[str, ...]
    extended: tuple[str, ...]
    live: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Tree and accumulator of one term.

    Attributes:
        name: Of the term.
        nodes: Registers, those near the lanes first.
        root: Wire with the sum of all lanes.
        sign: How the accumulator takes it.
        width: Bits of the accumulator.
        ready: Clocks from the word at the pins to the root.
    """

    name: str
    nodes: tuple[Node, ...]
    root: str
    sign: str
    width: int
    ready: int


def tree_of(design: Design, name: str, term: Term) -> Tree:
    """Adder tree over lanes of one term, a register after every four summands."""
    items = [(f"{name}_l{lane}", 1) for lane in range(design.lanes)]
    nodes: list[Node] = []
    for stage, _ in enumerate(design.tree_sizes):
        groups = [
            items[i : i + SUMMANDS_PER_STAGE] for i in range(0, len(items), SUMMANDS_PER_STAGE)
        ]
        items = []
        for g, group in enumerate(groups):
            node = _node(f"{name}_s{stage}_{g}", term.port, group)
            nodes.append(node)
            items.append((node.name, sum(n for _, n in group)))
    total = term.port.sum_of(design.lanes * design.beats, or_none=True)
    sign = "+"
    if term.kind == "vector":
        sign, total = "-", Port(-total.high, -total.low, total.frac_bits)
    ready = design.vector_accumulated if term.kind == "vector" else design.event_accumulated
    return Tree(name, tuple(nodes), items[0][0], sign, total.signed_width, ready)


def _node(name: str, port: Port, group: Sequence[tuple[str, int]]) -> Node:
    """Sum of up to four wires, each the sum of so many lanes."""
    width = port.sum_of(sum(n for _, n in group), or_none=True).signed_width
    own = [port.sum_of(n, or_none=True).signed_width for _, n in group]
    extended = tuple(
        f"{{{{{width - w}{{{n}[{w - 1}]}}}}, {n}}}" if width > w else n
        for (n, _), w in zip(group, own, strict=True)
    )
    bits = width if port.low < 0 else max(own) - 1
    return Node(name, width, tuple(n for n, _ in group), extended, f"{width}'h{(1 << bits) - 1:x}")
