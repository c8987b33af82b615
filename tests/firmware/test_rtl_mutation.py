"""The comparison is worth something only if it sees a single wrong bit in the generated Verilog."""

import re
import shutil

import numpy as np
import pytest
from rtl_designs import N_SLOTS, compile_sources, compiled, folder, random_candidates

from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.reference import evaluate, evaluate_nodes
from l1met_fpga.firmware.rtl.forms import SimulationForm
from l1met_fpga.firmware.stress import stress_events


def flip_a_sign(sources, top):
    """A summand of the perceptron is added instead of subtracted."""
    for path in sorted(sources.glob(f"{top}_perceptron_stage*.v"), reverse=True):
        text = path.read_text()
        match = re.search(r"(assign v\d+\[\d+:\d+\] = \S+(?: \S+)*) - ", text)
        if match:
            path.write_text(text.replace(match[0], f"{match[1]} + "))
            return
    raise AssertionError("no adder found")


def flip_a_table_entry(sources, top):
    """The lowest bit of one entry of the cosine table."""
    path = sources / f"{top}_momentum.v"
    text = path.read_text()
    match = re.search(r"quarter_cos\[57\] = (\d+)'d(\d+);", text)
    changed = f"quarter_cos[57] = {match[1]}'d{int(match[2]) ^ 1};"
    path.write_text(text.replace(match[0], changed))


def skip_a_pipeline_register(sources, top):
    """One bit of a register between two stages is passed by."""
    path = sources / f"{top}_perceptron.v"
    text = path.read_text()
    wire = ".model_inp(stage1_in)"
    assert wire in text
    path.write_text(
        text.replace(wire, ".model_inp({stage1_in[$bits(stage1_in)-1:1], stage0_out[0]})")
    )


def narrow_an_accumulator(sources, top):
    """An accumulator one bit too narrow for the largest sum among the events."""
    made = compiled("deepset")
    largest = max(
        int(
            np.abs(evaluate_nodes(made.network, events, ["vectors_sum"])["vectors_sum"][:, 0]).max()
        )
        for events in samples()
    )
    path = sources / f"{top}.v"
    text = path.read_text()
    match = re.search(r"reg signed \[(\d+):0\] t0_sum;", text)
    enough = largest.bit_length() + 1
    assert int(match[1]) + 1 >= enough
    path.write_text(text.replace(match[0], f"reg signed [{enough - 2}:0] t0_sum;"))


def samples():
    rng = np.random.default_rng(11)
    return [stress_events(rng, n_random=40, n_slots=N_SLOTS), random_candidates(rng, 200)]


MUTATIONS = [
    flip_a_sign,
    flip_a_table_entry,
    pytest.param(skip_a_pipeline_register, marks=pytest.mark.slow),
    pytest.param(narrow_an_accumulator, marks=pytest.mark.slow),
]


def differing(made, model):
    count = 0
    for events in samples():
        try:
            got = SimulationForm(made.design, model)(events)
        except BitExactnessError:
            return -1
        count += int((got != evaluate(made.network, events)).sum())
    return count


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_a_single_wrong_bit_is_detected(mutate):
    made = compiled("deepset")
    assert differing(made, made.model) == 0
    copy = folder() / mutate.__name__ / "src"
    shutil.copytree(made.sources, copy)
    top = f"l1met_{made.network.name}"
    mutate(copy, top)
    broken = compile_sources(copy, top, made.design.lanes)
    assert differing(made, broken) != 0
