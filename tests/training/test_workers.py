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

from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.models.keras import tf
from l1met_fpga.models.storage import load_model
from l1met_fpga.training.workers import Place, own_folder, place, strategy

PROGRAM = """
import json, sys
from pathlib import Path
from l1met_fpga.config.run import load_run
from l1met_fpga.training.session import train_run
from l1met_fpga.tasks.met.task import TASK as MET
overrides, model, root = json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
train_run(load_run(model, overrides), MET, root, command="test")
"""


def task_of(cluster, job, index):
    return {"cluster": cluster, "task": {"type": job, "index": index}}


def test_one_worker_needs_no_strategy(monkeypatch, tmp_path):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert strategy() is None
    assert own_folder(tmp_path) == tmp_path
    task = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    assert own_folder(tmp_path / "run") == tmp_path / "run-worker1"


CLUSTERS = [
    {"chief": ["a:1"], "worker": ["b:1"]},
    {"chief": ["a:1"], "worker": ["b:1", "c:1"]},
    {"worker": ["a:1", "b:1"]},
    {"worker": {"0": "a:1", "1": "b:1"}},
    {"chief": ["a:1"]},
    {"worker": ["a:1"]},
    {"chief": ["a:1"], "worker": ["b:1"], "evaluator": ["c:1"]},
]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_place_in_the_cluster_equals_tensorflow(monkeypatch, cluster):
    from tensorflow.python.distribute import multi_worker_util

    numbers = []
    for job in {"chief", "worker"} & set(cluster):
        for index in range(len(cluster[job])):
            task = {"type": job, "index": str(index)}
            monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
            here = place()
            spec = tf.train.ClusterSpec(cluster)
            assert here.count == multi_worker_util.worker_count(spec, job)
            assert here.number == multi_worker_util.id_in_cluster(spec, job, index)
            assert (here.number == 0) == multi_worker_util.is_chief(spec, job, index)
            numbers.append(here.number)
    assert sorted(numbers) == list(range(here.count))


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {}}', '{"environment": "cloud"}'])
def test_without_a_cluster_one_process_trains_alone(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert place() == Place(0, 1)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("worker=a,b", "TF_CONFIG is not what TensorFlow expects, got 'worker=a,b'; for example"),
        ([1], "not what TensorFlow expects"),
        ({"cluster": ["a:1"]}, "not what TensorFlow expects"),
        ({"cluster": {"worker": 3}}, "not what TensorFlow expects"),
        (task_of({"worker": ["a:1"]}, "worker", "x"), "not what TensorFlow expects"),
        (task_of({"ps": ["a:1"], "worker": ["b:1"]}, "ps", 0), "task type 'ps', which cannot"),
        (task_of({"ps": ["a:1"], "worker": ["b:1"]}, "worker", 0), "parameter servers"),
        (task_of({"worker": ["b:1"]}, "evaluator", 0), "task type 'evaluator', which cannot"),
        (task_of({"worker": ["b:1"], "boss": ["c:1"]}, "boss", 0), "task type 'boss'"),
        (task_of({"worker": ["b:1", "c:1"]}, None, 0), "task type 'None'"),
        (task_of({"chief": ["a:1", "b:1"]}, "chief", 1), "names 2 chiefs; there may be one"),
        (task_of({"worker": ["a:1", "b:1"]}, "worker", 2), "this is worker 2, .* has 2 tasks"),
        (task_of({"worker": ["a:1", "b:1"]}, "worker", -1), "this is worker -1"),
        (task_of({"worker": ["a:1", "b:1"]}, "chief", 0), "this is chief 0, .* has 0 tasks"),
    ],
)
def test_wrong_tf_config_is_explained(monkeypatch, config, sentence):
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(ConfigError, match=sentence):
        strategy()


def test_processes_that_do_not_meet_are_one_sentence(monkeypatch):
    def raises():
        raise tf.errors.UnknownError(None, None, "Could not start gRPC server")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", raises)
    monkeypatch.setenv("TF_CONFIG", json.dumps(task_of({"worker": ["a:1", "b:1"]}, "worker", 0)))
    with pytest.raises(
        TrainingError, match=r"do not find each other \(Could not .*above 1023 each"
    ):
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
@pytest.mark.parametrize("jobs", [("worker", "worker"), ("chief", "worker")])
def test_two_processes_train_the_same_network(tmp_path, jobs):
    stores = write_samples(tmp_path / "stores")
    overrides = SMALL | {"samples": [{"path": str(p)} for p in stores], "training.epochs": 2}
    ports = free_ports(2)
    cluster, tasks = {}, []
    for job, port in zip(jobs, ports, strict=True):
        addresses = cluster.setdefault(job, [])
        tasks.append({"type": job, "index": len(addresses)})
        addresses.append(f"127.0.0.1:{port}")
    started = []
    for task in tasks:
        argv = [json.dumps(overrides), str(MODELS / "deepset.yaml"), str(tmp_path / "run")]
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *argv],
                env=os.environ | {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})},
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
