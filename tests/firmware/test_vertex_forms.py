"""A network that reads z0 from the vertex: every form takes words and a vertex, and gives int64's numbers.

The distances that int64 gets are computed here, one line of NumPy on z0 of the words.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cpp import compile_cpp, run_numbers
from icarus_bench import pins_of, simulate
from met_head import met_words
from require import require
from rtl_designs import compiled, random_candidates, small_network

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConversionError, DataError, ToolError
from l1met_fpga.firmware.check import compare_forms, require_agreement
from l1met_fpga.firmware.export.board import export_emp, export_ip
from l1met_fpga.firmware.export.cmssw import export_cmssw
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.export.vectors import LinkMap, export_vectors
from l1met_fpga.firmware.forms import _with_vertices, int64_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.forms import SimulationForm
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark, VerilatedModel
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.prediction.arrays import candidates_of
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS
from l1met_fpga.puppi.vertex import VERTEX
from l1met_fpga.puppi.words import pack

KIND = "deepset_vertex"


@pytest.fixture
def raw(rng):
    """Events as their words have them, and a vertex for each; far ones too."""
    candidates = random_candidates(rng, 300)
    charged = (candidates["pid"] > 1) & (candidates["pt"] > 0)
    z0 = rng.integers(-512, 512, charged.shape)
    near = rng.random(charged.shape) < 0.5
    candidates["z0"] = np.where(charged, np.where(near, z0 // 16, z0), 0).astype(np.int16)
    vertex = np.where(np.arange(300) % 2, rng.integers(-512, 512, 300), rng.integers(-40, 40, 300))
    return candidates, vertex.astype(np.int16)[:, None]


def distances(candidates, vertex):
    """The columns that the network reads."""
    far = np.clip(candidates["z0"].astype(int) - vertex, -512, 511)
    z0 = np.where((candidates["pid"] > 1) & (candidates["pt"] > 0), far, 0)
    return candidates | {"z0": z0.astype(np.int16)}


def words_of(candidates):
    zeros = np.zeros_like(candidates["pt"])
    return pack({name: candidates.get(name, zeros) for name in COLUMNS})


def test_the_vertex_matters(raw):
    """Other vertices give other numbers in most events: the tests below see a wrong one."""
    candidates, vertex = raw
    network = small_network(KIND)
    right = evaluate(network, distances(candidates, vertex))["met"]
    for wrong in (np.zeros_like(vertex), -vertex, vertex + 1, np.roll(vertex, 1)):
        other = evaluate(network, distances(candidates, wrong))["met"]
        assert (right != other).any(axis=1).mean() > 0.1


def test_rtl_subtracts_the_vertex_of_the_first_beat(raw):
    made, (candidates, vertex) = compiled(KIND), raw
    want = evaluate(made.network, distances(candidates, vertex))["met"]
    rng = np.random.default_rng(4)
    before = rng.integers(0, 4, len(vertex))
    before[0] = 8
    beats = beats_of(candidates, made.design.lanes, before=before, trailing=200)
    assert beats.columns is None, "words carry all of it"
    beats.marks[:8] = Mark.RESET
    pins = rng.integers(-512, 512, len(beats.marks)).astype(np.int16)  # anything but at first beats
    pins[beats.first] = vertex[:, 0]
    found, stray = made.model.run(beats.marks, beats.words, vertex=pins)
    got = np.stack([found["met_x"], found["met_y"]], axis=1)
    assert np.count_nonzero(got != want) == 0
    told = met_words(made.network, want)
    assert np.count_nonzero(found["word"] != told) == 0
    assert stray == 0
    plain = compiled("deepset").design
    assert made.design.latency <= plain.latency + 1, "the subtractor costs no clock of its own"


def _first_is_no_word(events):
    """Their first candidate is charged with a weight below 1: only later beats go in as words."""
    changed = {name: codes[-60:].copy() for name, codes in events.items()}
    changed["pid"][:, 0], changed["puppi_weight"][:, 0] = 2, 17
    changed["pt"][:, 0] = np.maximum(changed["pt"][:, 0], 40)
    return changed


def test_every_form_agrees_on_what_the_check_feeds(tmp_path, rng):
    network = small_network(KIND)
    made = compiled(KIND)
    stress = stress_events(
        rng, n_random=40, n_slots=network.n_candidates, columns=(*REQUIRED_COLUMNS, "z0")
    )
    samples = _with_vertices({"stress": stress})
    assert set(samples) == {"stress", "words"}
    samples["half_words"] = _first_is_no_word(samples["words"])
    config = HlsConfig(io_type="words", test_bench_events=20)
    write_words_project(network, config, tmp_path / "hls", candidates=samples["words"])
    library = compile_csim(tmp_path / "hls", top=config.top_function, flags=("-O1",))
    forms = {
        "rtl_verilator": SimulationForm(made.design, made.model),
        "cpp": CppForm.compiled(network, tmp_path / "cpp"),
        "cmssw": CmsswForm.compiled(network, tmp_path / "cmssw"),
        "hls_words": CSimulation(library, network, takes_words=True),
    }
    result = compare_forms("int64", int64_form(network), forms, samples)
    require_agreement(result)
    assert all(one.events > 1000 for one in result.values())


def test_the_hls_test_bench_has_the_vertices(tmp_path, raw):
    require("g++", shutil.which("g++") is not None, install="it compiles the C simulation")
    network, (candidates, vertex) = small_network(KIND), raw
    events = distances(candidates, vertex) | {VERTEX: vertex}
    config = HlsConfig(io_type="words", test_bench_events=len(vertex))
    write_words_project(network, config, tmp_path / "p", candidates=events)
    expected = evaluate(network, distances(candidates, vertex))["met"]
    data = tmp_path / "p/tb_data/tb_output_predictions.dat"
    told = np.loadtxt(data, dtype=np.int64, usecols=(0, 1))
    assert (told == expected).all()
    for define in ([], ["-DL1MET_WINDOWS"]):
        flags = ["-std=c++0x", "-w", "-O0", "-Ifirmware/ap_types", "-I.", *define]
        command = ["g++", *flags, "l1met_test.cpp", "firmware/l1met.cpp", "-o", "bench"]
        subprocess.run(command, cwd=tmp_path / "p", check=True, capture_output=True)
        run = subprocess.run(
            ["./bench"], cwd=tmp_path / "p", check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr[-2000:]
        assert f"0 of {3 * len(vertex)} outputs differ" in run.stdout


MAIN = """
#include <cstdio>
#include "{header}"
int main() {{
    using namespace {namespace};
    unsigned long words[{slots}];
    int vertex;
    while (std::scanf("%d", &vertex) == 1) {{
        for (auto& word : words) if (std::scanf("%lu", &word) != 1) return 1;
        const Result r = predict(words, {slots}, vertex);
        const Result same = predict(words, {slots}, vertex, Windows{{}});
        if (same.gt_word != r.gt_word) return 2;
        std::printf("%ld %ld\\n", long(r.met_x), long(r.met_y));
    }}
}}
"""


def test_the_header_takes_words_and_a_vertex(tmp_path, raw):
    from l1met_fpga.firmware.export.cpp import cpp_files

    network, (candidates, vertex) = small_network(KIND), raw
    files = cpp_files(network)
    header = next(name for name in files if name.endswith(".h"))
    (tmp_path / header).write_text(files[header])
    main = MAIN.format(header=header, namespace=header[:-2], slots=network.n_candidates)
    program = compile_cpp(main, tmp_path, optimize="-O1")
    rows = np.hstack([vertex.astype(object), words_of(candidates).astype(object)])
    got = np.array(run_numbers(program, " ".join(map(str, rows.ravel())))).reshape(-1, 2)
    assert np.count_nonzero(got != evaluate(network, distances(candidates, vertex))["met"]) == 0


PRODUCER = """
#include <cstdio>
#include "L1METDeepsetVertex_emulator_v1.cpp"
int main() {{
    hls4mlEmulator::Model* const model = create_model();
    std::vector<std::uint64_t> words({slots});
    int vertex;
    while (std::scanf("%d", &vertex) == 1) {{
        for (auto& word : words) if (std::scanf("%lu", &word) != 1) return 1;
        const auto* unchanging = &words;
        model->prepare_input(std::make_pair(unchanging, vertex));
        model->predict();
        std::array<std::int32_t, 2> met;
        model->read_result(&met);
        std::printf("%d %d\\n", met[0], met[1]);
    }}
    const auto* alone = &words;
    try {{
        model->prepare_input(alone);
    }} catch (const std::invalid_argument& error) {{
        std::fprintf(stderr, "%s", error.what());
    }}
    destroy_model(model);
}}
"""


def test_a_cmssw_producer_gives_words_and_the_vertex(tmp_path, raw):
    require("g++", shutil.which("g++") is not None, install="install g++")
    network, (candidates, vertex) = small_network(KIND), raw
    export_cmssw(network, tmp_path / "p", package="L1METDeepsetVertex", version="v1")
    folder = tmp_path / "p/L1METDeepsetVertex_v1"
    (folder / "main.cpp").write_text(PRODUCER.format(slots=network.n_candidates))
    include = f"-I{Path(__file__).with_name('emulator_extras') / 'include/hls4ml'}"
    command = ["g++", "-std=c++17", "-O1", "-I.", include, "main.cpp", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    rows = np.hstack([vertex.astype(object), words_of(candidates).astype(object)])
    text = " ".join(map(str, rows.ravel()))
    told = subprocess.run(
        ["./main"], cwd=folder, input=text, check=True, capture_output=True, text=True
    )
    got = np.array(told.stdout.split(), np.int64).reshape(-1, 2)
    assert np.count_nonzero(got != evaluate(network, distances(candidates, vertex))["met"]) == 0
    assert "prepare_input takes std::pair<const std::vector<std::uint64_t>*, int>" in told.stderr


@pytest.mark.parametrize("windows", [False, True], ids=["plain", "with windows"])
def test_icarus_with_a_vertex_that_is_unknown_but_at_first_beats(windows, tmp_path, raw, rng):
    """Four states, own words: what is X after the first beat reaches no output."""
    require("iverilog", shutil.which("iverilog") is not None, install="apt-get install iverilog")
    made, (candidates, vertex) = compiled(KIND), raw
    events = {name: codes[:60] for name, codes in candidates.items()}
    pins, top = pins_of(events, rng, vertex[:60]), f"l1met_{made.network.name}"
    text = simulate(made.design, top, made.sources, pins, tmp_path / "icarus", windows=windows)
    lines = [line.split() for line in text.splitlines()]
    assert {line[0] for line in lines} == {"MET", "GT"}, "no X, no stray"
    found = [line[2:] for line in lines if line[0] == "MET"]
    want = evaluate(made.network, distances(events, vertex[:60]))["met"]
    assert found == [[str(x), str(y), "0"] for x, y in want.tolist()]


def test_a_vertex_where_none_is_taken_and_none_where_one_is(tmp_path, raw):
    candidates, vertex = raw
    beats = beats_of(candidates, 3)
    pins = np.zeros(len(beats.marks), np.int16)
    nothing = ctypes.CDLL(None)
    with pytest.raises(ToolError, match="the design takes the z0 of a vertex; the input has none"):
        VerilatedModel(nothing, 3, (), vertex=True).run(beats.marks, beats.words)
    with pytest.raises(ToolError, match="the design takes no vertex; the input has one"):
        VerilatedModel(nothing, 3, ()).run(beats.marks, beats.words, vertex=pins)
    form = CppForm.compiled(small_network(KIND), tmp_path)
    with pytest.raises(DataError, match="reads z0 from a vertex; none was given with the words"):
        form.predict_words(words_of(candidates))
    with pytest.raises(DataError, match="needs 'vertex', the z0 of each event's vertex"):
        beats_of(candidates, 3, z0_origin="vertex")
    form = CppForm.compiled(small_network("deepset"), tmp_path)
    with pytest.raises(DataError, match="takes no vertex; one was given with the words"):
        form.predict_words(words_of(candidates), vertex)


def test_words_alone_are_refused_where_columns_are_taken(raw):
    candidates, vertex = raw
    network = small_network(KIND)
    with pytest.raises(DataError, match="words have z0 from the beam, network 'deepset_vertex'"):
        candidates_of(words_of(candidates), network)
    kept = candidates_of(distances(candidates, vertex), network)
    assert (kept["z0"] == distances(candidates, vertex)["z0"]).all()
    assert LoadedNetwork(network).units == {"z0": "0.05 cm from the vertex"}


def test_boards_without_a_link_for_it_are_refused_and_the_ip_core_has_the_port(tmp_path):
    network, links = small_network(KIND), LinkMap((0, 1, 2), 0)
    told = "has no link for a vertex, and network 'deepset_vertex' reads z0 from it"
    with pytest.raises(ConversionError, match=told):
        export_emp(network, RtlConfig(), tmp_path / "emp", links=links)
    words = np.zeros((2, network.n_candidates), np.uint64)
    with pytest.raises(ConversionError, match=told):
        export_vectors(network, words, tmp_path / "v", file_format="empv2", links=links)
    assert not list(tmp_path.iterdir())
    export_ip(network, RtlConfig(), tmp_path / "ip")
    verilog = (tmp_path / "ip/src/l1met_deepset_vertex.v").read_text()
    assert "input wire signed [9:0] vertex_z0," in verilog
    package = (tmp_path / "ip/l1met_deepset_vertex_pkg.vhd").read_text()
    assert "vertex_z0 : in std_logic_vector(9 downto 0);" in package


def test_the_file_says_where_z0_counts_from(tmp_path):
    network, plain = small_network(KIND), small_network("deepset")
    network.save(tmp_path / "n.json")
    assert Network.load(tmp_path / "n.json") == network
    assert network.reads_vertex
    assert not plain.reads_vertex
    assert '"origin"' not in plain.model_dump_json(), "files of other networks stay as they were"
    text = (tmp_path / "n.json").read_text().replace('"column": "z0"', '"column": "eta"')
    with pytest.raises(ConversionError, match="cannot work on nothing"):
        Network.parse(text.encode(), tmp_path / "n.json")
