"""The drawing of a network, parsed: every node, its type and its LUTs, nothing over another."""

import re
from collections.abc import Callable
from itertools import combinations
from xml.etree import ElementTree

import networks
import pytest
from plain_networks import plain_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.estimate import AROUND, estimate
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Dense
from l1met_fpga.prediction.drawing import _COLOURS, network_svg
from l1met_fpga.prediction.loaded import LoadedNetwork

SVG = "{http://www.w3.org/2000/svg}"


def parsed(network: Network, luts: dict[str, float]) -> ElementTree.Element:
    return ElementTree.fromstring(network_svg(network, luts))


@pytest.mark.parametrize("build", [networks.random_deepset, networks.random_garnet])
def test_luts_of_the_nodes_are_those_of_the_estimate(build: Callable[..., Network]) -> None:
    network = build(3)
    luts = LoadedNetwork(network).luts
    counted = estimate(build_design(network, RtlConfig())).lut
    assert sum(luts.values()) == pytest.approx(counted, rel=1e-9)
    assert set(luts) <= {AROUND, *(node.name for node in network)}
    dense = [node.name for node in network if isinstance(node, Dense)]
    assert all(luts[name] > 0 for name in dense)


def test_a_layer_that_nobody_reads_costs_nothing() -> None:
    network = networks.random_deepset()
    last = next(n for n in reversed(network.nodes) if isinstance(n, Dense) and "phi" in n.name)
    zeros = tuple(tuple(0 for _ in row) for row in last.kernel)
    changed = last.model_copy(update={"kernel": zeros})
    nodes = tuple(changed if node is last else node for node in network.nodes)
    luts = LoadedNetwork(network.model_copy(update={"nodes": nodes})).luts
    assert not {name for name in luts if name.startswith("phi_0")}


@pytest.mark.parametrize("build", [networks.random_deepset, networks.random_garnet])
def test_every_node_has_a_box_of_its_own(build: Callable[..., Network]) -> None:
    network = build(3)
    drawn = parsed(network, {"met_sum": 1234.4})
    boxes = {}
    for group in drawn.iter(f"{SVG}g"):
        name, operation, kind = (text.text for text in group.iter(f"{SVG}text"))
        node = network.node(name)
        assert operation.startswith(node.op)
        assert kind.startswith(node.type.hls_name.split(",AP_")[0])
        assert ("LUT" in kind) == (name == "met_sum")
        box = group.find(f"{SVG}rect").attrib
        boxes[name] = [float(box[key]) for key in ("x", "y", "width", "height")]
        assert max(len(operation), len(kind)) * 6 < boxes[name][2]
    assert set(boxes) == {node.name for node in network}
    for (ax, ay, width, height), (bx, by, _, _) in combinations(boxes.values(), 2):
        assert abs(ax - bx) >= width or abs(ay - by) >= height
    ends = [
        (numbers(path.get("d"))[:2], numbers(path.get("d"))[-2:])
        for path in drawn.iter(f"{SVG}path")
    ]
    wanted = [
        ([middle(boxes[source]), boxes[source][1] + 50], [middle(boxes[n.name]), boxes[n.name][1]])
        for n in network
        for source in n.inputs
    ]
    assert ends == [(pytest.approx(a, abs=1), pytest.approx(b, abs=1)) for a, b in wanted]


@pytest.mark.parametrize("slots", [4, 8, 16])
def test_colours_say_what_runs_per_candidate(slots: int) -> None:
    # pools of 4 and a layer of 8 numbers: as many as there are slots
    network = networks.random_deepset(n_candidates=slots)
    drawn = parsed(network, {})
    fills = {
        group.find(f"{SVG}text").text: group.find(f"{SVG}rect").get("fill")
        for group in drawn.iter(f"{SVG}g")
    }
    blue = {name for name, fill in fills.items() if fill == _COLOURS["candidate"]}
    assert blue == network.per_candidate


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", path)]


def middle(box: list[float]) -> float:
    return box[0] + box[2] / 2


def test_a_network_that_cannot_stream_says_so_instead() -> None:
    network = plain_network()
    weights = NetworkHead(name="weight", kind="scalar", size=1, per="row", node="weights")
    shown = LoadedNetwork(network.model_copy(update={"heads": (*network.heads, weights)}))
    assert "LUTs are not counted: head " in repr(shown)
    assert "<svg" in shown._repr_html_()
