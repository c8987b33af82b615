"""Cut an integer network into what runs per candidate and what runs once per event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from l1met_fpga.errors import ConversionError
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network

__all__ = ["Parts", "VectorPart", "factors", "split"]

Pool = net.ScalarPool | net.Aggregate
T = TypeVar("T", net.VectorPool, net.Combine)
_AFTER_POOLS = net.Dense | net.Quantize | net.QuantizeChannels | net.Table | net.Concatenate


@dataclass(frozen=True, slots=True)
class VectorPart:
    """What makes a vector of the candidates' momenta.

    Attributes:
        head: The head that gives it.
        momentum: px, py of a candidate.
        pool: The pool of weighted momenta.
        before: Nodes from the pool to the combination (or to the head).
        combine: The combination, None for a network without coefficients.
        after: Nodes after the combination.
    """

    head: NetworkHead
    momentum: net.Momentum
    pool: net.VectorPool
    before: tuple[net.Node, ...]
    combine: net.Combine | None
    after: tuple[net.Node, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The pieces of a network that stream through different hardware.

    Attributes:
        candidate: Nodes computed for every candidate (features to pool inputs), in order.
        vector: What makes a vector of momenta, None without one.
        pools: Scalar pools and aggregates, in order.
        event: Nodes from these pools to the coefficients and to all other heads, in order.
        heads: Those heads.
    """

    candidate: tuple[net.Node, ...]
    vector: VectorPart | None
    pools: tuple[Pool, ...]
    event: tuple[net.Node, ...]
    heads: tuple[NetworkHead, ...]

    def summed(self, network: Network) -> tuple[str, ...]:
        """Return the candidate nodes whose numbers leave the lanes' perceptron."""
        first = () if self.vector is None else (self.vector.pool.inputs[0],)
        return (*first, *(name for pool in self.pools for name in factors(network, pool)))


def factors(network: Network, pool: Pool) -> tuple[str, ...]:
    """Return the nodes whose product a pool sums: two, or one where it sums a node as it is.

    A product that only the pool reads is made in a multiplier of the lane.
    """
    if isinstance(pool, net.Aggregate):
        return pool.inputs[:-1]
    source = network.node(pool.inputs[0])
    if isinstance(source, net.Multiply) and sum(source.name in n.inputs for n in network) == 1:
        return source.inputs
    return (source.name,)


def split(network: Network) -> Parts:
    """Cut a network at its pools and its combination.

    Raises:
        ConversionError: If it is no stream of candidates into pools: names the node or head that
            does not fit and what is expected.
    """
    for head in network.heads:
        if head.per != "example":
            raise ConversionError(
                f"head {head.name!r} has a result per candidate; the RTL gives results per event"
            )
    vector = _vector(network)
    pools = tuple(n for n in network if isinstance(n, net.ScalarPool | net.Aggregate))
    pool_names = [pool.name for pool in pools]
    heads = tuple(h for h in network.heads if vector is None or h != vector.head)
    ends = [head.node for head in heads]
    if vector is not None and vector.combine is not None:
        ends.append(vector.combine.inputs[0])
    event = _between(network, ends=ends, starts=pool_names)
    _refuse_leftovers(event, pool_names)
    parts = Parts((), vector, pools, event, heads)
    candidate = _between(network, ends=parts.summed(network), starts=())
    return Parts(candidate, vector, pools, event, heads)


def _vector(network: Network) -> VectorPart | None:
    found = [n for n in network if isinstance(n, net.VectorPool)]
    if not found:
        return None
    pool = _only(network, net.VectorPool)
    momentum = network.node(pool.inputs[1])
    if not isinstance(momentum, net.Momentum):
        raise ConversionError(f"vector pool {pool.name!r} must sum px, py of the candidates")
    combines = [n for n in network if isinstance(n, net.Combine)]
    combine = _only(network, net.Combine) if combines else None
    last = combine or pool
    fed = [h for h in network.heads if last.name in _needs(network, h.node)]
    if len(fed) != 1:
        raise ConversionError(
            f"{last.op} {last.name!r} feeds the heads {[h.name for h in fed]}; the RTL gives its "
            "vector to one"
        )
    (head,) = fed
    end = head.node if combine is None else combine.inputs[1]
    before = _between(network, ends=[end], starts=[pool.name])
    _refuse_leftovers(before, [pool.name])
    after: tuple[net.Node, ...] = ()
    if combine is not None:
        after = _between(network, ends=[head.node], starts=[combine.name])
        _refuse_leftovers(after, [combine.name])
    return VectorPart(head, momentum, pool, before, combine, after)


def _only(network: Network, kind: type[T]) -> T:
    found = [n for n in network if isinstance(n, kind)]
    if len(found) != 1:
        raise ConversionError(
            f"network {network.name!r} has {len(found)} {kind.__name__} nodes; "
            "the RTL takes at most one"
        )
    return found[0]


def _needs(network: Network, end: str) -> set[str]:
    """Names of the nodes that a node depends on, itself included."""
    return {end, *(n.name for n in _between(network, ends=[end], starts=()))}


def _between(
    network: Network, *, ends: Sequence[str], starts: Sequence[str]
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
            f"only dense, quantize, table and concatenate nodes that start from {list(starts)} can "
            "stand there"
        )
