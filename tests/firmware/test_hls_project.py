"""hls4ml projects of example networks: compiled, simulated, compared bit by bit."""

import subprocess
import uuid

import numpy as np
import pytest
from met_head import met_codes
from networks import NETWORKS, random_deepset

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConversionError, ToolError
from l1met_fpga.firmware.check import compare_codes
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.graph import build_graph, expected_ii_cycles
from l1met_fpga.firmware.hls.layerwise import compare_layers, simulate_layers
from l1met_fpga.firmware.hls.project import fresh_folder, write_project
from l1met_fpga.firmware.stress import stress_events

FLAGS = ("-O1",)
N_RANDOM = 920
"""Makes 2,000 stress events in all."""


def simulate(network, config, folder, candidates):
    write_project(network, config, folder, candidates=candidates)
    library = compile_csim(folder, top=config.top_function, flags=FLAGS)
    return CSimulation(library, network)(candidates)["met"]


def agreement(network, config, folder, rng, n_random=N_RANDOM):
    candidates = stress_events(rng, n_random=n_random, n_slots=network.n_candidates)
    got = simulate(network, config, folder, candidates)
    return compare_codes(met_codes(network, candidates), got)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in ("channels", "deepmet"))) for n in NETWORKS],
)
def test_default_project_agrees(name, tmp_path, rng):
    found = agreement(NETWORKS[name](), HlsConfig(), tmp_path / "hls", rng)
    assert found.events >= 2000
    assert found.differing == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["garnet", "channels"])
def test_streaming_project_agrees(name, tmp_path, rng):
    config = HlsConfig(io_type="io_stream")
    found = agreement(NETWORKS[name](n_candidates=8), config, tmp_path / "hls", rng, 50)
    assert found.differing == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"backend": "Vivado"},
        {"backend": "Vivado", "io_type": "io_stream"},
        {"strategy": "resource"},
        {"strategy": "resource", "reuse_factor": 6},
        {"strategy": "latency", "reuse_factor": 3},
        {"strategy": "distributed_arithmetic"},
        {"strategy": "distributed_arithmetic", "io_type": "io_stream"},
        {"parallelization_factor": 1},
        {"parallelization_factor": 16},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
@pytest.mark.parametrize("name", ["deepset", "garnet"])
def test_every_variant_agrees(name, options, tmp_path, rng):
    network = NETWORKS[name](n_candidates=16)
    found = agreement(network, HlsConfig(**options), tmp_path / "hls", rng, 100)
    assert found.differing == 0


def test_project_is_complete(tmp_path, rng):
    network, config, folder = random_deepset(n_candidates=8), HlsConfig(), tmp_path / "hls"
    candidates = stress_events(rng, n_random=5, n_slots=8)
    write_project(network, config, folder, candidates=candidates)
    for name in ("build_prj.tcl", "project.tcl", "l1met_test.cpp", "network.json", "README.md"):
        assert (folder / name).is_file(), name
    project = (folder / "project.tcl").read_text()
    assert "xcvu13p-flga2577-2-e" in project
    assert "2.78" in project
    top = (folder / "firmware" / "l1met.cpp").read_text()
    assert "namespace l1met_deepset" in top
    assert "#pragma HLS DATAFLOW" in top
    defines = (folder / "firmware" / "defines.h").read_text()
    for kind in ("ap_uint<14>", "ap_int<12>", "ap_int<11>", "ap_uint<3>", "ap_uint<9>"):
        assert kind in defines, f"the inputs must be hardware integers: {kind}"
    assert "float" not in defines
    assert "double" not in defines
    expected = np.loadtxt(folder / "tb_data" / "tb_output_predictions.dat", dtype=np.int64)
    np.testing.assert_array_equal(expected, met_codes(network, candidates)[: len(expected)])


def test_a_conversion_made_again_gives_the_same_bytes(tmp_path, rng, monkeypatch):
    # hls4ml names the library by the end of such a number; YAML quotes the second, not the first.
    drawn = iter(uuid.UUID(int=number) for number in (0xABCDEF12, 0x12345678))
    monkeypatch.setattr("uuid.uuid4", lambda: next(drawn))
    network, config = NETWORKS["deepset"](), HlsConfig()
    candidates = stress_events(rng, n_random=5, n_slots=network.n_candidates)
    written = []
    for _ in range(2):
        write_project(network, config, tmp_path / "hls", candidates=candidates)
        files = [path for path in (tmp_path / "hls").rglob("*") if path.is_file()]
        written.append({path: path.read_bytes() for path in files})
    assert len(written[0]) > 20
    assert written[0] == written[1]


def test_test_bench_compiles_as_written_and_can_fail(tmp_path, rng):
    network, config, folder = random_deepset(n_candidates=4), HlsConfig(), tmp_path / "hls"
    candidates = stress_events(rng, n_random=5, n_slots=4)
    write_project(network, config, folder, candidates=candidates)
    readme = (folder / "README.md").read_text()
    command = next(line for line in readme.splitlines() if line.startswith("    g++")).strip()
    compile_only, _, run = command.partition(" && ")
    subprocess.run(compile_only.replace("-O2", "-O0").split(), cwd=folder, check=True)
    done = subprocess.run([run], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "INFO: 0 of" in done.stdout
    answers = folder / "tb_data" / "tb_output_predictions.dat"
    first, *rest = answers.read_text().splitlines()
    x, y = first.split()
    answers.write_text("\n".join([f"{int(x) + 1} {y}", *rest]) + "\n")
    done = subprocess.run([run], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "event 0 met 0: expected code 1, got 0" in done.stderr


def test_layer_by_layer_names_the_first_difference(tmp_path, rng, monkeypatch):
    network, config = random_deepset(n_candidates=4), HlsConfig(compiler_flags=FLAGS)
    candidates = stress_events(rng, n_random=20, n_slots=4)
    layers = simulate_layers(network, config, tmp_path / "traced", candidates)
    assert {"features", "momentum", "phi_0", "vectors", "met_xy"} <= set(layers)
    assert compare_layers(network, config, tmp_path / "traced", candidates) is None
    index, node = next((i, n) for i, n in enumerate(network) if n.name == "phi_1_dense")
    changed = node.model_copy(update={"bias": (node.bias[0] + 8, *node.bias[1:])})
    nodes = [*network.nodes[:index], changed, *network.nodes[index + 1 :]]
    other = network.model_copy(update={"nodes": tuple(nodes)})
    monkeypatch.setattr("l1met_fpga.firmware.hls.layerwise.simulate_layers", lambda *_: layers)
    found = compare_layers(other, config, tmp_path / "traced", candidates)
    assert found is not None
    assert found.layer == "phi_1"


def test_folding_decides_the_interval():
    network = random_deepset()
    assert expected_ii_cycles(network, HlsConfig()) == 32
    assert expected_ii_cycles(network, HlsConfig(parallelization_factor=8)) == 16
    assert expected_ii_cycles(network, HlsConfig(io_type="io_stream")) == 128


def test_refuses_a_folding_that_does_not_divide(tmp_path):
    config = HlsConfig(parallelization_factor=3)
    message = r"3 does not divide 128 candidates; choose one of \[1, 2"
    with pytest.raises(ConversionError, match=message):
        build_graph(random_deepset(), config, tmp_path)


def test_reuse_is_the_largest_that_can_be_built(tmp_path):
    """With 9 inputs 3 multipliers in turn, with 16 inputs 4; hls4ml alone would take 8 for 7."""
    config = HlsConfig(strategy="resource", reuse_factor=7)
    graph = build_graph(random_deepset(), config, tmp_path)
    found = {layer.name: layer.get_attr("reuse_factor") for layer in graph.model.get_layers()}
    assert (found["phi_0"], found["phi_1"], found["momentum"]) == (3, 4, 7)


def test_refuses_arrays_that_the_vendor_tool_cannot_partition(tmp_path):
    with pytest.raises(ConversionError, match=r"at most 4096.*io_stream"):
        build_graph(random_deepset(phi_units=(64,)), HlsConfig(), tmp_path)


def test_never_clears_a_foreign_folder(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ConversionError, match="refusing to replace it"):
        fresh_folder(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
    fresh_folder(tmp_path / "hls")
    (tmp_path / "hls" / "old").touch()
    fresh_folder(tmp_path / "hls")
    assert not (tmp_path / "hls" / "old").exists()


def test_compile_errors_and_crashes_are_errors_here(tmp_path):
    (tmp_path / "l1met_csim.cpp").write_text("int broken(")
    with pytest.raises(ToolError, match=r"csim_compile\.log"):
        compile_csim(tmp_path, top="l1met", flags=())
    crash = '#include <cstdlib>\nextern "C" void l1met_csim() { std::abort(); }\n'
    (tmp_path / "l1met_csim.cpp").write_text(crash)
    library = compile_csim(tmp_path, top="l1met", flags=())
    network = random_deepset(n_candidates=4)
    candidates = stress_events(np.random.default_rng(0), n_random=1, n_slots=4)
    with pytest.raises(ToolError, match=r"the C simulation .* died"):
        CSimulation(library, network, processes=1)(candidates)


ADD_UP = """
#include <cstdint>
extern "C" void l1met_csim(std::int64_t n, const std::int16_t *pt, const std::int16_t *eta, const std::int16_t *,
                           const std::int16_t *, const std::int16_t *weight, std::int64_t *codes) {
    for (std::int64_t event = 0; event < n; event++) {
        codes[2 * event] = codes[2 * event + 1] = 0;
        for (int slot = 0; slot < 6; slot++) {
            codes[2 * event] += (slot + 1) * pt[6 * event + slot] - weight[6 * event + slot];
            codes[2 * event + 1] += (slot + 1) * eta[6 * event + slot];
        }
    }
}
"""


@pytest.mark.parametrize("chunk", [3, 10_000])
def test_every_event_comes_back_in_its_place(chunk, tmp_path, monkeypatch):
    """Columns, padding and order, with C++ that adds codes up."""
    monkeypatch.setattr("l1met_fpga.firmware.hls.csim.CHUNK_EVENTS", chunk)
    (tmp_path / "l1met_csim.cpp").write_text(ADD_UP)
    library = compile_csim(tmp_path, top="l1met", flags=())
    events = stress_events(np.random.default_rng(0), n_random=40, n_slots=4)
    events = {name: codes[-50:] for name, codes in events.items()}
    codes = CSimulation(library, random_deepset(n_candidates=6), processes=2)(events)["met"]
    pt, eta, weight = (events[name].astype(np.int64) for name in ("pt", "eta", "puppi_weight"))
    slot = np.arange(1, 5)
    expected = np.stack([(slot * pt - weight).sum(axis=1), (slot * eta).sum(axis=1)], axis=1)
    np.testing.assert_array_equal(codes, expected)
