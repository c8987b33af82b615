"""Tensors side by side, of candidates and of events, with other binary points: every form gives int64's bits."""

import json

import numpy as np
import pytest
from met_head import met_codes
from networks import MET
from qonnx_models import require_qonnx
from rtl_designs import compiled, small_network
from test_reference import one_event

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.check import compare_forms, require_agreement
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.forms import int64_form
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.rtl.forms import InterpreterForm, SimulationForm
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network


def test_int64_agrees_with_exact_fractions(rng):
    network = small_network("joined")
    candidates = stress_events(rng, n_random=15, n_slots=6)
    codes = met_codes(network, candidates)
    for event in np.flatnonzero(np.arange(len(codes)) % 20 == 0):
        one = {name: [int(v) for v in column[event]] for name, column in candidates.items()}
        expected = [v * 2**MET.frac_bits for v in one_event(network, one)]
        assert codes[event].tolist() == expected, f"event {event}"
    assert np.unique(codes).size > 100


def hls(network, folder, candidates, **options):
    config = HlsConfig(**options, compiler_flags=("-O1",))
    return build_project(network, config, folder, candidates).simulation


def test_rtl_header_and_hls_words_agree(tmp_path, rng):
    network, made = small_network("joined"), compiled("joined")
    assert sum(isinstance(node, net.Concatenate) for node in network) == 4
    events = stress_events(rng, n_random=100, n_slots=network.n_candidates)
    forms = {
        "rtl_interpreter": InterpreterForm(made.design),
        "rtl_verilator": SimulationForm(made.design, made.model),
        "cpp": CppForm.compiled(network, tmp_path / "cpp"),
        "hls_words": hls(network, tmp_path / "words", events, io_type="words"),
    }
    require_agreement(compare_forms("int64", int64_form(network), forms, {"stress": events}))


@pytest.mark.slow
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_hls_arrays_agree(io_type, tmp_path, rng):
    network = small_network("joined")
    events = stress_events(rng, n_random=50, n_slots=network.n_candidates)
    forms = {"hls_csim": hls(network, tmp_path / "hls", events, io_type=io_type)}
    require_agreement(compare_forms("int64", int64_form(network), forms, {"stress": events}))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_qonnx_graph_agrees(tmp_path, rng):
    require_qonnx()
    from test_export_qonnx import assert_same

    network = small_network("joined")
    events = stress_events(rng, n_random=50, n_slots=network.n_candidates)
    assert_same(network, tmp_path / "network.onnx", events)


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        ("pooled", ["others_pooled"]),  # one tensor alone
        ("pooled", ["scalars_pooled", "fine"]),  # of the event and of candidates
        ("last", ["fine", "momentum"]),  # px, py are no channels
        ("last", ["fine", "pt"]),  # a column of one axis
    ],
)
def test_what_does_not_go_together_is_refused(node, inputs, tmp_path):
    content = json.loads(small_network("joined").model_dump_json())
    for one in content["nodes"]:
        if one["name"] == node:
            one["inputs"] = inputs
    says = rf"node '{node}' \(concatenate\) cannot work on"
    with pytest.raises(ConversionError, match=says):
        Network.parse(json.dumps(content).encode(), tmp_path / "network.json")
