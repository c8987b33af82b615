"""Networks as QONNX graphs: its own executor gives the same integers."""

from pathlib import Path

import networks
import numpy as np
import pytest
import qonnx_models
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.export.qonnx import export_qonnx
from l1met_fpga.firmware.reference import evaluate, evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models import nodes as net
from l1met_fpga.models.importing.qonnx import _execute, _with_batch
from l1met_fpga.models.network import Network

MODELS = Path(__file__).parents[2] / "models"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def path(tmp_path):
    qonnx_models.require_qonnx()
    return tmp_path / "network.onnx"


def executed(network, path, candidates):
    """All tensors as qonnx's executor has them."""
    from qonnx.core.modelwrapper import ModelWrapper

    export_qonnx(network, path)
    model = _with_batch(ModelWrapper(str(path)), len(candidates["pt"]))
    slots = network.n_candidates
    arrays = {
        name: np.pad(
            candidates[name].astype(np.float32), ((0, 0), (0, slots - candidates[name].shape[1]))
        )
        for name in network.columns
    }
    return _execute(model, arrays)


def assert_same(network, path, candidates):
    found = executed(network, path, candidates)
    for name, codes in evaluate_nodes(network, candidates).items():
        kind = network.node(name).type
        np.testing.assert_array_equal(found[name], kind.decode(codes), err_msg=name)
    for head, codes in evaluate(network, candidates).items():
        np.testing.assert_array_equal(found[f"{head}_GeV"], network.type_of(head).decode(codes))


@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet"])
def test_shipped_networks(name, path, rng):
    network = Network.load(MODELS / name / "network.json")
    events = stress_events(rng, n_random=300, columns=network.columns)
    chosen = rng.permutation(len(events["pt"]))[:500]
    assert_same(network, path, {k: v[chosen] for k, v in events.items()})


@pytest.mark.parametrize("name", ["deepset", "garnet"])
def test_networks_of_other_shapes(name, path, rng):
    events = stress_events(rng, n_random=50, n_slots=N_SLOTS)
    for candidates in (random_candidates(rng, 100), events):
        assert_same(small_network(name), path, candidates)


def test_what_wraps_has_no_form(path):
    network = networks.random_channels(n_candidates=8)
    assert any(isinstance(node, net.QuantizeChannels) for node in network)
    with pytest.raises(ConversionError, match=r"ap_fixed<3,1,AP_TRN,AP_WRAP> has no form in QONNX"):
        export_qonnx(network, path)
    assert not path.exists()
