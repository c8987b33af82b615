"""Nothing that a user keeps in the home folder or the environment changes a number."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from keras_models import MODELS

from l1met_fpga.models.keras import keras, tf

PROGRAM = """
import hashlib
from pathlib import Path
import numpy as np
from l1met_fpga.config.run import load_run
from l1met_fpga.models.build import build
from l1met_fpga.tasks.met.task import MET
from l1met_fpga.models.keras import keras

def digest(path):
    keras.utils.set_random_seed(3)
    config = load_run(Path(path)).model
    model = build(config, (MET,))
    rng = np.random.default_rng(0)
    columns = {c: rng.integers(1, 200, (32, config.n_candidates)) for c in config.columns}
    columns = {c: np.asarray(v, np.float32) for c, v in columns.items()}
    model.compile(keras.optimizers.Adam(1e-2, jit_compile=False), "mse")
    model.fit(columns, np.ones((32, 2)), verbose=0)
    weights = b"".join(w.tobytes() for w in model.get_weights())
    return hashlib.sha256(weights + model(columns).numpy().tobytes()).hexdigest()
"""


MODEL = MODELS / "deepmet.yaml"
UNNEEDED = """
import sys, l1met_fpga.training.session
assert not {"keras", "sklearn", "scipy.stats"} & set(sys.modules), "they take longer than the rest"
"""


def run(**environment):
    done = subprocess.run(
        [sys.executable, "-c", f"{PROGRAM}\n{UNNEEDED}\nprint(digest({str(MODEL)!r}))"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_a_hostile_home_and_environment_change_nothing(tmp_path):
    here: dict[str, Any] = {}
    exec(PROGRAM, here)
    hostile = tmp_path
    (hostile / ".keras").mkdir(parents=True)
    settings = {
        "floatx": "float64",
        "epsilon": 0.1,
        "backend": "jax",
        "image_data_format": "channels_first",
    }
    text = json.dumps(settings)
    (hostile / ".keras" / "keras.json").write_text(text)
    found = run(
        HOME=str(hostile),
        KERAS_HOME=str(hostile / ".keras"),
        KERAS_BACKEND="torch",
        TF_USE_LEGACY_KERAS="0",
        TF_XLA_FLAGS="--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_ENABLE_AUTO_MIXED_PRECISION="1",
    )
    assert found == here["digest"](MODEL)
    assert (hostile / ".keras" / "keras.json").read_text() == text


def test_float32_has_24_bits_on_every_device():
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
    assert keras.backend.floatx() == "float32"
    assert not Path(os.environ["KERAS_HOME"]).is_dir()
