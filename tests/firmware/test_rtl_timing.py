"""The static timing against paths added up by hand."""

import pytest

from l1met_fpga.errors import ReportError
from l1met_fpga.firmware.rtl.delays import NETS, NetDelay
from l1met_fpga.firmware.rtl.netlist import read_netlist
from l1met_fpga.firmware.rtl.timing import analyse

NET = NetDelay(100, 10)  # a single load: 100 ps and 50 ps for its pin
CLOCK = {"C": [2]}


def cell(kind, parameters=None, **pins):
    return {"type": kind, "parameters": parameters or {}, "connections": pins}


def register(d, q):
    return cell("FDRE", **CLOCK, D=[d], Q=[q], CE=["1"], R=["0"])


def netlist(cells, names=None, ports=None):
    netnames = {
        name: {"hide_name": 0, "bits": bits} for name, bits in {"clk": [2], **(names or {})}.items()
    }
    module = {"cells": cells, "netnames": netnames, "ports": ports or {}, "attributes": {}}
    return read_netlist({"modules": {"top": module}})


def chain(n_carry, first=100):
    """A register, a LUT per bit, carries, a register behind the last sum bit."""
    cells = {"from": register(3, 10)}
    for i in range(8):
        cells[f"lut{i}"] = cell("LUT2", I0=[10], I1=["1"], O=[20 + i])
    for k in range(n_carry):
        carry_in = ["0"] if k == 0 else [first + 8 * (k - 1) + 7]
        cells[f"carry{k}"] = cell(
            "CARRY8", CI=carry_in, CI_TOP=["0"], S=list(range(20, 28)), DI=["0"] * 8,
            O=[200 + 8 * k + i for i in range(8)], CO=[first + 8 * k + i for i in range(8)],
        )  # fmt: skip
    cells["to"] = register(200 + 8 * n_carry - 1, 300)
    return netlist(cells, {"operand": [10], "sum": [300]})


def test_register_to_register_through_a_lut():
    cells = {"a": register(3, 10), "f": cell("LUT6", I0=[10], O=[11]), "b": register(11, 12)}
    mhz, worst, ends = analyse(netlist(cells, {"a": [10], "b": [12]}), NET)
    # clock to Q 77, wire 150, fastest LUT pin 35, same site 50, setup -25, uncertainty 135
    assert ends[0] == pytest.approx(77 + 150 + 35 + 50 - 25 + 135)
    assert mhz == pytest.approx(1e6 / ends[0])
    assert (worst[0].start, worst[0].through, worst[0].end) == ("a", "LUT", "b")
    assert (worst[0].levels, worst[0].fan_out) == (1, 1)


def test_fan_out_costs_its_logarithm():
    cells = {"a": register(3, 10)} | {f"b{i}": register(10, 20 + i) for i in range(8)}
    _, _, ends = analyse(netlist(cells), NET)
    # straight into a register: 100 ps in the site
    assert ends[0] == pytest.approx(77 + 100 + 3 * 10 + 50 + 100 - 25 + 135)


def test_a_carry_chain_costs_one_block_and_a_step_per_further_one():
    one, two = (analyse(chain(n), NET)[2][0] for n in (1, 2))
    start = 77 + 100 + 3 * 10 + 50 + 50 + 15  # register, 8 loads, LUT, into the select pin
    assert one == pytest.approx(start + 241 + 25 - 25 + 135)  # S0 to O7
    assert two == pytest.approx(start + 199 + 20 + 116 + 25 - 25 + 135)  # S0 to CO7, CI to O7
    assert analyse(chain(2), NET)[1][0].through == "LUT, carry"


def test_two_blocks_of_four_are_one_of_eight():
    low, high = list(range(20, 24)), list(range(24, 28))
    cells = {"from": register(3, 10)}
    for i in range(8):
        cells[f"lut{i}"] = cell("LUT2", I0=[10], I1=["1"], O=[20 + i])
    for k, (s, ci) in enumerate(((low, "0"), (high, 103))):
        cells[f"carry{k}"] = cell(
            "CARRY4", CI=[ci], CYINIT=["0"], S=s, DI=["0"] * 4,
            O=[200 + 4 * k + i for i in range(4)], CO=[100 + 4 * k + i for i in range(4)],
        )  # fmt: skip
    cells["to"] = register(207, 300)
    assert analyse(netlist(cells), NET)[2][0] == pytest.approx(analyse(chain(1), NET)[2][0])


def test_the_second_output_of_a_lut_depends_on_its_own_inputs_only():
    # O5 = I0, O6 = I0 xor I3: a chain through I3 and O6 does not go through O5
    table = "".join(str((i & 1) ^ (i >> 3 & 1) if i >= 32 else i & 1) for i in reversed(range(64)))
    lut = {"INIT": table}
    cells = {
        "a": register(3, 10),
        "x": cell("LUT6_2", lut, I0=[10], I3=["0"], I5=["1"], O5=[11], O6=[12]),
        "y": cell("LUT6_2", lut, I0=[10], I3=[11], I5=["1"], O5=[13], O6=[14]),
        "z": cell("LUT6_2", lut, I0=["0"], I3=[13], I5=["1"], O5=[15], O6=[16]),
        "b": register(16, 17),
    }
    _, worst, _ = analyse(netlist(cells), NET)
    assert worst[0].through == "2 LUT"


def test_product_and_operand_registers_are_in_the_dsp_slice():
    operands = {f"a{i}": register(30 + i, 40 + i) for i in range(4)}
    dsp = {"m": cell("DSP48E2", A=[40, 41], B=[42, 43], P=[50])}
    behind = {"product": register(50, 51), "out": register(51, 52), "after": register(52, 53)}
    _, worst, ends = analyse(netlist(operands | dsp | behind, {"p": [52], "q": [53]}), NET)
    # nothing to time inside the slice; its output register drives a wire
    assert len(ends) == 1
    assert ends[0] == pytest.approx(300 + 150 + 100 - 25 + 135)
    assert (worst[0].start, worst[0].end) == ("p", "q")


def test_ports_leave_time_to_the_neighbours():
    ports = {
        "clk": {"direction": "input", "bits": [2]},
        "d": {"direction": "input", "bits": [10]},
        "q": {"direction": "output", "bits": [12]},
    }
    cells = {"r": register(10, 12)}
    _, worst, ends = analyse(netlist(cells, {"d": [10], "q": [12]}, ports), NET)
    assert sorted(ends) == pytest.approx(sorted([300 + 150 + 100 - 25 + 135, 77 + 150 + 300 + 135]))
    assert {path.through for path in worst} == {"no logic"}


def test_settings_are_ordered():
    clocks = [analyse(chain(3), NETS[name])[0] for name in ("tight", "typical", "congested")]
    assert clocks == sorted(clocks, reverse=True)


def test_what_cannot_be_timed_is_an_error():
    with pytest.raises(ReportError, match="URAM288"):
        netlist({"u": cell("URAM288")})
    with pytest.raises(ReportError, match="flatten"):
        read_netlist({"modules": {}})
    loop = {"x": cell("LUT1", I0=[11], O=[10]), "y": cell("LUT1", I0=[10], O=[11])}
    with pytest.raises(ReportError, match="loop"):
        netlist(loop)
