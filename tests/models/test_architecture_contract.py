"""What every architecture promises for every kind of head that it says it can give.

The cases come from the registry: an architecture cannot be added without passing.
"""

from functools import partial

import numpy as np
import pytest
from contract import (
    CASES,
    HEADS,
    N_SLOTS,
    events,
    name_of,
    random_model,
    random_network,
    small_config,
)
from require import require

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.check import compare_forms, require_agreement
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.forms import int64_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.hls.graph import build_graph
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.forms import InterpreterForm
from l1met_fpga.firmware.rtl.project import rtl_forms
from l1met_fpga.firmware.rtl.project import write_project as write_rtl
from l1met_fpga.firmware.score_heads import told_words
from l1met_fpga.firmware.tools import find_tool
from l1met_fpga.models.build import build
from l1met_fpga.models.export import export_network
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model, predict, save_model
from l1met_fpga.puppi.columns import PT_LSB_GEV
from l1met_fpga.puppi.sums import puppi_met_xy_gev

pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotUniform")  # of few weights
every_case = pytest.mark.parametrize(("architecture", "kinds"), CASES, ids=map(name_of, CASES))


@every_case
def test_the_model_survives_its_file_and_exports_named_heads(architecture, kinds, tmp_path):
    model = random_model(architecture, kinds)
    network = random_network(architecture, kinds)
    assert [head.name for head in network.heads] == [HEADS[kind].name for kind in kinds]
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert export_network(again, [HEADS[kind] for kind in kinds]) == network
    network.save(tmp_path / "network.json")
    assert Network.load(tmp_path / "network.json") == network


@every_case
def test_keras_the_int64_reference_and_the_traced_rtl_agree(architecture, kinds):
    network = random_network(architecture, kinds)
    candidates = events(network)
    names = [HEADS[kind].name for kind in kinds]
    values = predict(random_model(architecture, kinds), names, candidates)
    keras_form = lambda _: network.codes(values)
    design = build_design(network, RtlConfig(lanes=3))
    forms = {"int64": int64_form(network), "rtl_interpreter": InterpreterForm(design)}
    require_agreement(compare_forms("keras", keras_form, forms, {"stress": candidates}))
    for name, codes in evaluate(network, candidates).items():
        assert len(np.unique(codes)) > 3, f"{name} says something"


@every_case
def test_hls4ml_keeps_every_type(architecture, kinds, tmp_path):
    network = random_network(architecture, kinds)
    for io_type in ("io_parallel", "io_stream"):
        graph = build_graph(network, HlsConfig(io_type=io_type), tmp_path / io_type)
        assert len(graph.model.get_output_variables()) == len(kinds)


@every_case
def test_training_starts_from_plain_sums(architecture, kinds):
    rng = np.random.default_rng(3)
    network = random_network(architecture, kinds)
    candidates = {name: codes[::7] for name, codes in events(network).items()}
    small = {**candidates, "pt": np.minimum(candidates["pt"], rng.integers(0, 200))}
    heads = [HEADS[kind] for kind in kinds]
    for variant in ("float", "quantized"):
        model = build(small_config(architecture), heads, variant=variant)
        values = predict(model, [head.name for head in heads], small)
        if "vector" in kinds:
            # GeV per candidate: half a count of the momentum, of the table times 50 GeV
            tolerance = N_SLOTS * (2.0**-4 + 50 * 2.0**-12)
            expected = puppi_met_xy_gev(small)
            np.testing.assert_allclose(values["recoil"], expected, atol=tolerance)
        if "scalar" in kinds:
            expected = small["pt"].sum(axis=1, keepdims=True) * PT_LSB_GEV
            np.testing.assert_allclose(values["activity"], expected, atol=0.1)


@pytest.mark.slow
@every_case
def test_every_form_agrees_bit_by_bit(architecture, kinds, tmp_path):
    for tool in ("g++", "make"):
        require(tool, find_tool(tool) is not None, install="install GCC and make")
    network = random_network(architecture, kinds, seed=1)
    candidates = events(network)
    forms = {
        "cpp": CppForm.compiled(network, tmp_path / "cpp"),
        "cmssw": CmsswForm.compiled(network, tmp_path / "cmssw"),
        **rtl_forms(write_rtl(network, RtlConfig(lanes=3), tmp_path / "rtl")),
    }
    for io_type in ("io_parallel", "io_stream"):
        config, folder = HlsConfig(io_type=io_type), tmp_path / io_type
        write_project(network, config, folder, candidates=candidates)
        library = compile_csim(folder, top=config.top_function, flags=("-O0",))
        forms[f"hls_{io_type}"] = CSimulation(library, network)
    words = HlsConfig(io_type="words", compiler_flags=("-O0",))
    forms["hls_words"] = build_project(network, words, tmp_path / "words", candidates).simulation
    samples, told = {"stress": candidates}, partial(told_words, network)
    found = compare_forms("int64", int64_form(network), forms, samples, words=told)
    require_agreement(found)
    with_words = {form for form, one in found.items() if "flavour_words" in one.heads}
    every = {"cpp", "cmssw", "rtl_verilator", "hls_words"}
    assert with_words == (every if "classes" in kinds else set())
