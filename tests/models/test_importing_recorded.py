"""Models that real packages gave once (tests/models/record_imported.py), for machines without them."""

import gzip
import json
from pathlib import Path

import networks
import numpy as np
import pytest
from met_head import met_codes
from qonnx_models import CHANNELS
from rtl_designs import compile_sources

from l1met_fpga import packages
from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import BitExactnessError, ToolMissingError
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.import_proof import source_codes
from l1met_fpga.firmware.rtl.forms import InterpreterForm, SimulationForm
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.importing.assemble import assemble
from l1met_fpga.models.importing.steps import Graph
from l1met_fpga.tasks.met.task import MET

FOLDER = Path(__file__).parent.parent / "data" / "imported"
SOURCES = {"hgq2": "hgq2 0.2.0, keras 3.15.1", "qonnx": "qonnx 1.0.0"}


def recorded(source, result_type=None):
    """An assembled network that asks the recorded tensors, and the candidates."""
    with gzip.open(FOLDER / f"{source}_deepset.json.gz") as file:
        content = json.load(file)
    graph = Graph.model_validate(content["graph"])
    given = {name: np.array(values) for name, values in content["tensors"].items()}
    candidates = {name: np.array(codes, np.int16) for name, codes in content["candidates"].items()}

    def run(_arrays, names):
        return {name: given[name] for name in names}

    inputs = {"x": CHANNELS}
    found = assemble(graph, MET, name="theirs", inputs=inputs, result_type=result_type, run=run)
    return graph, given, found, candidates


@pytest.mark.parametrize("source", SOURCES)
def test_weights_and_coefficients_are_those_of_the_real_package(source):
    graph, given, found, candidates = recorded(source)
    assert graph.source == SOURCES[source]
    assert set(given) == {"weights", "coefficients"}
    assert all(np.unique(values).size > 5 for values in given.values()), "they say something"
    codes = source_codes(found, candidates)
    assert np.array_equal(codes["met"], met_codes(found.network, candidates))


def test_channels_of_hgq2_have_types_of_their_own():
    _, _, found, _ = recorded("hgq2")
    types = {
        kind for node in found.network if node.op == "quantize_channels" for kind in node.types
    }
    assert len(types) > 5


def test_a_difference_says_layer_event_and_place():
    _, given, found, candidates = recorded("qonnx")
    given["weights"][3, 2, 1] += 2.0**-5
    says = r"layer 'weights': 1 of 640 numbers differ .* event 3, index \[2, 1\]: the model gives"
    with pytest.raises(BitExactnessError, match=says):
        source_codes(found, candidates)


@pytest.mark.parametrize(
    ("name", "says"),
    [("hgq", r"package 'hgq', .* --no-deps --target DIR hgq2"), ("qonnx", r"l1met_fpga\[qonnx\]")],
)
def test_without_the_package_the_sentence_says_how_to_get_it(name, says, monkeypatch, tmp_path):
    monkeypatch.setenv(packages.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(packages, "find_spec", lambda _name: None)
    with pytest.raises(ToolMissingError, match=says):
        packages.load_package(name)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_every_form_of_the_firmware_gives_the_same(source, tmp_path):
    """RTL interpreted and simulated, C simulation, C++ header: 2,000 events each."""
    _, _, found, _ = recorded(source, result_type=networks.MET)
    network = found.network
    events = stress_events(np.random.default_rng(1), n_random=2000, n_slots=network.n_candidates)
    chosen = {name: codes[:2000] for name, codes in events.items()}
    project = write_project(network, RtlConfig(), tmp_path / "rtl")
    design, lanes = project.design, project.design.lanes
    hls = build_project(network, HlsConfig(), tmp_path / "hls", chosen)
    forms = {
        "rtl_interpreter": InterpreterForm(design),
        "rtl_verilator": SimulationForm(
            design, compile_sources(project.sources, project.top, lanes)
        ),
        "hls_csim": hls.simulation,
        "cpp": CppForm.compiled(network, tmp_path / "cpp"),
    }
    expected = met_codes(network, chosen)
    for name, form in forms.items():
        np.testing.assert_array_equal(form(chosen)["met"], expected, err_msg=name)
