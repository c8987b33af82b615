"""A network as a drawing: a box for each node, from the candidates at the top to the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import InputColumn, Node

__all__ = ["network_svg"]

WIDTH: Final = 166
HEIGHT: Final = 50
GAP: Final = (16, 26)
"""Between boxes beside one another, and between rows."""
_LINE: Final = 14
_COLOURS: Final = {"candidate": "#dbe9fb", "event": "#dff2e1"}
"""Of what runs per candidate and per event; with dark text on them, on a page of any colour."""
_STYLE: Final = "font:11px sans-serif;fill:#14202e"


Hop = tuple[str, str, int]
"""A line passes a row: from which node, to which, in which row."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is drawn, or where a line passes."""

    middle: float
    top: float
    width: float
    height: float


def network_svg(network: Network, luts: Mapping[str, float]) -> str:
    """Return the drawing as SVG that stands in a page.

    Args:
        network: What to draw.
        luts: LUTs of its nodes, as far as they are known.
    """
    rows = _rows(network)
    places = _places(network, rows)
    width = max(place.middle + place.width / 2 for place in places.values())
    height = max(place.top + place.height for place in places.values())
    lines = "".join(
        _line([places[key] for key in _way(source, node.name, rows)])
        for node in network
        for source in node.inputs
    )
    per_candidate = network.per_candidate
    drawn = "".join(
        _drawn(node, places[node.name], node.name in per_candidate, luts.get(node.name))
        for node in network
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width + 2:.0f} {height + 2:.0f}" '
        f'style="max-width:{width:.0f}px;width:100%" role="img" '
        f'aria-label="{escape(network.name)}, node by node">{lines}{drawn}</svg>'
    )


def _way(source: str, target: str, rows: Mapping[str, int]) -> list[str | Hop]:
    """Return what a line goes through, its ends too."""
    between = range(rows[source] + 1, rows[target])
    return [source, *((source, target, row) for row in between), target]


def _places(network: Network, rows: Mapping[str, int]) -> dict[str | Hop, Place]:
    """Place nodes and lines row by row, each as near as may be to what leads to it."""
    before: dict[str | Hop, list[str | Hop]] = {node.name: [] for node in network}
    for node in network:
        for source in node.inputs:
            for first, then in pairwise(_way(source, node.name, rows)):
                before.setdefault(then, []).append(first)
    members: dict[int, list[str | Hop]] = {}
    for key in before:
        members.setdefault(rows[key] if isinstance(key, str) else key[2], []).append(key)
    lengths = {row: sum(_width(key) + GAP[0] for key in keys) for row, keys in members.items()}
    widest = max(lengths.values())
    places: dict[str | Hop, Place] = {}
    for row in sorted(members):
        left, top = (widest - lengths[row]) / 2, row * (HEIGHT + GAP[1])
        wanted = {key: _mean([places[b].middle for b in before[key]]) for key in members[row]}
        for key in sorted(members[row], key=wanted.__getitem__):
            width = _width(key)
            places[key] = Place(left + width / 2, top, width, HEIGHT)
            left += width + GAP[0]
    return places


def _width(key: str | Hop) -> int:
    return WIDTH if isinstance(key, str) else 0


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _rows(network: Network) -> dict[str, int]:
    """Return the row of each node; a column stands just above the first node that reads it."""
    row: dict[str, int] = {}
    for node in network:
        row[node.name] = 1 + max((row[name] for name in node.inputs), default=0)
    for node in network:
        if isinstance(node, InputColumn):
            readers = [row[other.name] for other in network if node.name in other.inputs]
            row[node.name] = min(readers, default=1) - 1
    first = min(row.values())
    return {name: place - first for name, place in row.items()}


def _line(way: Sequence[Place]) -> str:
    """Draw a line from the lower edge of its first place to the upper one of its last."""
    bend, drawn = GAP[1] * 0.8, f"M{way[0].middle:.0f},{way[0].top + HEIGHT:.0f}"
    for first, then in pairwise(way):
        low, high = first.top + HEIGHT, then.top
        drawn += f"C{first.middle:.0f},{low + bend:.0f} {then.middle:.0f},{high - bend:.0f} "
        drawn += f"{then.middle:.0f},{high:.0f}"
        if then is not way[-1]:
            drawn += f"V{high + HEIGHT:.0f}"
    return f'<path fill="none" stroke="#8090a0" d="{drawn}"/>'


def _drawn(node: Node, place: Place, per_candidate: bool, luts: float | None) -> str:
    shape = " x ".join(map(str, node.shape))
    runs = "candidate" if per_candidate else "event"
    kind = node.type.hls_name
    count = "" if luts is None else f", {luts:,.0f} LUT"
    lines = (node.name, f"{node.op}, {shape}", f"{kind.split(',AP_')[0]}>{count}")
    texts = "".join(
        f'<text x="{place.middle:.0f}" y="{place.top + _LINE * (k + 1):.0f}" text-anchor="middle" '
        f'style="{_STYLE}{";font-weight:bold" if k == 0 else ""}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f"<g><title>{escape(f'{node.name}: {node.op}, {shape}, {kind}{count}')}</title>"
        f'<rect x="{place.middle - WIDTH / 2:.0f}" y="{place.top:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
        f'fill="{_COLOURS[runs]}" stroke="#8090a0"/>{texts}</g>'
    )
