"""HGQ2 models as integers: equal in every weight and coefficient, or refused by name."""

import gzip
import json
from pathlib import Path

import hgq2_models
import numpy as np
import pytest
from met_head import met_codes

from l1met_fpga.errors import ConversionError, ToolMissingError
from l1met_fpga.firmware.import_proof import expected_events, source_codes
from l1met_fpga.models.heads import MET
from l1met_fpga.models.importing import packages
from l1met_fpga.models.importing.assemble import assemble
from l1met_fpga.models.importing.files import import_file
from l1met_fpga.models.importing.steps import Graph

RECORDED = Path(__file__).parent.parent / "data" / "imported" / "hgq2_deepset.json.gz"
"""A calibrated model of tests/hgq2_models.py in steps, candidates, and what HGQ2 gives for them."""

INPUTS = hgq2_models.INPUTS


def from_keras(model, tmp_path, **values):
    """The model through a file, as it comes."""
    model.save(tmp_path / "model.keras")
    arguments = {"name": "theirs", "inputs": INPUTS} | values
    return import_file(tmp_path / "model.keras", MET, **arguments)


def test_a_recorded_model_of_hgq2_gives_its_weights_and_coefficients():
    with gzip.open(RECORDED) as file:
        recorded = json.load(file)
    assert recorded["graph"]["source"].startswith("hgq2 0.2.0, keras 3.")
    graph = Graph.model_validate(recorded["graph"])
    given = {name: np.array(values) for name, values in recorded["tensors"].items()}
    candidates = {name: np.array(codes, np.int16) for name, codes in recorded["candidates"].items()}

    def run(_arrays, names):
        return {name: given[name] for name in names}

    found = assemble(graph, MET, name="theirs", inputs=INPUTS, result_type=None, run=run)
    assert set(given) == {"weights", "coefficients"}
    assert np.unique(given["weights"]).size > 20
    codes = source_codes(found, candidates)
    assert np.array_equal(codes["met"], met_codes(found.network, candidates))
    types = {
        kind for node in found.network if node.op == "quantize_channels" for kind in node.types
    }
    assert len(types) > 5, "channels have types of their own"


def test_without_hgq2_the_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv(packages.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(packages, "find_spec", lambda _name: None)
    with pytest.raises(ToolMissingError, match=r"package 'hgq', .* --no-deps --target DIR hgq2"):
        packages.load_package("hgq")


# -- the real package -------------------------------------------------------------------------------

real = [pytest.mark.slow, pytest.mark.oracle("hgq2"), pytest.mark.filterwarnings("ignore")]
FAMILIES = (
    "one dense layer", "normalized", "dense with normalization", "convolution", "relu layer", "gated",
    "table", "saturating", "symmetric", "ties to even", "bits and integer bits", "narrow weights",
)  # fmt: skip

REFUSED = (
    "softmax", "slices", "types of every slot", "no quantizer", "a place that does not wrap",
    "a function", "candidates mixed", "a scale", "weights of no type", "a function of several types",
)  # fmt: skip


@pytest.fixture
def hgq2(monkeypatch):
    hgq2_models.require_hgq2()
    return hgq2_models


class TestRealPackage:
    """With HGQ2 itself."""

    pytestmark = real

    def test_deepset(self, hgq2, tmp_path):
        for seed in range(3):
            found = from_keras(hgq2.deepset(seed=seed), tmp_path)
            candidates, codes = expected_events(found, 500)
            assert np.array_equal(codes["met"], met_codes(found.network, candidates))
            assert set(found.compared) == {"weights", "coefficients"}

    @pytest.mark.parametrize("family", FAMILIES)
    def test_every_layer(self, hgq2, family, tmp_path):
        model = hgq2.one_weight(hgq2.one_weight_families()[family])
        found = from_keras(model, tmp_path)
        _, codes = expected_events(found, 500)
        assert np.unique(codes["met"]).size > 20, "the model says something"

    @pytest.mark.parametrize("case", REFUSED)
    def test_what_has_no_exact_form_is_refused(self, hgq2, case, tmp_path):
        weights_of, says = hgq2.refused()[case]
        with pytest.raises(ConversionError, match=says):
            from_keras(hgq2.one_weight(weights_of), tmp_path)

    def test_momentum_stays_in_the_network_s_type(self, hgq2, tmp_path):
        says = r"'weighted/iq1' quantizes px, py .*leave that quantizer away \(enable_iq=False"
        with pytest.raises(ConversionError, match=says):
            from_keras(hgq2.momentum_quantized(), tmp_path)

    def test_a_width_that_was_never_traced_is_not_bounded(self, hgq2, tmp_path):
        says = (
            r"w/iq0: its integer bits were set back and never traced, .*run hgq.utils.trace_minmax"
        )
        with pytest.raises(ConversionError, match=says):
            from_keras(hgq2.never_traced(), tmp_path)
