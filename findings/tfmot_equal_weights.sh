#!/usr/bin/env bash
# One would think: ConstantSparsity(0.5) makes half of a kernel zero whatever its values.
# What happens: weights equal to the threshold are kept. A kernel of equal magnitudes (binary, ternary, freshly constant)
# stays dense, and one of few distinct magnitudes ends short of the target. Count zeros, do not trust the target.
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


def zeros(kernel: np.ndarray) -> float:
    schedule = sparsity.ConstantSparsity(0.5, begin_step=0, frequency=1)
    dense = keras.layers.Dense(
        40,
        use_bias=False,
        input_shape=(50,),
        kernel_initializer=keras.initializers.Constant(kernel),
    )
    model = keras.Sequential([sparsity.prune_low_magnitude(dense, pruning_schedule=schedule)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    steps = [sparsity.UpdatePruningStep()]
    model.fit(np.zeros((4, 50)), np.zeros((4, 40)), verbose=0, callbacks=steps)
    return float((sparsity.strip_pruning(model).layers[0].get_weights()[0] == 0).mean())


rng = np.random.default_rng(0)
found = {
    "normal": zeros(rng.normal(size=(50, 40))),
    "two signs of one magnitude": zeros(rng.choice([-1.0, 1.0], size=(50, 40))),
    "magnitudes 1 and 2": zeros(np.where(rng.random((50, 40)) < 0.3, 1.0, 2.0)),
}
print("tfmot", tfmot.__version__, "tensorflow", tf.__version__, "zeros, wanted 0.5:", found)
assert abs(found["normal"] - 0.5) < 0.001
assert found["two signs of one magnitude"] == 0.0, "changed"
assert abs(found["magnitudes 1 and 2"] - 0.3) < 0.03, "changed"
PYTHON
