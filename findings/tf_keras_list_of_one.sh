#!/usr/bin/env bash
# One would think: a layer that was called with a list of one tensor is called so again after saving and loading.
# What happens: it gets the bare tensor. A layer that loops over its inputs then loops over the events, without an error;
# Concatenate()([x]) trains, saves, and cannot be loaded: "should be called on a list".
# Seen with tf_keras 2.21.0, .keras and .h5 alike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check tf_keras==2.21.0 tensorflow==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 env/bin/python - <<'PYTHON'
import numpy as np
import tf_keras as keras


class Kind(keras.layers.Layer):
    """Says what it is called with: 1 for a list, -1 for a tensor."""

    def call(self, inputs):
        return 0 * inputs[0] + 1 if isinstance(inputs, list) else 0 * inputs - 1


x = keras.Input((1,))
given = np.ones((1, 1), np.float32)
model = keras.Model(x, Kind()([x]))
found = {"built": float(model(given)[0, 0])}
for name in ("m.keras", "m.h5"):
    model.save(name)
    loaded = keras.models.load_model(name, custom_objects={"Kind": Kind})
    found[name] = float(loaded(given)[0, 0])
print("tf_keras", keras.__version__, "1: list, -1: tensor;", found)
assert found == {"built": 1, "m.keras": -1, "m.h5": -1}, "changed: a list stays one"

keras.Model(x, keras.layers.Concatenate()([x])).save("c.keras")
try:
    keras.models.load_model("c.keras")
except ValueError as err:
    print("Concatenate()([x]) loaded again:", str(err).splitlines()[0])
else:
    raise SystemExit("changed: it can be loaded")
PYTHON
