#!/usr/bin/env bash
# One would think: QActivation(quantized_bits(6, 2)) is the same layer as QActivation("quantized_bits(6,2)"), and both are saved.
# What happens: a model with the object is written to .keras without complaint and cannot be loaded again ("could not be
# deserialized properly"); with the text, or in an .h5 file, it can.
# Seen with qkeras 0.9.0, tf_keras 2.21.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check tensorflow==2.21.0 tf_keras==2.21.0 tensorflow-model-optimization==0.8.1 qkeras==0.9.0 pyparsing==3.3.3
TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 env/bin/python - <<'PYTHON'
import importlib.metadata

import tf_keras as keras
from qkeras import QActivation, quantized_bits
from qkeras.utils import _add_supported_quantized_objects

known = {}
_add_supported_quantized_objects(known)
found = {}
for kind, quantizer in (("text", "quantized_bits(6,2)"), ("object", quantized_bits(6, 2))):
    model = keras.Sequential([keras.Input((3,)), QActivation(quantizer)])
    for suffix in ("keras", "h5"):
        model.save(f"{kind}.{suffix}")
        try:
            keras.models.load_model(f"{kind}.{suffix}", custom_objects=known)
            found[kind, suffix] = "loaded"
        except TypeError as err:
            found[kind, suffix] = "could not be deserialized properly" in str(err)
print("qkeras", importlib.metadata.version("qkeras"), found)
assert found.pop(("object", "keras")) is True, "changed: it is loaded, or another error"
assert set(found.values()) == {"loaded"}
PYTHON
