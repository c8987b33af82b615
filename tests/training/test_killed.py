import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.models.storage import load_model

PROGRAM = """
import json, sys
from pathlib import Path
from l1met_fpga.config.run import load_run
from l1met_fpga.training.session import train_run
from l1met_fpga.tasks.met.task import TASK as MET
config = load_run(Path(sys.argv[2]), json.loads(sys.argv[1]))
train_run(config, MET, Path(sys.argv[3]), command="test", resume=len(sys.argv) > 4)
"""


@pytest.mark.slow
def test_killed_training_goes_on_with_the_same_result(tmp_path):
    stores = write_samples(tmp_path / "stores")
    overrides = SMALL | {
        "samples": [{"path": str(path)} for path in stores],
        "training.float_twin": False,
        "training.unpruned_twin": False,
        "training.epochs": 30,
    }

    def start(folder, *more):
        argv = [json.dumps(overrides), str(MODELS / "deepset.yaml"), str(folder), *more]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *argv], env=os.environ)

    assert start(tmp_path / "whole").wait(timeout=300) == 0
    cut = start(tmp_path / "cut")
    history = tmp_path / "cut" / "history.csv"
    deadline = time.monotonic() + 240
    while not history.exists() or len(history.read_text().splitlines()) < 4:
        assert cut.poll() is None, "training ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert not (tmp_path / "cut" / "model.keras").exists()
    assert start(tmp_path / "cut", "resume").wait(timeout=300) == 0
    one, other = (
        [
            w
            for layer in load_model(tmp_path / name / "model.keras").layers
            for w in layer.get_weights()
        ]
        for name in ("whole", "cut")
    )
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
    assert history.read_text() == (tmp_path / "whole" / "history.csv").read_text()
