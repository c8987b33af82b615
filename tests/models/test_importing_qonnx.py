"""QONNX graphs as integers: every tensor is that of qonnx's own executor, or refused by name."""

import numpy as np
import pytest
import qonnx_models
from met_head import met_codes

from l1met_fpga.errors import ConversionError, RunFolderError
from l1met_fpga.firmware.import_proof import expected_events
from l1met_fpga.models.importing.files import import_file
from l1met_fpga.tasks.met.task import MET

pytestmark = [pytest.mark.slow, pytest.mark.oracle("qonnx"), pytest.mark.filterwarnings("ignore")]
SLOTS = qonnx_models.SLOTS


@pytest.fixture
def theirs(tmp_path):
    qonnx_models.require_qonnx()
    return tmp_path / "theirs.onnx"


def imported(path, **values):
    return import_file(path, MET, name="theirs", inputs={"x": qonnx_models.CHANNELS}, **values)


def test_several_pools(theirs):
    found = imported(qonnx_models.deepset(theirs))
    candidates, codes = expected_events(found, 1000)
    assert set(found.compared) == {"weights", "coefficients"}
    assert np.array_equal(codes["met"], met_codes(found.network, candidates))


def test_100_000_events(theirs):
    found = imported(qonnx_models.deepset(theirs, seed=5))
    for seed in range(10):
        candidates, codes = expected_events(found, 10_000, seed=seed)
        assert len(codes["met"]) == 10_000
        assert np.array_equal(codes["met"], met_codes(found.network, candidates))


@pytest.mark.parametrize("layer", qonnx_models.LAYERS)
def test_every_quantizer_of_a_model_of_one_candidate(layer, theirs):
    found = imported(
        qonnx_models.one_candidate(theirs, qonnx_models.LAYERS[layer]), candidates=SLOTS
    )
    _, codes = expected_events(found, 500)
    assert np.unique(codes["met"]).size > 100, "the model says something"


@pytest.mark.parametrize("case", qonnx_models.REFUSED)
def test_what_has_no_exact_form_is_refused(case, theirs):
    layer, says = qonnx_models.REFUSED[case]
    with pytest.raises(ConversionError, match=says):
        imported(qonnx_models.one_candidate(theirs, layer), candidates=SLOTS)


def test_a_model_of_one_candidate_needs_their_number(theirs):
    qonnx_models.one_candidate(theirs, qonnx_models.relu)
    with pytest.raises(ConversionError, match=r"shape \(4,\), but .* --input x=COLUMN"):
        imported(theirs)
    with pytest.raises(ConversionError, match=r"a model of one candidate has .*Leave --candidates"):
        imported(qonnx_models.deepset(theirs), candidates=SLOTS)


def test_files_that_are_no_graph_are_one_sentence(theirs):
    with pytest.raises(RunFolderError, match=r"no model .*theirs.onnx"):
        imported(theirs)
    for content in (b"", b"no graph at all", bytes(range(200))):
        theirs.write_bytes(content)
        with pytest.raises(RunFolderError, match=r"cannot be read as an ONNX model"):
            imported(theirs)
