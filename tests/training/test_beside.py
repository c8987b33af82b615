"""Networks that train in two processes at the same time."""

import json
from types import SimpleNamespace

import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import TrainingError
from l1met_fpga.models.storage import load_model
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training import session
from l1met_fpga.training.beside import Beside
from l1met_fpga.training.inputs import training_identity
from l1met_fpga.training.networks import TrainingInputs
from l1met_fpga.training.session import STEPS_WORTH_A_PROCESS as STEPS
from l1met_fpga.training.session import load_training, train_run


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    monkeypatch.setattr(session, "allowed_processors", lambda: 2)
    monkeypatch.setattr(session, "STEPS_WORTH_A_PROCESS", 0)
    monkeypatch.delenv("TF_CONFIG", raising=False)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("stores"))


def config_of(stores, **changes):
    changes |= {"samples": [{"path": str(path)} for path in stores]}
    return load_run(MODELS / "deepset.yaml", SMALL | changes)


def trained(config, root, **arguments):
    return train_run(config, MET, root, command="test", **arguments)


def results(folder):
    """Every weight of every network, and the text of what was written of them."""
    files = (folder.model, folder.float_model)
    weights = {
        (path.name, layer.name, index): value.tobytes()
        for path in files
        for layer in load_model(path).layers
        for index, value in enumerate(layer.get_weights())
    }
    texts = [path.read_text() for path in (folder.network, *sorted(folder.root.glob("*.csv")))]
    networks = json.loads(folder.training.read_text())["networks"]
    for record in networks.values():
        del record["seconds"]
    return weights, texts, json.dumps(networks)


def test_networks_in_two_processes_equal_those_of_one(stores, tmp_path, monkeypatch):
    config = config_of(stores, **{"training.pruning.enabled": False, "training.epochs": 2})
    lanes, epochs = [], []
    two = trained(
        config, tmp_path / "two", on_start=lambda _, found: lanes.append(found),
        report=lambda variant, done, _: epochs.append((variant, done)),
    )  # fmt: skip
    monkeypatch.setattr(session, "allowed_processors", lambda: 1)
    one = trained(config, tmp_path / "one", on_start=lambda _, found: lanes.append(found))
    assert lanes == [(("float",), ("quantized",)), (("float", "quantized"),)]
    assert sorted(epochs) == [(v, n) for v in ("float", "quantized") for n in (1, 2)]
    assert results(two.folder) == results(one.folder)


@pytest.fixture(scope="module")
def inputs(stores, tmp_path_factory):
    config = config_of(stores, **{"training.epochs": 100})
    samples, mixture, validation = load_training(config, MET)
    folder = RunFolder.create(tmp_path_factory.mktemp("beside") / "run")
    identity = training_identity(config, samples)
    return TrainingInputs(config, MET, mixture, validation, folder, identity)


def test_what_goes_wrong_there_is_told_here(inputs):
    inputs.folder.checkpoints.mkdir()
    damaged = inputs.folder.checkpoints / "quantized.npz"
    damaged.write_text("no archive")
    with (
        pytest.raises(TrainingError, match=r"quantized\.npz .*; start the training again"),
        Beside(inputs, ["quantized"], None) as other,
    ):
        other.records()
    damaged.unlink()


def test_a_process_that_was_stopped_is_told(inputs):
    with Beside(inputs, ["quantized"], None) as other:
        other._process.kill()
        with pytest.raises(TrainingError, match=r"trains quantized beside .* status -9 .*--resume"):
            other.records()


def test_it_ends_with_the_process_that_started_it(inputs):
    with Beside(inputs, ["quantized"], None) as other:
        other._connection.close()  # as when that process is killed
        assert other._process.wait(timeout=60) != 0


@pytest.mark.parametrize(
    ("changes", "steps", "lanes"),
    [
        ({}, 1000, (("float", "pruned"), ("quantized",))),
        ({"float_twin": False}, 1000, (("pruned",), ("quantized",))),
        ({"unpruned_twin": False}, 1000, (("float", "pruned"),)),
        ({"float_twin": False, "unpruned_twin": False}, 1000, (("pruned",),)),
        ({}, 100, (("float", "quantized", "pruned"),)),
    ],
)
def test_what_trains_beside_what(stores, monkeypatch, changes, steps, lanes):
    monkeypatch.setattr(session, "STEPS_WORTH_A_PROCESS", STEPS)
    config = config_of(stores, **{f"training.{key}": value for key, value in changes.items()})
    mixture = SimpleNamespace(steps_per_epoch=steps // config.training.epochs + 1)
    assert session._lanes(config, mixture) == lanes
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker"}}'
    )
    assert len(session._lanes(config, mixture)) == 1
