#!/usr/bin/env bash
# One would think: rounding_mode HALF_UP of QONNX's Quant rounds halves up, floor(x + 0.5), as AP_RND does: -2.5 becomes -2.
# What happens: halves go away from zero (-3), as AP_RND_INF does; UP goes away from zero, too, and DOWN towards it.
# CEIL is what goes up.
# Seen with qonnx 1.0.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check qonnx==1.0.0
env/bin/python - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from qonnx.custom_op.general.quant import quant

values = np.array([-2.5, -0.5, 0.5, 2.5], np.float32)
one, zero, bits = np.float32(1), np.float32(0), np.float32(8)


def rounded(mode: str) -> list[float]:
    return quant(values, one, zero, bits, signed=1, narrow=0, rounding_mode=mode).tolist()


print("qonnx", version("qonnx"), values.tolist(), "HALF_UP", rounded("HALF_UP"), "UP", rounded("UP"))
assert rounded("HALF_UP") == [-3, -1, 1, 3], "changed: HALF_UP"
assert rounded("UP") == [-3, -1, 1, 3], "changed: UP"
assert np.floor(values + 0.5).tolist() == [-2, 0, 1, 3]
PYTHON
