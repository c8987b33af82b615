"""Every boolean of the configuration, the other way round: it runs, or is refused before anything."""

import csv
from importlib import import_module

import pytest
from keras_models import MODELS
from pydantic import BaseModel
from require import require_module
from stores import SMALL, write_samples
from tensorflow import make_ndarray

from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.errors import ConfigError
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.session import train_run

ELSEWHERE = {"hls.vsynth", "hls.cosim", "rtl.parallel", "rtl.synthesize"}
"""Switches of the firmware; tests/firmware turns each."""
TRAINING = {
    "training.float_twin",
    "training.unpruned_twin",
    "training.start_from_float",
    "training.teacher.twin",
    "training.teacher.bounded",
    "training.teacher.shuffled",
    "training.augment",
    "training.tensorboard",
    "training.deterministic",
    "training.pruning.enabled",
} | {
    # scalar_weights, number and logits are of heads that this network has not: they change nothing
    f"model.{layer}.{switch}"
    for layer in (
        "phi.0", "rho.0", "weights", "scalars", "coefficients", "scalar_weights", "number", "logits"
    )
    for switch in ("prune", "one_digit")
}  # fmt: skip
TAUGHT = {"training.teacher.weight": 1.0, "training.float_twin": True}
NEEDED = {
    "training.start_from_float": {"training.float_twin": True},
    "training.teacher.bounded": TAUGHT,
    "training.teacher.shuffled": TAUGHT,
}


def switches(section: BaseModel, prefix: str = ""):
    for name in type(section).model_fields:
        value = getattr(section, name)
        many = value if isinstance(value, tuple) else (value,)
        for index, one in enumerate(many):
            key = f"{prefix}{name}" + (f".{index}" if isinstance(value, tuple) else "")
            if isinstance(one, bool):
                yield key, one
            elif isinstance(one, BaseModel):
                yield from switches(one, f"{key}.")


def small(**changes) -> RunConfig:
    once = {"training.epochs": 1, "training.float_twin": False, "training.unpruned_twin": False}
    return load_run(MODELS / "deepset.yaml", SMALL | once | changes)


def test_every_switch_is_known_here():
    assert {key for key, _ in switches(small())} == TRAINING | ELSEWHERE


def test_tensorboard_without_its_package_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("l1met_fpga.training.tensorboard.find_spec", lambda _: None)
    config = small(**{"training.tensorboard": True, "samples": [{"path": "none.h5"}]})
    with pytest.raises(ConfigError, match=r"pip install 'l1met_fpga\[tensorboard\]'"):
        train_run(config, MET, tmp_path / "run", command="test")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_tensorboard_reads_what_was_logged(tmp_path):
    module = "tensorboard.backend.event_processing.event_accumulator"
    require_module("tensorboard", extra="tensorboard")
    samples = {"samples": [{"path": str(path)} for path in write_samples(tmp_path / "stores")]}
    config = small(**samples, **{"training.tensorboard": True, "training.epochs": 2})
    run = train_run(config, MET, tmp_path / "run", command="test")
    logs = sorted((run.folder.root / "tensorboard").glob("*/train"))
    assert logs
    for log in logs:
        events = import_module(module).EventAccumulator(str(log)).Reload()
        assert "epoch_loss" in events.Tags()["tensors"]
        losses = [make_ndarray(point.tensor_proto) for point in events.Tensors("epoch_loss")]
    with run.folder.history.open(encoding="utf-8") as file:
        written = [float(row["loss"]) for row in csv.DictReader(file)]
    assert [float(loss) for loss in losses] == pytest.approx(written, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(TRAINING))
def test_a_training_with_the_switch_turned_runs(tmp_path, key):
    if key == "training.tensorboard":
        require_module("tensorboard", extra="tensorboard")
    turned = {key: not dict(switches(small()))[key], **NEEDED.get(key, {})}
    samples = {"samples": [{"path": str(path)} for path in write_samples(tmp_path / "stores")]}
    run = train_run(small(**samples, **turned), MET, tmp_path / "run", command="test")
    assert run.folder.network.is_file()
