"""The comparison is worth something only if it sees a single planted fault in the generated Verilog.

Faults of every kind (registers, tables, signs, widths, saturation, reset, handshake) are planted
by a seed, one at a time; the simulation must then differ from that of the files as generated, which
other tests hold to the reference bit by bit.
"""

import re
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from icarus_bench import FLUSH_CLOCKS, LANES, RESET_CLOCKS, pins_of, simulate
from require import require
from rtl_designs import N_SLOTS, folder, random_candidates, small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS

SEED = 5
"""Of the events."""
FAULTS = 6
"""Seed of the faults; the short sample is the beginning of the long one."""
N_SHORT, N_LONG, N_UNSHOWN = 3, 200, 6


@dataclass(frozen=True)
class Kind:
    """One kind of fault: where it can stand, and what the text becomes there."""

    name: str
    files: str
    pattern: str
    change: object


def flipped(text, bit):
    return str(int(text) ^ (1 << bit))


KINDS = [
    Kind("sign of a sum", "*_stage*.v", r"(assign v\d+\[.* )([+-])( .*;)$",
         lambda m, rng: m[1] + {"+": "-", "-": "+"}[m[2]] + m[3]),
    Kind("sign in a sum of three", "*_stage*.v", r"NEGATIVE\(3'b([01]{3})\)",
         lambda m, rng: f"NEGATIVE(3'b{int(m[1], 2) ^ (1 << int(rng.integers(3))):03b})"),
    Kind("choice of a multiplexer", "*_stage*.v", r"\? (\S.*) : (\S.*);$",
         lambda m, rng: f"? {m[2]} : {m[1]};"),
    Kind("register of a stage passed by", "*_perceptron.v", r"\.model_inp\(stage([1-9])_in\)",
         lambda m, rng: f".model_inp(stage{int(m[1]) - 1}_out)"),
    Kind("mask of empty slots", "*_perceptron.v", r"if \(keep\)", lambda m, rng: "if (~keep)"),
    Kind("high bit of a cosine", "*_momentum.v", r"(cosine\[(?:\d|[1-6]\d\d)\] = \d+'d)(\d+);",
         lambda m, rng: f"{m[1]}{flipped(m[2], int(rng.integers(8, 11)))};"),
    Kind("address of the sine", "*_momentum.v", r"-11'd360", lambda m, rng: "-11'd361"),
    Kind("momentum a clock early", "*_momentum.v", r"\.a\((cos|sin)_3\)",
         lambda m, rng: f".a({m[1]}_2)"),
    Kind("product a clock early", "*_product.v", r"assign p = m_out", lambda m, rng: "assign p = m"),
    Kind("words taken outside of beats", "*_lane.v", r"if \(take\)", lambda m, rng: "if (1'b1)"),
    Kind("weight waits a clock too long", "*_lane.v", r"DEPTH\((\d+)\)\) (wait_for_phi|delay_\w+)",
         lambda m, rng: f"DEPTH({int(m[1]) + 1})) {m[2]}"),
    Kind("sum not cleared", "*deepset.v", r"clear_\d+ \? (\d+)'sd0", lambda m, rng: f"1'b0 ? {m[1]}'sd0"),
    Kind("sign of an accumulator", "*deepset.v", r"_sum ([+-]) t", lambda m, rng: f"_sum {'-' if m[1] == '+' else '+'} t"),
    Kind("accumulator too narrow", "*deepset.v", r"reg signed \[(\d+):0\] (t\d+_sum)",
         lambda m, rng: f"reg signed [{int(m[1]) // 2}:0] {m[2]}"),
    Kind("mark a clock late", "*deepset.v", r"(clear_\d+ = first_at)\[(\d+)\]",
         lambda m, rng: f"{m[1]}[{int(m[2]) - 1}]"),
    Kind("handshake", "*deepset.v", r"wire start = r_valid & r_first|w_valid & ~rst|open <= ~r_last|\(open & room\)|& ~full\)|first_1 <= start|error_1 \| cut_short|last_1 \| cut_short",
         lambda m, rng: {"wire start = r_valid & r_first": "wire start = r_first",
                         "w_valid & ~rst": "w_valid", "open <= ~r_last": "open <= 1'b1",
                         "& ~full)": ")", "first_1 <= start": "first_1 <= r_valid",
                         "error_1 | cut_short": "error_1", "last_1 | cut_short": "last_1"}[m[0]]),
    Kind("reset left out", "*deepset.v", r"(open|last_after|first_after|error_after) <= \d+'[bd]0;",
         lambda m, rng: ";"),
    Kind("stray beats not seen", "*deepset.v", r"stray <= r_valid[^;]*;", lambda m, rng: "stray <= 1'b0;"),
    Kind("angle of a turn", "*_cordic.v", r"(turned_\d = \d+'d)(\d+);",
         lambda m, rng: f"{m[1]}{flipped(m[2], int(rng.integers(7, 19)))};"),
    Kind("direction of a turn", "*_cordic.v", r"\.OTHERWISE\(1'b1\)", lambda m, rng: ".OTHERWISE(1'b0)"),
    Kind("saturation of the size", "*_cordic.v", r"16'hffff", lambda m, rng: "16'h7fff"),
    Kind("bit of the word", "*_cordic.v", r"angle_q, size_q, some_q", lambda m, rng: "angle_q, size_q, 1'b1"),
    Kind("field of the word", "*_unpack.v", r"word\[(\d+):(\d+)\]",
         lambda m, rng: f"word[{int(m[1]) + 1}:{int(m[2]) + 1}]"),
    Kind("weight of charged candidates", "*_unpack.v", r"9'd256", lambda m, rng: "9'd3"),
]  # fmt: skip


def single_candidates(step):
    """One candidate of large pt in every direction, or every so many counts."""
    phi = np.arange(-720, 721, step)
    events = {name: np.zeros((len(phi), N_SLOTS), np.int16) for name in REQUIRED_COLUMNS}
    events["pt"][:, 0], events["phi"][:, 0] = 16383 - np.arange(len(phi)) * 8, phi
    events["pid"][:, 0] = np.arange(len(phi)) % 8
    events["puppi_weight"][:, 0] = np.where(events["pid"][:, 0] >= 2, 256, 200)
    return events


def all_pins(n_random, seed, *, step=1):
    """Events and faults of protocol, with rubbish on the pins between beats."""
    rng = np.random.default_rng(seed)
    stress = stress_events(rng, n_random=20, n_slots=N_SLOTS)
    drawn = (single_candidates(step), stress, random_candidates(rng, n_random))
    events = {name: np.concatenate([d[name] for d in drawn]) for name in REQUIRED_COLUMNS}
    rubbish = str.maketrans({"x": "2"})
    rows = [row.translate(rubbish) for row in pins_of(events, rng)]
    rows = ["".join(str(rng.integers(2)) if c == "2" else c for c in row) for row in rows]
    for clock in range(4 * RESET_CLOCKS + 60, len(rows), 97):  # a mark is missing, or a reset comes
        row = rows[clock]
        rows[clock] = ("1" + row[1:], row[:2] + "0" + row[3:], row[:3] + "0" + row[4:])[clock % 3]
    beats = [row for row in rows if row.startswith("01")][-12:]
    overlong = [f"01{int(i == 0)}{int(i == 11)}{row[4:]}" for i, row in enumerate(beats)]
    return [*rows, *overlong, *rows[-FLUSH_CLOCKS:]]


def run(project, sources, rows, work):
    shutil.rmtree(work, ignore_errors=True)
    return simulate(project.design, project.top, sources, rows, work)


def plant(sources, rng):
    """Change one place of one file; return what was done."""
    while True:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        places = [
            (path, match)
            for path in sorted(sources.glob(kind.files))
            for match in re.finditer(kind.pattern, path.read_text(), re.MULTILINE)
        ]
        assert places, f"nothing to change for {kind.name!r}"
        path, match = places[int(rng.integers(len(places)))]
        text = path.read_text()
        changed = text[: match.start()] + kind.change(match, rng) + text[match.end() :]
        if changed != text:
            path.write_text(changed)
            line = text.count("\n", 0, match.start()) + 1
            return f"{kind.name}: {path.name}:{line}: {match[0].strip()[:100]}"


def unseen(n_faults, seed):
    """Plant faults one at a time; return those that change nothing, in many more events either."""
    project = write_project(small_network("deepset"), RtlConfig(lanes=LANES), folder() / "faults")
    work = folder() / "faults" / "bench"
    short, long = all_pins(120, SEED, step=8), None
    want = run(project, project.sources, short, work)
    assert want.count("MET") > 300
    rng = np.random.default_rng(seed)
    missed = []
    for _ in range(n_faults):
        broken = folder() / "faults" / "broken"
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(project.sources, broken)
        what = plant(broken, rng)
        if run(project, broken, short, work) != want:
            continue
        if long is None:
            long = all_pins(600, SEED + 1)
            want_long = run(project, project.sources, long, work)
        if run(project, broken, long, work) == want_long:
            missed.append(what)
    return missed


def test_planted_faults_are_seen():
    require("iverilog", shutil.which("iverilog") is not None, install="apt install iverilog")
    assert unseen(N_SHORT, FAULTS) == []


@pytest.mark.slow
def test_two_hundred_planted_faults_are_seen():
    """All but those few that this network's values never show (a reset beside another one, ...)."""
    require("iverilog", shutil.which("iverilog") is not None, install="apt install iverilog")
    missed = unseen(N_LONG, FAULTS)
    assert len(missed) <= N_UNSHOWN, missed
