import json
import re

import numpy as np
import pytest
from met_head import met_codes
from rtl_designs import N_SLOTS, compiled, folder, random_candidates, small_network

from l1met_fpga.config.rtl import ExploreConfig, RtlConfig
from l1met_fpga.errors import ConversionError, ReportError
from l1met_fpga.firmware.reference import check_network
from l1met_fpga.firmware.rtl.blocks import Port
from l1met_fpga.firmware.rtl.cordic import Cordic, gt_words
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.estimate import estimate
from l1met_fpga.firmware.rtl.explore import Point, explore, pareto, plot, thinned
from l1met_fpga.firmware.rtl.forms import measure_latency
from l1met_fpga.firmware.rtl.parallel import parallel_design, parallel_resources
from l1met_fpga.firmware.rtl.project import build_rtl, write_project
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark, verilator_root
from l1met_fpga.firmware.rtl.yosys import parse_stat, synthesize
from l1met_fpga.firmware.tools import run_tool
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import Head
from l1met_fpga.puppi.gt_word import GtSum, pack, unpack
from l1met_fpga.puppi.words import unpack as unpack_words

XY = FixedType(True, 12, 5)


def test_port_widths():
    assert Port(0, 0, 0).width == 0
    assert (Port(0, 255, 3).width, Port(0, 256, 3).width) == (8, 9)
    assert (Port(-128, 127, 0).width, Port(-129, 0, 0).width) == (8, 9)
    assert Port(-4, 3, 1).times(Port(-2, 5, 2)) == Port(-20, 15, 3)
    assert Port(2, 5, 0).sum_of(3) == Port(6, 15, 0)
    assert Port(2, 5, 0).sum_of(3, or_none=True) == Port(0, 15, 0)


def test_cordic_is_within_one_count_of_the_exact_rounding():
    rng = np.random.default_rng(0)
    xy = np.concatenate(
        [
            rng.integers(XY.min_code, XY.max_code + 1, (20_000, 2)),
            np.rint(rng.normal(0, 1500, (20_000, 2))).astype(np.int64),
            rng.integers(-40, 41, (5_000, 2)),
            [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [XY.min_code, XY.min_code]],
        ]
    )
    size, phi = Cordic(XY).run(xy)
    exact = GtSum.from_met_xy_gev(XY.decode(xy))
    assert np.abs(size - exact.vector_pt).max() <= 1
    turned = (phi - exact.vector_phi + 4096) % 8192 - 4096
    assert np.abs(turned[exact.vector_pt >= 64]).max() <= 1
    assert np.abs(turned).max() < 64  # a vector of a few counts has no finer direction
    words = unpack(gt_words(XY, xy))
    np.testing.assert_array_equal(words.valid, (xy != 0).any(axis=1))
    np.testing.assert_array_equal(pack(words), gt_words(XY, xy))


def test_beats_carry_the_words_of_the_candidates():
    events = random_candidates(np.random.default_rng(0), 5, lengths=np.array([0, 1, 3, 4, 16]))
    beats = beats_of(events, 3, before=1)
    np.testing.assert_array_equal(beats.last - beats.first + 1, [1, 1, 1, 2, 6])
    assert beats.columns is None
    assert beats.marks[0] == 0
    assert beats.marks[beats.first[0]] == Mark.VALID | Mark.FIRST | Mark.LAST
    last_event = unpack_words(beats.words[beats.first[4] : beats.last[4] + 1].ravel())
    for name, codes in events.items():
        np.testing.assert_array_equal(last_event[name][:N_SLOTS], codes[4])


def test_project_holds_everything_a_board_needs():
    project = write_project(small_network("deepset"), RtlConfig(), folder() / "written")
    names = {path.name for path in project.folder.iterdir()}
    assert {"src", "constraints.xdc", "build_vivado.tcl", "README.md"} <= names
    top = (project.sources / "l1met_deepset.v").read_text()
    assert "da4ml 0.6" in top
    assert "sha256" in top
    assert re.search(r"module l1met_deepset \(", top)
    assert (
        "create_clock -name clk -period 2.780" in (project.folder / "constraints.xdc").read_text()
    )
    script = (project.folder / "build_vivado.tcl").read_text()
    assert "xcvu13p-flga2577-2-e" in script
    assert "read_vhdl" not in script


def test_verilator_finds_nothing_to_warn_about():
    project = write_project(small_network("garnet"), RtlConfig(), folder() / "lint")
    off = ("DECLFILENAME", "UNUSEDSIGNAL", "WIDTHEXPAND")  # sign extension is meant
    root = verilator_root()
    run_tool(
        [root / "bin" / "verilator_bin", "--lint-only", "-Wall", *(f"-Wno-{name}" for name in off),
         "--top-module", project.top, f"-I{project.sources}", f"{project.top}.v"],
        cwd=project.sources,
        log=folder() / "lint.log",
        timeout_s=60,
        environment={"VERILATOR_ROOT": str(root)},
    )  # fmt: skip
    assert "%Warning" not in (folder() / "lint.log").read_text()


def test_two_networks_share_no_module_name():
    network = small_network("garnet")
    made = [
        write_project(network, RtlConfig(top=top), folder() / f"chip_{top}")
        for top in (None, "second")
    ]
    names = [
        {
            name
            for path in project.sources.glob("*.v")
            for name in re.findall(r"^module (\w+)", path.read_text(), re.MULTILINE)
        }
        for project in made
    ]
    assert not names[0] & names[1]
    assert all(
        name.startswith(p.top) for p, found in zip(made, names, strict=True) for name in found
    )
    assert made[1].top == "second"


def test_vhdl_flavor_writes_vhdl_stages():
    config = RtlConfig(flavor="vhdl")
    project = write_project(small_network("deepset"), config, folder() / "vhdl")
    text = (project.sources / "l1met_deepset_perceptron_stage0.vhd").read_text()
    assert "entity l1met_deepset_perceptron_stage0 is" in text
    assert not list(project.sources.glob("*_stage*.v"))
    assert (project.sources / "shift_adder.vhd").is_file()
    assert "read_vhdl" in (project.folder / "build_vivado.tcl").read_text()


def test_the_same_network_gives_the_same_text():
    networks = [small_network("garnet"), small_network("garnet")]
    written = [
        write_project(network, RtlConfig(), folder() / f"twin{i}")
        for i, network in enumerate(networks)
    ]
    first, second = ({p.name: p.read_text() for p in w.sources.iterdir()} for w in written)
    assert first == second


def test_pruned_weights_cost_nothing():
    dense, sparse = (
        build_design(thinned(small_network("deepset"), bits=0, zero_fraction=f), RtlConfig())
        for f in (0.0, 0.9)
    )
    assert sparse.phi.lut_estimate < 0.5 * dense.phi.lut_estimate


def test_networks_that_cannot_stream_are_refused():
    network = small_network("deepset")
    nodes = list(network.nodes)
    pool = next(i for i, n in enumerate(nodes) if isinstance(n, net.VectorPool))
    again = nodes[pool].model_copy(update={"name": "again"})
    two = network.model_copy(update={"nodes": (*nodes[: pool + 1], again, *nodes[pool + 1 :])})
    with pytest.raises(ConversionError, match="2 VectorPool nodes; the RTL takes at most one"):
        build_design(two, RtlConfig())
    head = Head(name="weight", kind="scalar", size=1, per="row").of_node("weights")
    per_row = network.model_copy(update={"heads": (head,)})
    with pytest.raises(ConversionError, match="'weight' has a result per candidate; the RTL"):
        build_design(per_row, RtlConfig())


def stat(cells, lane=None):
    modules = {"\\top": {"num_cells_by_type": cells}}
    if lane:
        modules["\\top_lane"] = {"num_cells_by_type": lane}
    return json.dumps({"modules": modules, "design": {"num_cells_by_type": cells}})


def test_yosys_counts_become_resources():
    cells = {
        "LUT2": 10, "LUT6": 5, "INV": 3, "SRL16E": 2, "FDRE": 40, "FDSE": 1, "CARRY4": 5,
        "DSP48E2": 4, "RAMB18E2": 1, "RAMB36E2": 1, "BUFG": 1, "$scopeinfo": 9, "top_lane": 3,
    }  # fmt: skip
    found = parse_stat(stat(cells, {"LUT1": 1}))["design"]
    assert (found.lut, found.lut_logic, found.inverter, found.srl) == (20, 15, 3, 2)
    assert (found.ff, found.carry8, found.dsp, found.bram18) == (41, 3, 4, 3)


def test_unknown_cells_and_other_text_are_errors():
    with pytest.raises(ReportError, match="URAM288"):
        parse_stat(stat({"LUT2": 1, "URAM288": 1}))
    with pytest.raises(ReportError, match="stat -json"):
        parse_stat("no json")
    with pytest.raises(ReportError, match="design"):
        parse_stat('{"modules": {}}')


def test_estimate_counts_every_product():
    design = build_design(small_network("deepset"), RtlConfig())
    # 3 lanes x (2 for px, py + 2 pools x 2), 2 x 2 in the combination, 1 in the CORDIC
    assert estimate(design).dsp == 3 * (2 + 4) + 4 + 1
    assert estimate(design).lut > estimate(design).lut_traced > 0


def test_thinned_networks_stay_exact():
    network = small_network("deepset")
    events = random_candidates(np.random.default_rng(1), 50)
    for bits, fraction in ((1, 0.0), (2, 0.5), (0, 0.9)):
        changed = thinned(network, bits=bits, zero_fraction=fraction)
        check_network(changed)
        assert (met_codes(changed, events) != met_codes(network, events)).any()
    same = thinned(network, bits=0, zero_fraction=0.0)
    np.testing.assert_array_equal(met_codes(same, events), met_codes(network, events))


def test_explore_covers_the_grid():
    grid = ExploreConfig(lanes=(1, 3), adders_per_stage=(2,), zero_fraction=(0.0, 0.8))
    network = small_network("deepset")
    points = list(explore(network, RtlConfig(), grid, lambda n: float(n.name == "deepset")))
    assert len(points) == grid.n_points == 8
    assert {p.ii_cycles for p in points} == {16, 6}
    assert all(p.resolution_gev == 1.0 for p in points)
    figure = plot(points, clock_period_ns=2.78, resolution_of="x, 1 to 2 GeV")
    assert [axes.get_xlabel()[:3] for axes in figure.axes] == ["Fir", "LUT"]


def test_pareto_keeps_what_nothing_beats():
    def point(lut, latency, resolution):
        return Point(3, 2, 0, 0.5, lut, 0, 43, latency, resolution)

    points = [point(10, 5, 30.0), point(10, 6, 30.0), point(12, 4, 31.0), point(9, 9, 29.0)]
    assert pareto(points) == [True, False, True, True]


@pytest.mark.slow
def test_built_project_reports_measured_figures():
    made = compiled("deepset")
    result = build_rtl(made.network, RtlConfig(), folder() / "built")
    streaming, wide = result["streaming"], result["parallel"]
    assert streaming["latency_last_word_cycles"] == made.design.latency
    assert streaming["dsp"] == estimate(made.design).dsp
    assert streaming["lut"] == pytest.approx(streaming["lut_estimate"], rel=0.12)
    assert streaming["timing"]["typical_mhz"] > 360
    assert len(streaming["timing"]["worst_paths"]) == 5
    assert (wide["ii_cycles"], wide["lanes"]) == (1, N_SLOTS)
    assert json.loads((folder() / "built" / "resources.json").read_text()) == result


@pytest.mark.slow
def test_parallel_count_agrees_with_synthesis_of_a_small_one():
    made = compiled("deepset")
    project = write_project(made.network, RtlConfig(), folder() / "narrow")
    counted = parallel_resources(
        made.design, synthesize(project.folder, top=project.top), project.top
    )
    wide = parallel_design(made.design)
    whole = write_project(made.network, wide.config, folder() / "wide")
    real = synthesize(whole.folder, top=whole.top)["design"]
    assert counted.dsp == real.dsp
    assert counted.lut == pytest.approx(real.lut, rel=0.1)
    assert counted.ff == pytest.approx(real.ff, rel=0.1)
    model = compiled("deepset", N_SLOTS)
    assert measure_latency(model.design, model.model).from_last_word == wide.latency
