#!/usr/bin/env bash
# One would think: str(quantizer), which QKeras itself parses (configurations, AutoQKeras), describes the quantizer.
# What happens: the text of quantized_relu(6, 2, negative_slope=0.25) is quantized_relu(6,2,0.25); read back, the third
# position is use_sigmoid: the slope is gone and negative inputs become 0. Keep quantizers as configurations, not text.
# Seen with qkeras 0.9.0, tensorflow 2.21.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check tensorflow==2.21.0 tf_keras==2.21.0 tensorflow-model-optimization==0.8.1 qkeras==0.9.0 pyparsing==3.3.3
TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 env/bin/python - <<'PYTHON'
import importlib.metadata

import tensorflow as tf
from qkeras import get_quantizer, quantized_relu

quantizer = quantized_relu(6, 2, negative_slope=0.25)
again = get_quantizer(str(quantizer))
x = tf.constant([-2.0, -1.0, 1.0])
before, after = quantizer(x).numpy().tolist(), again(x).numpy().tolist()
print("qkeras", importlib.metadata.version("qkeras"), "text:", quantizer)
print("at -2, -1, 1:", before, "read back:", after)
assert before == [-0.5, -0.25, 1.0]
assert after[:2] == [0.0, 0.0], "changed: the slope survives"
PYTHON
