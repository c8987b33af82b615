import csv
import json
import threading

import numpy as np
import pytest
from keras_models import MODELS
from met_head import met_codes, predict_met
from stores import SMALL, write_sample, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError, RunFolderError, TrainingError
from l1met_fpga.files import exclusive
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model
from l1met_fpga.run_folder import MARK, RunFolder
from l1met_fpga.tasks.met import losses
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training import inputs, session
from l1met_fpga.training.session import train_run


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("stores"))


def run_config(stores, **changes):
    changes |= {"samples": [{"path": str(path)} for path in stores]}
    return load_run(MODELS / "deepset.yaml", SMALL | changes)


def weights(path):
    return [w for layer in load_model(path).layers for w in layer.get_weights()]


@pytest.fixture(scope="module")
def finished(stores, tmp_path_factory):
    root = tmp_path_factory.mktemp("run") / "run"
    seen = []
    run = train_run(
        run_config(stores), MET, root, command="test", report=lambda v, n, f: seen.append((v, n))
    )
    return run, seen


def test_run_folder_is_complete(finished):
    run, seen = finished
    folder = run.folder
    assert seen == [(v, n) for v in ("float", "quantized", "pruned") for n in (1, 2, 3)]
    assert not folder.checkpoints.exists()
    environment = json.loads(folder.environment.read_text())
    assert environment["software"]["tensorflow"]
    assert environment["seed"] == 1
    assert load_run(folder.config).training.epochs == 3
    rows = list(csv.DictReader(folder.history.read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"loss", "val_loss", "val_ttbar_u_par_gev", "val_ttbar_response"} <= set(rows[0])
    summary = json.loads(folder.training.read_text())
    assert set(summary["networks"]) == {"float", "quantized", "pruned"}
    assert summary["puppi"]["val_loss"] > 0
    assert [(s["label"], s["role"]) for s in summary["samples"]] == [
        ("ttbar", "signal"),
        ("pileup", "background"),
    ]
    wanted = {"path", "label", "role", "share", "identity", "units", "sources"}
    assert all(wanted <= set(sample) for sample in summary["samples"])


def test_loss_falls_below_puppi(finished):
    summary = finished[0].summary
    for found in summary.networks.values():
        assert found.validation["val_loss"] < summary.puppi["val_loss"]


def test_saved_model_and_network_agree_bit_by_bit(finished, stores):
    from l1met_fpga.data.store import Store

    folder = finished[0].folder
    network = Network.load(folder.network)
    with Store.open(stores[0]) as store:
        candidates = store.candidates()
    met = predict_met(load_model(folder.model), candidates)
    np.testing.assert_array_equal(
        network.type_of("met").exactly(met), met_codes(network, candidates)
    )


class Killed(Exception):
    pass


def test_resumed_run_equals_an_uninterrupted_one(finished, stores, tmp_path):
    def kill(variant, epoch, figures):
        if (variant, epoch) == ("pruned", 3):  # the last epoch is lost, the twins are done
            raise Killed

    with pytest.raises(Killed):
        train_run(run_config(stores), MET, tmp_path / "run", command="test", report=kill)
    assert not (tmp_path / "run" / "model.keras").exists()
    run = train_run(run_config(stores), MET, tmp_path / "run", command="test", resume=True)
    for one, other in zip(
        weights(run.folder.model), weights(finished[0].folder.model), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert run.folder.history.read_text() == finished[0].folder.history.read_text()


def test_a_folder_that_is_taken_is_told_before_samples_are_read(stores, tmp_path, monkeypatch):
    monkeypatch.delattr("l1met_fpga.training.session.load_training")
    RunFolder.create(tmp_path / "run").history.write_text("epoch\n")
    with pytest.raises(RunFolderError, match="already holds a run"):
        train_run(run_config(stores), MET, tmp_path / "run", command="test")


def test_other_settings_cannot_be_resumed(stores, tmp_path):
    def kill(*_):
        raise Killed

    with pytest.raises(Killed):
        train_run(run_config(stores), MET, tmp_path / "run", command="test", report=kill)
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    other = run_config(stores, **{"training.batch_size": 32})
    with pytest.raises(ConfigError, match=r"config\.yaml .*: training\.batch_size was 64, is 32"):
        train_run(other, MET, tmp_path / "run", command="test", resume=True)
    with pytest.raises(RunFolderError, match="already holds a run"):
        train_run(other, MET, tmp_path / "run", command="test")
    with pytest.raises(ConfigError, match="--resume goes on with a run and --overwrite removes it"):
        train_run(other, MET, tmp_path / "run", command="test", resume=True, overwrite=True)
    after = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert after == before


def test_other_events_and_versions_cannot_be_resumed(tmp_path, monkeypatch):
    stores = write_samples(tmp_path / "stores")
    config = run_config(stores, **{"training.float_twin": False, "training.unpruned_twin": False})

    def kill(*_):
        raise Killed

    with pytest.raises(Killed):
        train_run(config, MET, tmp_path / "run", command="test", report=kill)
    # A first epoch that was killed leaves no checkpoint; go on once more and kill the second.
    with pytest.raises(Killed):
        train_run(
            config, MET, tmp_path / "run", command="test", resume=True,
            report=lambda _, epoch, __: kill() if epoch == 2 else None,
        )  # fmt: skip
    environment = (tmp_path / "run" / "environment.json").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(inputs, "version", lambda name: "9.9")
        with pytest.raises(TrainingError, match=r"version of tensorflow was '.*', is '9\.9'"):
            train_run(config, MET, tmp_path / "run", command="test", resume=True)
    write_sample(stores[0], "ttbar", seed=77)
    with pytest.raises(
        TrainingError,
        match=r"pruned\.npz belongs to other inputs: content of sample ttbar was .*--overwrite",
    ):
        train_run(config, MET, tmp_path / "run", command="test", resume=True)
    assert (tmp_path / "run" / "environment.json").read_bytes() == environment


@pytest.mark.parametrize("resume", [False, True])
def test_a_training_killed_before_its_first_file_starts_again(stores, tmp_path, resume):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / MARK).touch()

    config = run_config(stores)
    session._open(config, tmp_path / "run", {}, overwrite=False, resume=resume)
    assert load_run(tmp_path / "run" / "config.yaml") == config


def test_a_second_training_of_one_folder_waits_and_is_refused(stores, tmp_path):
    config = run_config(
        stores,
        **{"training.float_twin": False, "training.unpruned_twin": False, "training.epochs": 1},
    )
    seen = []

    def start_another(*_):
        thread.start()
        thread.join(1.5)
        seen.append(thread.is_alive())

    def another():
        with (
            exclusive(tmp_path / "run"),
            pytest.raises(RunFolderError, match="already holds a run"),
        ):
            RunFolder.create(tmp_path / "run")
        seen.append("refused")

    thread = threading.Thread(target=another)
    train_run(config, MET, tmp_path / "run", command="test", report=start_another)
    thread.join(60)
    assert seen == [True, "refused"]


def test_complete_runs_are_not_resumed(finished, stores):
    with pytest.raises(TrainingError, match="is complete; what follows are `l1met eval"):
        train_run(run_config(stores), MET, finished[0].folder.root, command="test", resume=True)


def test_nan_loss_ends_without_a_model(stores, tmp_path, monkeypatch):
    monkeypatch.setitem(
        losses.LOSSES, "huber", lambda q, u, config: 0 * losses.mae(q, u, config) / 0
    )
    with pytest.raises(
        TrainingError, match="loss of the float network became nan in epoch 1, step 1"
    ):
        train_run(run_config(stores), MET, tmp_path / "run", command="test")
    assert not list((tmp_path / "run").glob("*.keras"))


def test_missing_sample_leaves_no_folder(stores, tmp_path):
    config = run_config([*stores, tmp_path / "gone.h5"])
    with pytest.raises(ConfigError, match=r"no sample .*gone\.h5"):
        train_run(config, MET, tmp_path / "run", command="test")
    assert not (tmp_path / "run").exists()


def test_unknown_monitor_names_the_choices(stores, tmp_path):
    config = run_config(stores, **{"training.early_stopping.monitor": "val_los"})
    with pytest.raises(ConfigError, match=r"monitor is 'val_los'; choose from \['val_eff"):
        train_run(config, MET, tmp_path / "run", command="test")
    assert not (tmp_path / "run").exists()
