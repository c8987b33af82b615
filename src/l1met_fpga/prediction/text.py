"""A network for the eye: its nodes with shapes and types, as text and as HTML."""

from collections.abc import Iterator
from html import escape

from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Dense, Node

__all__ = ["network_html", "network_text"]

_HEADER = ("node", "operation", "reads", "shape", "type")


def network_text(network: Network) -> str:
    """Return a heading and one line per node."""
    rows = [_HEADER, *_rows(network)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([_heading(network), *(line.rstrip() for line in lines)])


def network_html(network: Network) -> str:
    """Return the same as a table for notebooks."""
    head = "".join(f"<th>{name}</th>" for name in _HEADER)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in _rows(network)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(_heading(network))}</p>{table}"


def _heading(network: Network) -> str:
    weights = [c for node in network if isinstance(node, Dense) for row in node.kernel for c in row]
    zeros = f", {weights.count(0) / len(weights):.0%} of {len(weights):,} weights zero"
    return (
        f"{network.name}: {len(network.nodes)} nodes, {network.n_candidates} candidates per event"
        f"{zeros if weights else ''}; {'; '.join(_head(network, head) for head in network.heads)}"
    )


def _head(network: Network, head: NetworkHead) -> str:
    unit = f" in {head.unit}" if head.unit else ""
    return f"{head.name} ({head.kind}){unit} as {network.type_of(head.name).hls_name}"


def _rows(network: Network) -> Iterator[tuple[str, ...]]:
    for node in network:
        yield node.name, node.op, ", ".join(node.inputs), _shape(node), node.type.hls_name


def _shape(node: Node) -> str:
    return " x ".join(map(str, node.shape))
