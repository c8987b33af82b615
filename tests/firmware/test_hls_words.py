"""HLS projects that take words: compiled as the vendor's scripts compile them, held to the bit."""

import subprocess

import numpy as np
import pytest
from networks import NETWORKS, random_deepset
from plain_networks import plain_network

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.check import compare_heads
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.hls.graph import build_graph
from l1met_fpga.firmware.hls.lint import lint
from l1met_fpga.firmware.hls.words_project import beats_per_event, write_words_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.puppi.columns import COLUMNS

VENDOR_FLAGS = ("-std=c++0x", "-w", "-Ifirmware/ap_types", "-I.")
WORDS = HlsConfig(io_type="words", compiler_flags=("-O1",), test_bench_events=2000)


def compiled(folder, source, *more):
    """Compile as ``add_files -cflags "-std=c++0x"`` does."""
    made = subprocess.run(
        ["g++", *VENDOR_FLAGS, source, *more, "-o", "bench"],
        cwd=folder, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-3000:]


def run_bench(folder):
    return subprocess.run(["./bench"], cwd=folder, check=False, capture_output=True, text=True)


def bench(folder):
    compiled(folder, "l1met_test.cpp", "firmware/l1met.cpp")
    return run_bench(folder)


@pytest.mark.parametrize(
    "name", ["deepset", *(pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS)]
)
def test_words_agree_in_every_stress_event(name, tmp_path, rng):
    network = NETWORKS[name]()
    candidates = stress_events(rng, n_random=400)
    built = build_project(network, WORDS, tmp_path / "hls", candidates)
    got, want = built.simulation(candidates), evaluate(network, candidates)
    found = compare_heads(want, got)
    assert len(candidates["pt"]) > 1000
    assert {head: one.differing for head, one in found.items()} == {"met": 0}
    told = bench(built.folder)
    assert told.returncode == 0, told.stderr[-2000:]
    assert f"0 of {3 * len(candidates['pt'])} outputs differ" in told.stdout, "px, py and the word"


QUICK = ("puppi_weight", "z0")  # the others are cut out in the same way


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name in COLUMNS
        if name not in ("pt", "phi")
    ],
)
def test_every_column_comes_out_of_its_bits(column, tmp_path, rng):
    network = plain_network(column, kernel=1, n_candidates=4)
    columns = tuple(dict.fromkeys(("pt", "phi", "pid", column)))
    candidates = stress_events(rng, n_random=20, n_slots=4, columns=columns)
    write_words_project(network, WORDS, tmp_path / "hls", candidates=candidates)
    told = bench(tmp_path / "hls")
    assert told.returncode == 0, told.stderr[-2000:]


def test_the_test_bench_sees_one_wrong_code_and_one_wrong_word(tmp_path, rng):
    network = plain_network(n_candidates=4)
    candidates = stress_events(rng, n_random=20, n_slots=4)
    write_words_project(network, WORDS, tmp_path / "hls", candidates=candidates)
    path = tmp_path / "hls" / "tb_data" / "tb_output_predictions.dat"
    expected = np.loadtxt(path, dtype=np.uint64, converters=lambda t: int(t) % 2**64)
    assert bench(tmp_path / "hls").returncode == 0
    for number, name in enumerate(("met_x", "met_y", "gt_word")):
        wrong = [list(row) for row in expected.astype(np.int64).tolist()]
        wrong[7][number] += 1
        path.write_text("".join(" ".join(map(str, row)) + "\n" for row in wrong))
        told = run_bench(tmp_path / "hls")
        assert told.returncode == 1
        assert f"event 7 {name}: expected" in told.stderr


PROTOCOL = """
#include "firmware/l1met.cpp"
#include <cstdio>
// pt 4 GeV along +x in lane 0, junk where a call is no beat
int main() {
    const char *calls[] = {
        "FL", ".", "F", "junk", "M", "L",    // one beat; three beats with a gap
        "M",                                 // outside of an event
        "F", "FL",                           // last mark missing: the next event begins
        "F", "M", "M", "M", "L",             // five beats, of which three belong to an event
        "FL",
    };
    for (const char *call : calls) {
        const bool first = call[0] == 'F', last = call[0] == 'L' || call[1] == 'L';
        const bool valid = call[0] != '.' && call[0] != 'j';
        ap_uint<64> words[3] = {valid ? 16ull | (2ull << 37) : 0x123456789abcdefull, 0, 0};
        if (!valid) words[1] = words[2] = words[0];
        ap_uint<1> out_valid, error, lost;
        auto x = decltype(l1met_plain::Result::met_x)(0);
        auto y = decltype(l1met_plain::Result::met_y)(0);
        ap_uint<64> word;
        l1met(words, valid, first || !valid, last || !valid, out_valid, error, lost, x, y, word);
        std::printf("%d%d%d %ld %d\\n", int(out_valid), int(error), int(lost), x.to_int64(),
                    int(word & 1));
    }
}
"""


def test_marks_are_followed_and_broken_events_say_so(tmp_path, rng):
    network = plain_network(n_candidates=9)
    candidates = stress_events(rng, n_random=1, n_slots=9)
    write_words_project(network, WORDS, tmp_path / "hls", candidates=candidates)
    (tmp_path / "hls" / "calls.cpp").write_text(PROTOCOL)
    compiled(tmp_path / "hls", "calls.cpp")
    told = run_bench(tmp_path / "hls")
    one = -4 * 32  # counts of 1/32 GeV
    rows = [tuple(line.split()) for line in told.stdout.splitlines()]
    quiet = ("000", "0", "0")
    assert rows == [
        ("100", str(one), "1"), quiet, quiet, quiet, quiet, ("100", str(3 * one), "1"),
        ("001", "0", "0"),
        quiet, ("101", str(one), "1"),
        quiet, quiet, quiet, quiet, ("110", str(3 * one), "0"),
        ("100", str(one), "1"),
    ]  # fmt: skip


def test_interval_and_pragmas_are_those_asked_for(tmp_path, rng):
    network = random_deepset()
    candidates = stress_events(rng, n_random=1)
    assert beats_per_event(network, HlsConfig(io_type="words")) == 43
    assert beats_per_event(network, HlsConfig(io_type="words", lanes=4)) == 32
    for backend, rom in (("Vitis", "BIND_STORAGE"), ("Vivado", "RESOURCE")):
        config = HlsConfig(io_type="words", backend=backend)
        write_words_project(network, config, tmp_path / backend, candidates=candidates)
        text = (tmp_path / backend / "firmware" / "l1met.cpp").read_text()
        assert "#pragma HLS PIPELINE II=1\n" in text
        assert f"#pragma HLS {rom} variable=momentum_quarter" in text
        assert text.count("static ap_int<") == 2, "the two pools accumulate"
        assert "43 beats" in (tmp_path / backend / "firmware" / "l1met.h").read_text()
        assert '-cflags "-std=c++0x"' in (tmp_path / backend / "build_prj.tcl").read_text()


def test_hls4ml_is_not_asked_for_words(tmp_path):
    sentence = "`words` is written from a trained network by `l1met synthesize`"
    with pytest.raises(ConversionError, match=sentence):
        build_graph(random_deepset(), WORDS, tmp_path)
    with pytest.raises(ConversionError, match=sentence):
        lint(None, WORDS)
