"""The RTL in a second, four-state simulator, with a bench that shares nothing with the package.

Words are packed and results decoded here from the documented layout. Outside of valid beats every
input is X, as a VHDL neighbour's 'U' would be.
"""

import numpy as np
import pytest
from icarus_bench import LANES, pins_of, simulate
from met_head import met_codes
from rtl_designs import folder, random_candidates, small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.project import write_project

pytestmark = pytest.mark.oracle("iverilog")


@pytest.mark.parametrize("kind", ["deepset", "deepmet"])
def test_a_four_state_simulator_agrees_and_shows_no_x(kind):
    assert_agreement(kind, 40)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n_events"), [("deepset", 10_000), ("garnet", 1000)])
def test_many_events_agree_in_the_four_state_simulator(kind, n_events):
    assert_agreement(kind, n_events)


def assert_agreement(kind, n_events):
    network = small_network(kind)
    project = write_project(network, RtlConfig(lanes=LANES), folder() / f"icarus_{kind}_{n_events}")
    # one unsigned operand anywhere makes this shift unsigned
    assert not any(">>>" in path.read_text() for path in project.sources.glob("*.v"))
    rng = np.random.default_rng(21)
    events = random_candidates(rng, n_events)
    text = simulate(
        project.design, project.top, project.sources, pins_of(events, rng),
        project.folder / "icarus",
    )  # fmt: skip
    lines = [line.split() for line in text.splitlines()]
    found = {kind: [line[1:] for line in lines if line[0] == kind] for kind in ("X", "MET", "GT")}
    assert found["X"] == []
    want = met_codes(network, events)
    met = np.array([[int(x), int(y)] for _, x, y, _ in found["MET"]])
    np.testing.assert_array_equal(met, want)
    assert {error for *_, error in found["MET"]} == {"0"}
    words = [int(text, 16) for _, text in found["GT"]]
    assert len(words) == len(want)
    for bits, (x, y) in zip(words, want, strict=True):
        size, phi = bits >> 1 & 0xFFFF, (bits >> 17 & 0x1FFF ^ 0x1000) - 0x1000
        # px, py and the size count 1/32 GeV; the size has 16 bits
        assert abs(size - min(np.hypot(x, y), 0xFFFF)) < 1.5
        assert bits & 1 == (size > 0)
        assert bits >> 30 == 0
        if size >= 64:
            turned = phi - np.arctan2(y, x) * 4096 / np.pi
            assert abs((turned + 4096) % 8192 - 4096) < 1.5
