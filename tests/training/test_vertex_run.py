"""z0 from the vertex, from the file to the check: store, training, network, events of the check."""

import numpy as np
import pytest
from keras_models import MODELS, model_config
from ntuples import make_events, write_perfnano
from rtl_designs import small_network
from stores import SMALL

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.data.convert import convert
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.evaluation.run_network import network_digest
from l1met_fpga.firmware.check import compare_forms, require_agreement
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.forms import check_samples, int64_form, keras_form, test_events
from l1met_fpga.firmware.meaning import require_hardware_columns
from l1met_fpga.models.build import build
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.vertex import VERTEX, packed
from l1met_fpga.puppi.words import unpack
from l1met_fpga.tasks.met.task import MET as HEAD
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.session import _z0_origin, train_run

test_events.__test__ = False

FEATURES = ("pt", "abs_eta", "puppi_weight", "abs_z0")


def store(folder, label, n_events, seed, z0="vertex"):
    """Events with tracks anywhere along the beam, and a vertex."""
    events, rng = make_events(n_events, seed=seed), np.random.default_rng(seed)
    path = folder / f"{label}.root"
    write_perfnano(
        path, events, candidates={"z0": rng.normal(0, 5, events.counts.sum())},
        per_event={"L1Vertex_z0": rng.normal(0, 4, n_events)},
    )  # fmt: skip
    convert([str(path)], folder / f"{label}_{z0}.h5", ConvertConfig(z0=z0, label=label), workers=1)
    return folder / f"{label}_{z0}.h5"


def config(samples, **changes):
    paths = {"samples": [{"path": str(path)} for path in samples]}
    return load_run(MODELS / "deepset.yaml", SMALL | {"model.features": FEATURES} | paths | changes)


def test_the_check_takes_vertices_from_the_store(tmp_path):
    """The words that it makes of distances are those of the file."""
    found = test_events(
        small_network("deepset_vertex"), config([store(tmp_path, "ttbar", 80, 1)]), n_events=None
    )
    with Store.open(store(tmp_path, "ttbar", 80, 1, z0="beam")) as beam:
        raw = beam.candidates(beam.events_of(Part.TEST), ("pt", "pid", "z0"))
        vertex = np.rint(beam.vertex_z0_cm(beam.events_of(Part.TEST)) / 0.05)
    assert len(vertex) > 10
    np.testing.assert_array_equal(found[VERTEX][:, 0], vertex)
    words, carried = packed(found, z0_origin="vertex")
    assert carried.all()
    slots = small_network("deepset").n_candidates
    charged = (raw["pt"] > 0) & (raw["pid"] > 1)
    inside = np.abs(raw["z0"] - vertex[:, None]) < 511
    same = (charged & inside)[:, :slots]
    assert same.sum() > 50
    np.testing.assert_array_equal(unpack(words)["z0"][same], raw["z0"][:, :slots][same])


def test_training_says_where_z0_counts_from(tmp_path):
    units = {"beam": {"z0": "0.05 cm"}, "vertex": {"z0": "0.05 cm from the vertex"}}
    values = dict.fromkeys(LoadedSample.__dataclass_fields__)
    samples = {name: LoadedSample(**values | {"units": unit}) for name, unit in units.items()}
    assert _z0_origin([samples["beam"]]) == "beam"
    assert _z0_origin([samples["vertex"], samples["vertex"]]) == "vertex"


def test_an_exported_network_says_it():
    model = build(model_config("deepset", **{"model.features": FEATURES}), (HEAD,))
    bake_weights(model)
    from_vertex = export_network(model, (HEAD,), z0_origin="vertex")
    assert from_vertex.reads_vertex
    assert not export_network(model, (HEAD,)).reads_vertex
    plain = export_network(bake(model_config("deepset")), (HEAD,), z0_origin="vertex")
    assert not plain.reads_vertex, "a network without z0 needs no vertex"


def bake(config):
    model = build(config, (HEAD,))
    bake_weights(model)
    return model


@pytest.mark.slow
def test_a_run_on_such_stores_becomes_firmware(tmp_path):
    paths = [store(tmp_path, "ttbar", 400, 1), store(tmp_path, "pileup", 300, 2)]
    changes = {
        "training.epochs": 1, "training.float_twin": False, "training.unpruned_twin": False,
        "evaluation.bootstrap_samples": 2, "samples.1.role": "background",
    }  # fmt: skip
    made = config(paths, **changes)
    run = train_run(made, MET, tmp_path / "run", command="test").folder
    network = Network.load(run.network)
    assert network.reads_vertex
    assert require_hardware_columns(network, run) == []
    assert network_digest(run) == network.digest
    samples = check_samples(network, made, n_events=None)
    assert list(samples) == ["test", "stress", "words"]
    forms = {"int64": int64_form(network), "cpp": CppForm.compiled(network, tmp_path / "cpp")}
    require_agreement(compare_forms("keras", keras_form(run.model, network), forms, samples))
