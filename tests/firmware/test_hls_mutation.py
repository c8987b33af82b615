"""A single planted fault in the generated C++ for synthesis changes what comes out.

Faults of every kind (weights, tables, widths, signs, rounding, saturation, sums, handshake, fields, CORDIC) are
planted by a seed, one at a time; the top function, clock by clock, must then give something else than that of
the files as generated, which other tests hold to the reference bit by bit.
"""

import re
import shutil
import subprocess

import numpy as np
import pytest
from networks import random_deepset
from require import require
from rtl_designs import N_SLOTS, folder
from test_rtl_mutation import Kind, all_pins, flipped

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.stress import stress_events

SEED = 5
"""Of the events."""
FAULTS = 8
"""Seed of the faults; the short sample is the beginning of the long one."""
N_SHORT, N_LONG, N_UNSHOWN = 2, 200, 6
FLAGS = ("-std=c++0x", "-w", "-O0", "-Ifirmware/ap_types", "-I.")

BENCH = """
#include <cstdio>
#include "firmware/l1met.h"
int main() {
    l1met_deepset::Result r;
    unsigned long long row[4];
    while (std::fread(row, sizeof row, 1, stdin) == 1) {
        const ap_uint<64> words[3] = {row[1], row[2], row[3]};
        l1met(words, row[0] & 1, row[0] >> 1 & 1, row[0] >> 2 & 1, r.valid, r.error, r.lost, r.met_x, r.met_y, r.gt_word);
        std::printf("%d%d%d", int(r.valid), int(r.error), int(r.lost));
        if (r.valid == 1)
            std::printf(" %d %d %llx", int(r.met_x), int(r.met_y), (unsigned long long)r.gt_word.to_uint64());
        std::printf("\\n");
    }
}
"""

NEGATED = {"+": "-", "-": "+"}
HANDSHAKE = {
    "start = valid && first": "start = first",
    "valid && (first || open)": "valid",
    "!first && beats == kBeats": "beats == kBeats",
    "take = inside && !full": "take = inside",
    "done = inside && last": "done = valid && last",
    "inside && !first && (overlong || full)": "inside && (overlong || full)",
    "(overlong || full)": "full",
    "done && overlong": "overlong",
    "(start && open) ||": "",
    "|| (valid && !first && !open)": "",
    "if (start) beats = 1;\n    else if": "if",
    "if (inside) open": "open",
    "open = !last": "open = true",
    "if (result.error == 1) result": "result",
    "if (last) {": "{",
}

KINDS = [
    Kind("weight", "", r"Unsigned>\((-?\d+)\) \* x", lambda m, rng: f"Unsigned>({int(m[1]) + 16}) * x"),
    Kind("bias", "", r"Int>\(static_cast<Plain<\w+>::Unsigned>\((-?\d+)\)",
         lambda m, rng: m[0].replace(f"({m[1]})", f"({int(m[1]) + 64})")),
    Kind("input of a product", "", r"\) \* x(\d+)", lambda m, rng: f") * x{int(m[1]) ^ 1}"),
    Kind("high bit of a cosine", "", r"(?<=[{ ])(\d{2,4})(?=,)", lambda m, rng: flipped(m[1], int(rng.integers(7, 10)))),
    Kind("too narrow", "", r"    (?:static )?ap_int<(\d+)> (\w+_|\w+_sum)\[",
         lambda m, rng: m[0].replace(f"<{m[1]}>", f"<{int(m[1]) // 2}>")),
    Kind("sign of a sum", "", r"take_sum<(-?)1", lambda m, rng: f"take_sum<{'' if m[1] else '-'}1"),
    Kind("sum not cleared", "", r"(add_products\(.*), first,", lambda m, rng: f"{m[1]}, false,"),
    Kind("sum cleared always", "", r"(add_products\(.*), first,", lambda m, rng: f"{m[1]}, true,"),
    Kind("binary point", "", r"(quantize|converted|project)<(std::int\d+_t), (\d+)",
         lambda m, rng: f"{m[1]}<{m[2]}, {int(m[3]) + 1}"),
    Kind("limit", "", r"Overflow::saturate, (-?\d+), (\d+)>",
         lambda m, rng: f"Overflow::saturate, {m[1]}, {int(m[2]) // 2}>"),
    Kind("code of a flag", "", r"x == (\d)", lambda m, rng: f"x == {int(m[1]) ^ 1}"),
    Kind("absolute value", "", r"x < 0 \? -x : x", lambda m, rng: "x"),
    Kind("mask of empty slots", "", r"!= 0 \? 1 : 0", lambda m, rng: ">= 0 ? 1 : 0"),
    Kind("words taken outside of beats", "", r"take \? (given_\w+)", lambda m, rng: f"true ? {m[1]}"),
    Kind("handshake", "", "|".join(map(re.escape, HANDSHAKE)), lambda m, rng: HANDSHAKE[m[0]]),
    Kind("field of the word", "", r"word\.range\((\d+), (\d+)\)(?! >=)",
         lambda m, rng: f"word.range({int(m[1]) + 1}, {int(m[2]) + 1})"),
    Kind("which are charged", "", r"range\(39, 37\) >= 2", lambda m, rng: "range(39, 37) >= 3"),
    Kind("weight of charged candidates", "", r"ap_uint<9>\(256\)", lambda m, rng: "ap_uint<9>(3)"),
    Kind("angle of a turn", "", r"(?<=[{ ])(131072|77376|40884|20753|10417)(?=,)",
         lambda m, rng: flipped(m[1], int(rng.integers(9, 12)))),
    Kind("direction of a turn", "", r"y < 0 \? -1 : 0", lambda m, rng: "y < 0 ? 0 : -1"),
    Kind("behind", "", r"behind \? -(right|up) : ", lambda m, rng: "false ? 0 : "),
    Kind("half a turn", "", r"behind \? \d+ : 0", lambda m, rng: "0"),
    Kind("gain", "", r"plain\(x\) \* (\d+)", lambda m, rng: f"plain(x) * {flipped(m[1], 12)}"),
    Kind("saturation of the size", "", r"size < 65535 \? size : 65535", lambda m, rng: "size & 65535"),
    Kind("bit of the word", "", r"pt_code != 0|pt_code << 1|phi_code << 17",
         lambda m, rng: {"pt_code != 0": "pt_code == 0", "pt_code << 1": "pt_code << 2",
                         "phi_code << 17": "phi_code << 16"}[m[0]]),
    Kind("coefficient and vector", "", r"met_xy_\[(\d)\]\[0\]\)", lambda m, rng: f"met_xy_[{1 - int(m[1])}][0])"),
]  # fmt: skip


def command(*arguments, work):
    subprocess.run(["g++", *FLAGS, *arguments], cwd=work, check=True, capture_output=True)


def rows_of(pins):
    """Marks and words, clock by clock; there is no reset in a function."""
    lanes = [[int(row[4 + 64 * i : 68 + 64 * i], 2) for i in (2, 1, 0)] for row in pins]
    marks = [int(row[1]) | int(row[2]) << 1 | int(row[3]) << 2 for row in pins]
    return np.array([[m, *w] for m, w in zip(marks, lanes, strict=True)], np.uint64).tobytes()


def project():
    """The generated project, and the bench as an object file."""
    work = folder() / "hls_faults"
    if not (work / "bench.o").is_file():
        events = stress_events(np.random.default_rng(1), n_random=2, n_slots=N_SLOTS)
        config = HlsConfig(io_type="words", test_bench_events=4)
        # no weight is zero: a fault of a feature that nothing reads could not be seen
        network = random_deepset(
            31, phi_units=(6,), n_vector_pools=2, n_scalar_pools=2, rho_units=(4,),
            n_candidates=N_SLOTS, zero_fraction=0.0,
        )  # fmt: skip
        write_words_project(network, config, work, candidates=events)
        (work / "bench.cpp").write_text(BENCH)
        command("-c", "bench.cpp", "-o", "bench.o", work=work)
    return work


def outcome(text, rows, work):
    """What comes out of a top function; one that g++ refuses is no planted fault but an error here."""
    (work / "firmware" / "broken.cpp").write_text(text)
    command("firmware/broken.cpp", "bench.o", "-o", "broken", work=work)
    return subprocess.run(
        ["./broken"], cwd=work, input=rows, capture_output=True, check=False
    ).stdout


def planted(text, rng):
    """Change one place; return the text and what was done."""
    start = text.index("// -- the network --")
    while True:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        places = list(re.finditer(kind.pattern, text[start:]))
        assert places, f"nothing to change for {kind.name!r}"
        match = places[int(rng.integers(len(places)))]
        at, end = start + match.start(), start + match.end()
        changed = text[:at] + kind.change(match, rng) + text[end:]
        if changed != text and not _of_windows(text, at):
            return changed, f"{kind.name}: line {text.count(chr(10), 0, at) + 1}: {match[0][:80]}"


def _of_windows(text, at):
    """Whether a place is in the function for the operator's windows, which is not called here."""
    return (
        text.index("inline ap_uint<64> kept(") < at < text.index("/// Take candidate words apart.")
    )


def unseen(n_faults, seed):
    work = project()
    text = (work / "firmware" / "l1met.cpp").read_text()
    short, long = rows_of(all_pins(60, SEED)), None
    want = outcome(text, short, work)
    assert want.count(b" ") > 1500, "there are events"
    rng, missed = np.random.default_rng(seed), []
    for _ in range(n_faults):
        changed, what = planted(text, rng)
        if outcome(changed, short, work) != want:
            continue
        if long is None:
            long = rows_of(all_pins(600, SEED + 1))
            want_long = outcome(text, long, work)
        if outcome(changed, long, work) == want_long:
            missed.append(what)
    return missed


@pytest.fixture(autouse=True)
def compiler():
    require("g++", shutil.which("g++") is not None, install="apt install g++")


def test_every_kind_of_fault_has_a_place():
    """A kind that stands nowhere plants nothing."""
    text = (project() / "firmware" / "l1met.cpp").read_text()
    body = text[text.index("// -- the network --") :]
    for kind in KINDS:
        assert re.search(kind.pattern, body), kind.name
    for place in HANDSHAKE:
        assert place in body, place


def test_planted_faults_are_seen():
    assert unseen(N_SHORT, FAULTS) == []


@pytest.mark.slow
def test_two_hundred_planted_faults_are_seen():
    """All but those few that this network's values never show, as in the RTL."""
    missed = unseen(N_LONG, FAULTS)
    assert len(missed) <= N_UNSHOWN, missed
