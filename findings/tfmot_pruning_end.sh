#!/usr/bin/env bash
# One would think: PolynomialDecay(..., end_step=150) reaches its final sparsity by step 150.
# What happens: masks change only at begin_step + n * frequency and never after end_step: with frequency 100 the last change
# is at step 100 (48 % instead of 50 %), and with end_step 99 nothing is ever pruned. No message.
# Seen with tensorflow-model-optimization 0.8.1, tensorflow 2.21.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check tensorflow==2.21.0 tf_keras==2.21.0 tensorflow-model-optimization==0.8.1
TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 env/bin/python - <<'PYTHON'
import numpy as np
import tensorflow as tf
import tf_keras as keras
import tensorflow_model_optimization as tfmot

sparsity = tfmot.sparsity.keras


def zeros(end_step: int) -> float:
    keras.utils.set_random_seed(1)
    schedule = sparsity.PolynomialDecay(0.0, 0.5, 0, end_step, frequency=100)
    dense = keras.layers.Dense(40, use_bias=False, input_shape=(50,))
    model = keras.Sequential([sparsity.prune_low_magnitude(dense, pruning_schedule=schedule)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(400, 50))
    steps = [sparsity.UpdatePruningStep()]
    model.fit(x, np.zeros((400, 40)), batch_size=2, epochs=2, verbose=0, callbacks=steps)
    return float((sparsity.strip_pruning(model).layers[0].get_weights()[0] == 0).mean())


found = {end: zeros(end) for end in (99, 150, 200)}
print("tfmot", tfmot.__version__, "tensorflow", tf.__version__, "400 steps, wanted 0.5:", found)
assert found[99] == 0.0, "changed: end_step 99 prunes"
assert 0.47 < found[150] < 0.49, "changed: end_step 150"
assert abs(found[200] - 0.5) < 0.001
PYTHON
