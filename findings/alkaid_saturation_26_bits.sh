#!/usr/bin/env bash
# One would think: quantizing with overflow SAT clips to the ends of the type at every width.
# What happens: up to 25 bits it does; from 26 bits on every value of zero or more becomes 0, in the predictor and in the
# generated logic alike, so that comparing the two finds nothing.
# Seen with alkaid 0.8.2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check alkaid==0.8.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import importlib.metadata

import numpy as np
from alkaid.trace import FVArrayInput, trace

VALUES = np.array([[5.0], [-7.0], [2.0**29]])


def saturated(bits: int) -> list[float]:
    x = FVArrayInput((1,)).quantize(1, 30, 0)
    logic = trace(x, x.quantize(1, bits - 1, 0, "SAT", "TRN"))
    return logic.predict(VALUES).ravel().tolist()


print("alkaid", importlib.metadata.version("alkaid"), "5, -7 and 2^29 saturated to")
for bits in (25, 26):
    print(bits, "bits:", saturated(bits))
assert saturated(25) == [5.0, -7.0, 2.0**24 - 1]
assert saturated(26) == [0.0, -7.0, 0.0], "changed: other values at 26 bits"
PYTHON
