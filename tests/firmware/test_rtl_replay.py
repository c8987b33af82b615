"""The 64-bit evaluation of traced logic: against da4ml where it is right, against int64 where not."""

import networks
import numpy as np
import pytest
from da4ml.trace import comb_trace
from met_head import met_codes
from rtl_designs import N_SLOTS, compile_sources, random_candidates, small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.rtl import blocks, primitives
from l1met_fpga.firmware.rtl.delays import NETS
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.forms import InterpreterForm, SimulationForm
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.firmware.rtl.replay import INTERPRETER_BITS, replay, widest
from l1met_fpga.firmware.rtl.schedule import Clock
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding

KINDS = ("deepset", "garnet", "deepmet")


@pytest.mark.parametrize("kind", KINDS)
def test_same_as_the_interpreter_where_that_is_right(kind):
    rng = np.random.default_rng(11)
    for block in build_design(small_network(kind), RtlConfig()).blocks:
        assert block.widest_bits <= INTERPRETER_BITS
        codes = np.stack([rng.integers(p.low, p.high + 1, 2000) for p in block.inputs], axis=1)
        expected = block.run(codes)
        found, frac_bits = replay(block.comb, codes, [p.frac_bits for p in block.inputs])
        for i, port in enumerate(block.outputs):
            value = found[:, i] * 2.0 ** -frac_bits[i]
            np.testing.assert_array_equal(value, expected[:, i] * 2.0**-port.frac_bits)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", list(Overflow))
def test_every_rounding_of_wide_numbers(rounding, overflow):
    """40-bit numbers into 20 bits, against FixedType."""
    port = blocks.Port(-(1 << 39), (1 << 39) - 1, 25)
    target = FixedType(True, 9, 10, rounding, overflow)
    variable = port.as_variable()
    block = blocks.trace(
        "wide",
        [variable],
        [primitives.quantize(variable, target)],
        clock=Clock(10_000, NETS["typical"], 5),
    )
    assert block.widest_bits > INTERPRETER_BITS
    rng = np.random.default_rng(12)
    middle = (rng.integers(-(1 << 19), 1 << 19, 500) << 15) + rng.choice([0, 1 << 14, 1], 500)
    codes = np.concatenate([rng.integers(port.low, port.high, 500), middle, [port.low, port.high]])
    found = block.run(codes[:, None])[:, 0] * 2.0 ** -block.outputs[0].frac_bits
    np.testing.assert_array_equal(found, target.decode(target.convert(codes, 25)))


def wide_network(kind, monkeypatch):
    """24-bit activations and 16-bit weights."""
    monkeypatch.setattr(networks, "HIDDEN", FixedType(True, 3, 20, Rounding.RND, Overflow.SAT))
    kernel = FixedType(True, 11, 4, Rounding.RND_CONV, Overflow.SAT)
    monkeypatch.setattr(networks, "KERNEL_SCALE", 1500.0)
    monkeypatch.setattr(networks, "KERNEL", kernel)
    monkeypatch.setattr(networks, "BIAS", kernel)
    return small_network(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_wide_activations_and_weights_agree_with_the_reference(kind, monkeypatch):
    network = wide_network(kind, monkeypatch)
    design = build_design(network, RtlConfig())
    assert max(block.widest_bits for block in design.blocks) > INTERPRETER_BITS
    rng = np.random.default_rng(13)
    stress = stress_events(rng, n_random=40, n_slots=N_SLOTS)
    for candidates in (random_candidates(rng, 200), stress):
        np.testing.assert_array_equal(
            InterpreterForm(design)(candidates)["met"], met_codes(network, candidates)
        )


@pytest.mark.slow
def test_the_verilog_of_wide_numbers_agrees_with_the_reference(monkeypatch, tmp_path):
    network = wide_network("deepmet", monkeypatch)
    project = write_project(network, RtlConfig(), tmp_path / "wide")
    model = compile_sources(project.sources, project.top, project.design.lanes)
    candidates = random_candidates(np.random.default_rng(14), 200)
    form = SimulationForm(project.design, model)
    np.testing.assert_array_equal(form(candidates)["met"], met_codes(network, candidates))


def test_numbers_beyond_64_bits_are_refused():
    port = blocks.Port(-(1 << 40), (1 << 40) - 1, 0)
    x = port.as_variable()
    logic = comb_trace([x], [x + x * 2.0**30])
    assert widest(logic) > 62
    with pytest.raises(ConversionError, match="make the types of the network narrower"):
        replay(logic, np.zeros((1, 1), np.int64), [0])
