"""Every form of every task's network at the ends of its types: stress events, and the first that saturate."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.firmware.check import compare_forms
from l1met_fpga.firmware.export.forms import exported_forms
from l1met_fpga.firmware.forms import int64_form, keras_form
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.rtl.project import rtl_forms, write_project
from l1met_fpga.firmware.saturation import count_saturated, events_at_the_edge
from l1met_fpga.firmware.score_heads import told_words
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import save_model
from l1met_fpga.tasks.registry import task_named

MODELS = Path(__file__).parents[2] / "models"
FORMS = {"keras", "hls_csim", "rtl_interpreter", "rtl_verilator", "cpp", "cmssw"}


SPREAD = {"ht": 0.1, "jets": 1.0}
"""Tasks without a shipped network, and how far their weights are drawn from those of step 0: so far
that outputs saturate."""


def of_task(name: str, folder: Path) -> None:
    """Put a network for a task into a folder: the weights that it starts from, and random ones added."""
    heads = task_named(name).heads
    model = build(load_run(MODELS / f"{name}.yaml").model, heads)
    rng = np.random.default_rng(4)
    for layer in dense_layers(model).values():
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel + rng.normal(0, SPREAD[name], kernel.shape), bias])
    bake_weights(model)
    folder.mkdir()
    save_model(model, folder / "model.keras")
    export_network(model, heads).save(folder / "network.json")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The initializer GlorotUniform")
@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet", *SPREAD])
def test_every_form_agrees_at_the_extremes(name, tmp_path):
    folder = MODELS / name
    if name in SPREAD:
        of_task(name, folder := tmp_path / name)
    network = Network.load(folder / "network.json")
    edge = events_at_the_edge(network)
    slots, columns = network.n_candidates, network.columns
    stress = stress_events(np.random.default_rng(17), n_random=50, n_slots=slots, columns=columns)
    saturated = count_saturated(network, edge).heads.values()
    assert any(0.1 < head.share < 0.9 for head in saturated), "half of the events saturate"
    hls = build_project(network, HlsConfig(compiler_flags=("-O1",)), tmp_path / "hls", edge)
    rtl = write_project(network, load_run(MODELS / f"{name}.yaml").rtl, tmp_path / "rtl")
    forms = {
        "keras": keras_form(folder / "model.keras", network),
        "hls_csim": hls.simulation,
        **rtl_forms(rtl),
        **exported_forms(network, tmp_path / "exported"),
    }
    assert set(forms) == FORMS
    samples = {"stress": stress, "edge": edge}
    told = partial(told_words, network)
    found = compare_forms("int64", int64_form(network), forms, samples, words=told)
    assert {form: check.differing for form, check in found.items()} == dict.fromkeys(FORMS, 0)
