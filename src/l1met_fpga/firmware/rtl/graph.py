"""Cut an integer network into what runs per candidate and what runs once per event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.gt_head import only_vector
from l1met_fpga.models import network as net

__all__ = ["Parts", "split"]

Pool = net.ScalarPool | net.Aggregate
_AFTER_POOLS = net.Dense | net.Quantize | net.QuantizeChannels | net.Table
T = TypeVar("T", net.Momentum, net.VectorPool)


@dataclass(frozen=True, slots=True)
class Parts:
    """The pieces of a network that stream through different hardware.

    Attributes:
        candidate: Nodes computed for every candidate (features to pool inputs), in order.
        momentum: px, py of a candidate.
        vector_pool: The one pool of weighted momenta.
        pools: Scalar pools and aggregates, in order.
        rho: Nodes from the pools to the coefficients; empty without a combination.
        vector: Nodes from the vector pool to the combination (or to the output).
        combine: The combination, None for a network without coefficients.
        output: Nodes after the combination.
        end: Name of the node that the head gives.
    """

    candidate: tuple[net.Node, ...]
    momentum: net.Momentum
    vector_pool: net.VectorPool
    pools: tuple[Pool, ...]
    rho: tuple[net.Node, ...]
    vector: tuple[net.Node, ...]
    combine: net.Combine | None
    output: tuple[net.Node, ...]
    end: str


def split(network: net.Network) -> Parts:
    """Cut a network at its pools and its combination.

    Raises:
        ConversionError: If it is no stream of candidates into one vector pool: names the node
            that does not fit and what is expected.
    """
    head = only_vector(network, "the RTL")
    momentum = _only(network, net.Momentum)
    vector_pool = _only(network, net.VectorPool)
    combines = [n for n in network if isinstance(n, net.Combine)]
    if len(combines) > 1:
        raise ConversionError(
            f"network {network.name!r} has {len(combines)} combinations; the RTL takes at most one"
        )
    combine = combines[0] if combines else None
    pools = tuple(n for n in network if isinstance(n, net.ScalarPool | net.Aggregate))
    if vector_pool.inputs[1] != momentum.name:
        raise ConversionError(
            f"vector pool {vector_pool.name!r} must sum {momentum.name!r}, "
            f"it sums {vector_pool.inputs[1]!r}"
        )
    pool_inputs = [vector_pool.inputs[0], *(n for p in pools for n in p.inputs[:-1])]
    candidate = _between(network, ends=pool_inputs, starts=())
    pool_names = [p.name for p in pools]
    rho: tuple[net.Node, ...] = ()
    output: tuple[net.Node, ...] = ()
    vector_end = head.node
    if combine is not None:
        rho = _between(network, ends=[combine.inputs[0]], starts=pool_names)
        output = _between(network, ends=[head.node], starts=[combine.name])
        vector_end = combine.inputs[1]
    vector = _between(network, ends=[vector_end], starts=[vector_pool.name])
    _refuse_leftovers(rho, pool_names)
    _refuse_leftovers(vector, [vector_pool.name])
    return Parts(candidate, momentum, vector_pool, pools, rho, vector, combine, output, head.node)


def _only(network: net.Network, kind: type[T]) -> T:
    found = [n for n in network if isinstance(n, kind)]
    if len(found) != 1:
        raise ConversionError(
            f"network {network.name!r} has {len(found)} {kind.__name__} nodes; "
            "the RTL needs exactly one"
        )
    return found[0]


def _between(
    network: net.Network, *, ends: Sequence[str], starts: Sequence[str]
) -> tuple[net.Node, ...]:
    """Nodes needed for ``ends`` without passing ``starts`` (not included) or inputs."""
    needed: set[str] = set()
    waiting = list(ends)
    while waiting:
        name = waiting.pop()
        if name in needed or name in starts:
            continue
        node = network.node(name)
        if isinstance(node, net.InputColumn):
            continue
        needed.add(name)
        waiting.extend(node.inputs)
    return tuple(n for n in network if n.name in needed)


def _refuse_leftovers(nodes: Sequence[net.Node], starts: Sequence[str]) -> None:
    """Check that event nodes read nothing but their own pools."""
    allowed = {*starts, *(n.name for n in nodes)}
    for node in nodes:
        if isinstance(node, _AFTER_POOLS) and set(node.inputs) <= allowed:
            continue
        raise ConversionError(
            f"node {node.name!r} ({node.op}) stands after the pools and reads {node.inputs}; "
            f"only dense, quantize and table nodes that start from {list(starts)} can stand there"
        )
