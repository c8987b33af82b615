"""Windows of the operator in the firmware: every form against int64 on events without those candidates."""

import shutil
import subprocess

import numpy as np
import pytest
from cpp import compile_cpp, run_numbers
from require import require
from rtl_designs import compile_sources, random_candidates, small_network, written

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.firmware.export.cpp import cpp_files
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.cordic import gt_words
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.windows import Window, candidates_outside, codes_of, in_windows
from l1met_fpga.puppi.words import pack

WINDOWS = (
    Window((-1300, -200), (-600, -100)),
    Window((0, 700), (650, -650)),  # over half a turn
    Window((500, 501), (0, 700)),
)


@pytest.fixture
def events(rng):
    """Events, and what is left of them; 100 of them lose a candidate or more."""
    candidates = random_candidates(rng, 200)
    hit = in_windows(candidates, WINDOWS) & (candidates["pt"] > 0)
    assert (hit.any(axis=1)).sum() > 100
    return candidates, candidates_outside(candidates, WINDOWS)


def words_of(candidates):
    zeros = np.zeros_like(candidates["pt"])
    return pack({name: candidates.get(name, zeros) for name in COLUMNS})


def test_rtl_drops_them_one_clock_later(events):
    network, project = written("deepset")
    design, head = project.design, project.design.network.heads[0]
    model = compile_sources(project.sources, project.top, design.lanes, windows=True)
    candidates, outside = events
    before = np.zeros(len(candidates["pt"]), np.int64)
    before[0] = 8
    beats = beats_of(candidates, design.lanes, before=before, trailing=200)
    beats.marks[:8] = Mark.RESET
    assert beats.columns is None  # all of it came as words
    for windows, left in (((), candidates), (WINDOWS, outside)):
        found, stray = model.run(beats.marks, beats.words, windows=codes_of(windows))
        want = evaluate(network, left)[head.name]
        got = np.stack([found["met_x"], found["met_y"]], axis=1)
        assert np.count_nonzero(got != want) == 0
        words = gt_words(network.type_of(head.name), want)
        assert np.count_nonzero(found["word"] != words) == 0
        assert stray == 0
        assert not found["error"].any()
        np.testing.assert_array_equal(found["cycle"] - beats.last, design.latency + 1)


def test_hls_words_drop_them(events, tmp_path):
    require("g++", shutil.which("g++") is not None, install="it compiles the C simulation")
    network, (candidates, outside) = small_network("deepset"), events
    config = HlsConfig(io_type="words", test_bench_events=len(candidates["pt"]))
    for name, given in (("all", candidates), ("outside", outside)):
        write_words_project(network, config, tmp_path / name, candidates=given)
    folder, data = tmp_path / "all", "tb_data/tb_output_predictions.dat"
    assert (folder / data).read_text() != (tmp_path / "outside" / data).read_text()
    bench = folder / "l1met_test.cpp"
    codes = ", ".join(f"{code}ull" for code in codes_of(WINDOWS))
    set_to = f"static const ap_uint<64> hot[4] = {{{codes}}};\nint main() {{"
    text = bench.read_text()
    assert "L1MET_NO_WINDOWS" in text
    bench.write_text(text.replace("L1MET_NO_WINDOWS", "hot,").replace("int main() {", set_to))
    shutil.copy(tmp_path / "outside" / data, folder / data)
    flags = ["-std=c++0x", "-w", "-O0", "-Ifirmware/ap_types", "-I.", "-DL1MET_WINDOWS"]
    command = ["g++", *flags, bench.name, "firmware/l1met.cpp", "-o", "bench"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    told = subprocess.run(["./bench"], cwd=folder, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-2000:]
    assert f"0 of {3 * len(candidates['pt'])} outputs differ" in told.stdout


MAIN = """
#include <cstdio>
#include "{header}"
int main() {{
    using namespace {namespace};
    Windows windows{{}};
    for (auto& window : windows) if (std::scanf("%lu", &window) != 1) return 1;
    unsigned long words[{slots}];
    while (true) {{
        for (auto& word : words) if (std::scanf("%lu", &word) != 1) return 0;
        const Result r = predict(words, {slots}, windows);
        std::printf("%ld %ld\\n", long(r.met_x), long(r.met_y));
    }}
}}
"""


def test_the_header_drops_them(events, tmp_path):
    network, (candidates, outside) = small_network("deepset"), events
    files = cpp_files(network)
    header = next(name for name in files if name.endswith(".h"))
    (tmp_path / header).write_text(files[header])
    main = MAIN.format(header=header, namespace=header[:-2], slots=network.n_candidates)
    program = compile_cpp(main, tmp_path, optimize="-O1")
    numbers = [*codes_of(WINDOWS).tolist(), *words_of(candidates).ravel().tolist()]
    got = np.array(run_numbers(program, " ".join(map(str, numbers)))).reshape(-1, 2)
    assert np.count_nonzero(got != evaluate(network, outside)["met"]) == 0
