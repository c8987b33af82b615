"""Bench for Icarus Verilog that shares nothing with the package: own words, own decoding."""

import subprocess

from rtl_designs import N_SLOTS

LANES = 3
RESET_CLOCKS, FLUSH_CLOCKS = 3, 60
VERTEX_BITS = 10

BENCH = """\
`timescale 1ns / 1ps
module bench;
    reg clk = 0, rst, in_valid, in_first, in_last;
    reg [{words}:0] in_words;
    reg signed [{vertex} - 1:0] vertex_z0;
    wire stray, met_valid, met_error, gt_valid;
    wire signed [{met}:0] met_x, met_y;
    wire [63:0] gt_word;
    {top} dut (.clk(clk), .rst(rst), .in_valid(in_valid), .in_first(in_first),
        .in_last(in_last), .in_words(in_words), {beside} .stray(stray), .met_valid(met_valid),
        .met_error(met_error), .met_x(met_x), .met_y(met_y), .gt_valid(gt_valid), .gt_word(gt_word));
    reg [{words} + {vertex} + 4:0] pins [0:{clocks} - 1];
    integer i;
    initial begin
        $readmemb("pins.txt", pins);
        for (i = 0; i < {clocks}; i = i + 1) begin
            {{rst, in_valid, in_first, in_last, vertex_z0, in_words}} = pins[i];
            #1;
            if (i >= {settled} && (^{{stray, met_valid, met_error, met_x, met_y, gt_valid, gt_word}}) === 1'bx)
                $display("X %0d", i);
            if (stray === 1'b1) $display("STRAY %0d", i);
            if (met_valid === 1'b1) $display("MET %0d %0d %0d %b", i, met_x, met_y, met_error);
            if (gt_valid === 1'b1) $display("GT %0d %h", i, gt_word);
            clk = 1;
            #1;
            clk = 0;
        end
        $finish;
    end
endmodule
"""


def word(events, event, slot):
    """pt 13:0, eta 25:14, phi 36:26, pid 39:37, z0 49:40 if charged, weight 48:40 if neutral."""
    pt, eta, phi, pid, weight, z0 = (
        int(events[name][event, slot]) if name in events else 0
        for name in ("pt", "eta", "phi", "pid", "puppi_weight", "z0")
    )
    bits = pt | (eta & 0xFFF) << 14 | (phi & 0x7FF) << 26 | pid << 37
    return bits | (weight if pid < 2 else z0 & 0x3FF) << 40


def pins_of(events, rng, vertex=None):
    """One row of pins per clock; idle clocks are X, and so is the vertex but at first beats."""
    unknown = "x" * VERTEX_BITS
    idle = "0" + "0" + "x" * (2 + 64 * LANES) + unknown
    rows = ["1" + idle[1:]] * RESET_CLOCKS + [idle] * FLUSH_CLOCKS
    for event, pt in enumerate(events["pt"]):
        beats = max(1, -(-int((pt > 0).sum()) // LANES))
        for beat in range(beats):
            rows += [idle] * int(rng.integers(0, 3))
            slots = range(LANES * beat, LANES * (beat + 1))
            words = [word(events, event, s) if s < N_SLOTS else 0 for s in slots]
            marks = f"01{int(beat == 0)}{int(beat == beats - 1)}"
            told = vertex is not None and beat == 0
            z0 = f"{int(vertex[event, 0]) & 0x3FF:0{VERTEX_BITS}b}" if told else unknown
            rows.append(marks + z0 + "".join(f"{w:064b}" for w in reversed(words)))
    return rows + [idle] * FLUSH_CLOCKS


def simulate(design, top, sources, rows, work, *, windows=False):
    """Lines that the bench prints for the Verilog files of a folder."""
    work.mkdir()
    (work / "pins.txt").write_text("\n".join(rows) + "\n")
    beside = ".vertex_z0(vertex_z0)," if design.network.reads_vertex else ""
    bench = BENCH.format(
        top=top, words=64 * LANES - 1, met=design.numbers[0].bits - 1, vertex=VERTEX_BITS,
        beside=beside + (" .windows(188'd0)," if windows else ""),
        clocks=len(rows), settled=RESET_CLOCKS + FLUSH_CLOCKS,
    )  # fmt: skip
    (work / "bench.v").write_text(bench)
    files = [str(path) for path in sorted(sources.glob("*.v"))]
    options = ["-g2012", *(["-DL1MET_WINDOWS"] if windows else [])]
    subprocess.run(["iverilog", *options, "-o", "bench", "bench.v", *files], cwd=work, check=True)
    run = subprocess.run(["vvp", "bench"], cwd=work, check=True, capture_output=True, text=True)
    return run.stdout
