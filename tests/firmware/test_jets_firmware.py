"""The network of jets in firmware: every head, and the trigger's words of the class scores."""

import shutil

import numpy as np
import pytest
from keras_models import MODELS
from require import require

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.check import compare_forms, require_agreement
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.forms import SimulationForm
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.firmware.score_heads import told_words
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.build import build
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.tasks.jets.task import TASK


@pytest.fixture(scope="module")
def network():
    """That of the recipe, with random weights."""
    rng = np.random.default_rng(3)
    model = build(load_run(MODELS / "jets.yaml").model, TASK.heads)
    model.set_weights([rng.normal(0, 0.3, weights.shape) for weights in model.get_weights()])
    bake_weights(model)
    return export_network(model, TASK.heads)


@pytest.fixture(scope="module")
def jets():
    rng = np.random.default_rng(1)
    return stress_events(rng, n_random=500, n_slots=16, columns=tuple(COLUMNS))


def _differing(found, expected):
    assert found.keys() == expected.keys()
    return {head: np.count_nonzero(found[head] != codes) for head, codes in expected.items()}


@pytest.fixture(scope="module")
def expected(network, jets):
    """Codes of both heads, and the words of the scores."""
    codes = evaluate(network, jets)
    return codes | told_words(network, codes)


NONE = {"flavour": 0, "pt_ratio": 0, "flavour_words": 0}


@pytest.mark.parametrize("form", [CppForm, CmsswForm])
def test_exports_give_every_head(form, network, jets, expected, tmp_path):
    for name in ("g++", "make"):
        require(name, shutil.which(name) is not None, install=f"install {name}")
    compiled = form.compiled(network, tmp_path)
    assert _differing(compiled(jets), expected) == NONE
    assert not compiled.predict(jets)[1].any()  # no vector, so no word for the global trigger


@pytest.mark.slow
def test_streaming_firmware_gives_every_head_and_the_words(network, jets, expected, tmp_path):
    require("g++", shutil.which("g++") is not None, install="install g++")
    project = write_project(network, RtlConfig(lanes=6), tmp_path)
    model = project.compile()
    assert _differing(SimulationForm(project.design, model)(jets), expected) == NONE
    assert project.design.beats == 3  # a jet every three clocks
    words = project.design.scores[project.design.network.heads[0]]
    assert project.design.clocks_after_heads == words.clocks == 15


@pytest.mark.slow
def test_a_network_before_its_training_is_firmware_too(jets, tmp_path):
    """All of its sums are multiplied by zero, so that no accumulator is left."""
    require("g++", shutil.which("g++") is not None, install="install g++")
    model = build(load_run(MODELS / "jets.yaml").model, TASK.heads)
    bake_weights(model)
    fresh = export_network(model, TASK.heads)
    project = write_project(fresh, RtlConfig(lanes=6), tmp_path)
    few = {name: codes[:200] for name, codes in jets.items()}
    codes = evaluate(fresh, few)
    found = SimulationForm(project.design, project.compile())(few)
    assert _differing(found, codes | told_words(fresh, codes)) == NONE
    assert (found["flavour_words"] == 16).all()


def test_firmware_of_words_gives_every_head_and_the_words(network, jets, expected, tmp_path):
    require("g++", shutil.which("g++") is not None, install="install g++")
    hls = HlsConfig(io_type="words", lanes=6)
    project = build_project(network, hls, tmp_path, jets)
    assert _differing(project.simulation(jets), expected) == NONE


def _logits(network):
    """Codes of any size, all equal ones, and some that differ by few counts."""
    rng = np.random.default_rng(2)
    kind = network.type_of("flavour")
    wide = rng.integers(kind.min_code, kind.max_code + 1, (100_000, 8))
    near = rng.integers(-20, 21, (1000, 8))
    return np.concatenate([wide, wide // 8, near, np.zeros((1, 8), int)])


def test_words_of_scores_are_those_of_the_integer_softmax(network, tmp_path):
    require("g++", shutil.which("g++") is not None, install="install g++")
    logits = _logits(network)
    codes = {"flavour": logits, "pt_ratio": np.zeros((len(logits), 1), int)}
    words = CppForm.compiled(network, tmp_path).score_words(codes)
    assert _differing(words, told_words(network, codes)) == {"flavour_words": 0}


def test_a_word_that_differs_is_found():
    codes = {"flavour": np.zeros((3, 2), np.int64)}
    words = {"flavour_words": np.full((3, 2), 64)}
    wrong = {"flavour_words": np.array([[64, 64], [64, 63], [64, 64]])}
    found = compare_forms(
        "int64", lambda _: codes,
        {"right": lambda _: codes | words, "wrong": lambda _: codes | wrong, "none": lambda _: codes},
        {"test": {"pt": np.zeros((3, 1), int)}}, words=lambda _: words,
    )  # fmt: skip
    assert {name: (one.outputs, one.differing) for name, one in found.items()} == {
        "right": (12, 0), "wrong": (12, 1), "none": (6, 0),
    }  # fmt: skip
    with pytest.raises(BitExactnessError, match="1 of 6 outputs of head 'flavour_words'"):
        require_agreement(found)
