"""The shipped networks give the bits they gave: a change that is not meant shows here first."""

import json

import pytest
from shipped import GOLDEN, MODELS, NETWORKS, events_digest, measure

from l1met_fpga.config.run import load_run
from l1met_fpga.models.export import export_network
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model
from l1met_fpga.tasks.registry import task_named

EXPECTED = json.loads(GOLDEN.read_text(encoding="utf-8"))
RENEW = "; if that is meant, renew it with `python tests/golden/renew.py`"


def test_events_are_the_ones_that_were_measured():
    found = events_digest()
    assert found == EXPECTED["events"], "NumPy draws other random numbers" + RENEW


@pytest.mark.parametrize("name", NETWORKS)
def test_shipped_network_gives_the_same_bits(name):
    assert measure(name) == EXPECTED[name], f"{name} gives other bits" + RENEW


@pytest.mark.parametrize("name", NETWORKS)
def test_shipped_model_exports_as_its_network(name):
    model = load_model(MODELS / name / "model.keras")
    network = Network.load(MODELS / name / "network.json")
    task = load_run(MODELS / name / "config.yaml").task
    exported = export_network(model, task_named(task).heads)
    assert exported == (network.calibrated("met", None) if task == "met" else network)
