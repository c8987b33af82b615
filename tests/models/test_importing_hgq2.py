"""HGQ2 models as integers: equal in every weight and coefficient, or refused by name."""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import hgq2_models
import numpy as np
import pytest
from met_head import met_codes

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.import_proof import expected_events
from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.models.importing.files import import_file
from l1met_fpga.tasks.met.task import MET

INPUTS = hgq2_models.INPUTS
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "hgq2_deepset.py"


def from_keras(model, tmp_path, **values):
    """The model through a file, as it comes."""
    model.save(tmp_path / "model.keras")
    arguments = {"name": "theirs", "inputs": INPUTS} | values
    return import_file(tmp_path / "model.keras", MET, **arguments)


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

    def test_100_000_events(self, hgq2, tmp_path):
        found = from_keras(hgq2.deepset(seed=1), tmp_path)
        for seed in range(10):
            candidates, codes = expected_events(found, 10_000, seed=seed)
            assert len(codes["met"]) == 10_000
            assert np.array_equal(codes["met"], met_codes(found.network, candidates))

    def test_the_worked_example(self, hgq2, tmp_path):
        """Its network with the weights of step 0, which give PUPPI MET."""
        spec = spec_from_file_location("example", EXAMPLE)
        example = module_from_spec(spec)
        spec.loader.exec_module(example)
        import_module("keras").utils.set_random_seed(1)
        model = example.build(16)
        found = from_keras(model, tmp_path, inputs={"x": example.FEATURES})
        candidates, codes = expected_events(found, 300)
        nodes = evaluate_nodes(found.network, candidates, ["weights"])
        first = found.network.node("weights").type.decode(nodes["weights"])[..., 0]
        assert np.median(first) == pytest.approx(1, abs=0.1)
        assert np.unique(codes["met"]).size > 100

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
