import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.errors import ConfigError
from l1met_fpga.models.storage import load_model
from l1met_fpga.training.workers import own_folder, strategy

PROGRAM = """
import json, sys
from pathlib import Path
from l1met_fpga.config.run import load_run
from l1met_fpga.training.session import train_run
overrides, model, root = json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
train_run(load_run(model, overrides), root, command="test")
"""


def test_one_worker_needs_no_strategy(monkeypatch, tmp_path):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert strategy() is None
    assert own_folder(tmp_path) == tmp_path
    task = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    assert own_folder(tmp_path / "run") == tmp_path / "run-worker1"


def test_wrong_tf_config_is_explained(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "worker=a,b")
    with pytest.raises(ConfigError, match="TF_CONFIG is not what TensorFlow expects"):
        strategy()


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.mark.slow
def test_two_workers_train_the_same_network(tmp_path):
    stores = write_samples(tmp_path / "stores")
    overrides = SMALL | {"samples": [{"path": str(p)} for p in stores], "training.epochs": 2}
    ports = free_ports(2)
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    started = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        argv = [json.dumps(overrides), str(MODELS / "deepset.yaml"), str(tmp_path / "run")]
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *argv],
                env=os.environ | {"TF_CONFIG": json.dumps(task)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        outputs = [process.communicate(timeout=540)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(outputs)
    one, other = (
        [
            w
            for layer in load_model(tmp_path / name / "model.keras").layers
            for w in layer.get_weights()
        ]
        for name in ("run", "run-worker1")
    )
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
    summary = json.loads(Path(tmp_path / "run" / "training.json").read_text())
    assert summary["networks"]["pruned"]["validation"]["val_loss"] < summary["puppi"]["val_loss"]
