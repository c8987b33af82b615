"""The network of jets in firmware: every head, and the trigger's words of the class scores."""

import shutil

import numpy as np
import pytest
from keras_models import MODELS
from require import require

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.build import build
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.keras import keras
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.score_words import score_words
from l1met_fpga.tasks.jets.task import TASK


@pytest.fixture(scope="module")
def network():
    """That of the recipe, with weights as they are before training."""
    keras.utils.set_random_seed(3)
    model = build(load_run(MODELS / "jets.yaml").model, TASK.heads)
    bake_weights(model)
    return export_network(model, TASK.heads)


@pytest.fixture(scope="module")
def jets():
    rng = np.random.default_rng(1)
    return stress_events(rng, n_random=500, n_slots=16, columns=tuple(COLUMNS))


def _differing(found, expected):
    assert found.keys() == expected.keys()
    return {head: np.count_nonzero(found[head] != codes) for head, codes in expected.items()}


@pytest.mark.parametrize("form", [CppForm, CmsswForm])
def test_exports_give_every_head(form, network, jets, tmp_path):
    for name in ("g++", "make"):
        require(name, shutil.which(name) is not None, install=f"install {name}")
    codes, gt_words = form.compiled(network, tmp_path).predict(jets)
    assert _differing(codes, evaluate(network, jets)) == {"flavour": 0, "pt_ratio": 0}
    assert not gt_words.any()  # no vector


def test_words_of_scores_are_those_of_the_integer_softmax(network, jets, tmp_path):
    require("g++", shutil.which("g++") is not None, install="install g++")
    form, bits = CppForm.compiled(network, tmp_path), network.type_of("flavour").frac_bits
    codes = form(jets)
    rng = np.random.default_rng(2)
    kind = network.type_of("flavour")
    codes["flavour"] = np.concatenate(
        [
            codes["flavour"],
            rng.integers(kind.min_code, kind.max_code + 1, (100_000, 8)),
            np.zeros((1, 8), int),
        ]
    )
    codes["pt_ratio"] = np.zeros((len(codes["flavour"]), 1), int)
    words = form.score_words(codes)
    assert list(words) == ["flavour"]
    assert np.count_nonzero(words["flavour"] != score_words(codes["flavour"], bits)) == 0


def test_one_jet_every_three_clocks(network):
    design = build_design(network, RtlConfig(lanes=6))
    assert design.beats == 3
