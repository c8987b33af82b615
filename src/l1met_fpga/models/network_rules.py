"""What must hold inside a network beyond the form of its file: shapes that fit, codes in range.

A ``network.json`` may come from anywhere; every later form takes these rules for granted.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN

__all__ = ["require_rules"]

Shape = tuple[int, ...]
Nodes = Sequence[Any]
Heads = Sequence[NetworkHead]


def require_rules(nodes: Nodes, heads: Heads, n_candidates: int) -> None:
    """Check shapes, inputs and codes of all nodes of a network, in order of execution, and heads.

    Raises:
        ValueError: Says of the first node or head that breaks a rule what is wrong.
    """
    known: dict[str, Any] = {}
    for node in nodes:
        inputs = [known[name] for name in node.inputs]
        try:
            shape = _SHAPES[node.op](node, inputs, n_candidates)
        except (ValueError, AttributeError):  # another number of inputs, dimensions or numbers
            found = ", ".join(f"{one.name} {list(one.shape)}" for one in inputs) or "nothing"
            raise ValueError(f"node {node.name!r} ({node.op}) cannot work on {found}") from None
        if node.shape != shape:
            raise ValueError(
                f"node {node.name!r} ({node.op}) has shape {list(node.shape)}, expected "
                f"{list(shape)}"
            )
        for what, codes, kind in _codes(node):
            if codes and not kind.min_code <= min(codes) <= max(codes) <= kind.max_code:
                raise ValueError(f"node {node.name!r}: {what} holds codes beyond {kind.hls_name}")
        known[node.name] = node
    _require_heads(known, heads, n_candidates)


def _require_heads(known: dict[str, Any], heads: Heads, n_candidates: int) -> None:
    """Check that every head has a node of its shape, and that every node serves one."""
    names = [head.name.lower() for head in heads]  # VHDL takes no note of case
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two heads are called {min(twice)!r}")
    readers = {name: node.name for node in known.values() for name in node.inputs}
    ends = [head.node for head in heads]
    for head in heads:
        if head.node not in known:
            raise ValueError(f"head {head.name!r} is given by {head.node!r}, which is no node")
        found, expected = known[head.node].shape, head.shape(n_candidates)
        if found != expected:
            raise ValueError(
                f"head {head.name!r} ({head.kind}, per {head.per}) has shape {list(expected)}; its "
                f"node {head.node!r} gives {list(found)}"
            )
        if head.node in readers or ends.count(head.node) > 1:
            reader = readers.get(head.node, "another head")
            raise ValueError(
                f"head {head.name!r} is given by {head.node!r}, which {reader!r} reads too; give the "
                "head a quantize node of its own"
            )
    used, waiting = set[str](), [head.node for head in heads]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting.extend(known[name].inputs)
    if idle := [name for name in known if name not in used]:
        raise ValueError(f"node {idle[0]!r} is not used by any head; leave it out")


def _require(*conditions: bool) -> None:
    if not all(conditions):
        raise ValueError


def _input(node: Any, inputs: Nodes, n: int) -> Shape:
    _require(not inputs, node.type == COLUMNS[node.column].type)
    _require(node.origin == "beam" or node.column == "z0")
    return (n,)


def _features(node: Any, inputs: Nodes, n: int) -> Shape:
    columns = {one.column for one in inputs}
    _require(bool(node.features), {feature.column for feature in node.features} <= columns)
    return (n, len(node.features))


def _momentum(node: Any, inputs: Nodes, n: int) -> Shape:
    pt, phi = (one.column for one in inputs)
    _require((pt, phi) == ("pt", "phi"), len(node.quadrant_cos) == PHI_COUNTS_PER_TURN // 4 + 1)
    return (n, 2)


def _dense(node: Any, inputs: Nodes, _: int) -> Shape:
    (x,) = inputs
    *lead, n_in = x.shape
    _require(len(node.kernel) == n_in, {len(row) for row in node.kernel} == {len(node.bias)})
    return (*lead, len(node.bias))


def _quantize(node: Any, inputs: Nodes, _: int) -> Shape:
    (x,) = inputs
    shape: Shape = x.shape
    return shape[1:] if shape[0] == 1 and node.shape == shape[1:] else shape


def _quantize_channels(node: Any, inputs: Nodes, _: int) -> Shape:
    (x,) = inputs
    shape: Shape = x.shape
    _require(len(node.types) == shape[-1])
    return shape


def _table(node: Any, inputs: Nodes, _: int) -> Shape:
    (x,) = inputs
    _require(len(node.table) == x.type.max_code - x.type.min_code + 1)
    shape: Shape = x.shape
    return shape


def _multiply(_: Any, inputs: Nodes, n: int) -> Shape:
    (slots, a), (others, b) = (one.shape for one in inputs)
    _require(slots == others == n, b in (1, a))
    return (n, a)


def _vector_pool(_: Any, inputs: Nodes, n: int) -> Shape:
    weights, momentum = inputs
    slots, k = weights.shape
    _require(slots == n, momentum.op == "momentum")
    return (k, 2)


def _scalar_pool(_: Any, inputs: Nodes, n: int) -> Shape:
    x, pt = inputs
    slots, m = x.shape
    _require(slots == n, pt.column == "pt")
    return (m,)


def _aggregate(_: Any, inputs: Nodes, n: int) -> Shape:
    weights, x, pt = inputs
    (slots, a), (others, f) = weights.shape, x.shape
    _require(slots == others == n, pt.column == "pt")
    return (a * f,)


def _combine(_: Any, inputs: Nodes, __: int) -> Shape:
    (k,), (pools, two) = (one.shape for one in inputs)
    _require(k == pools, two == 2)
    return (2,)


def _concatenate(_: Any, inputs: Nodes, __: int) -> Shape:
    shapes = [one.shape for one in inputs]
    _require(len(shapes) > 1, len({shape[:-1] for shape in shapes}) == 1)
    # vectors are px, py of a pool, not channels
    _require(all(one.op not in ("input", "momentum", "vector_pool", "combine") for one in inputs))
    return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


_SHAPES: Final[dict[str, Callable[[Any, Nodes, int], Shape]]] = {
    "input": _input,
    "features": _features,
    "momentum": _momentum,
    "dense": _dense,
    "quantize": _quantize,
    "quantize_channels": _quantize_channels,
    "table": _table,
    "multiply": _multiply,
    "vector_pool": _vector_pool,
    "scalar_pool": _scalar_pool,
    "aggregate": _aggregate,
    "combine": _combine,
    "concatenate": _concatenate,
}
"""Operation -> shape of its result; an error where the inputs are none that it can work on."""


def _codes(node: Any) -> Iterator[tuple[str, Sequence[int], FixedType]]:
    match node.op:
        case "dense":
            yield "kernel", [code for row in node.kernel for code in row], node.kernel_type
            yield "bias", node.bias, node.bias_type
        case "table":
            yield "table", node.table, node.type
        case "momentum":
            yield "quadrant_cos", node.quadrant_cos, node.table_type
