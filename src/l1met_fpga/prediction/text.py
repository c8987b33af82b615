"""A network for the eye: its nodes with shapes, types and LUTs, as text and as HTML."""

from collections.abc import Iterator, Mapping
from html import escape

from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Dense, Node
from l1met_fpga.prediction.drawing import network_svg

__all__ = ["network_html", "network_text"]

_HEADER = ("node", "operation", "reads", "shape", "type")


def network_text(network: Network, luts: Mapping[str, float], note: str) -> str:
    """Return a heading and one line per node.

    Args:
        network: What to show.
        luts: LUTs by node, and by what else is counted; empty if they are not known.
        note: What the LUTs are, or why they are not known.
    """
    rows = [_header(luts), *_rows(network, luts)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(_aligned(row, widths, luts)) for row in rows]
    return "\n".join([_heading(network), note, *(line.rstrip() for line in lines)])


def network_html(network: Network, luts: Mapping[str, float], note: str) -> str:
    """Return a drawing, and the same as a folded table, for notebooks; see :func:`network_text`."""
    head = "".join(f"<th>{name}</th>" for name in _header(luts))
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in _rows(network, luts)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return (
        f"<p>{escape(_heading(network))}<br>{escape(note)}; blue: per candidate, green: per event</p>"
        f"{network_svg(network, luts)}<details><summary>as a table</summary>{table}</details>"
    )


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


def _header(luts: Mapping[str, float]) -> tuple[str, ...]:
    return (*_HEADER, "LUT") if luts else _HEADER


def _rows(network: Network, luts: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    for node in network:
        row = node.name, node.op, ", ".join(node.inputs), _shape(node), node.type.hls_name
        yield (*row, f"{luts.get(node.name, 0.0):,.0f}") if luts else row
    for name in sorted(set(luts) - {node.name for node in network}):
        yield name, "", "", "", "", f"{luts[name]:,.0f}"


def _aligned(row: tuple[str, ...], widths: list[int], luts: Mapping[str, float]) -> Iterator[str]:
    """Pad cells: numbers of LUTs stand on the right."""
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if luts and i == len(_HEADER) else cell.ljust(width)


def _shape(node: Node) -> str:
    return " x ".join(map(str, node.shape))
