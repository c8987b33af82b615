#!/usr/bin/env bash
# One would think: x @ W of a tracer that promises exact logic multiplies by the integers that W holds.
# What happens: da4ml and alkaid both cast W to float32 first: 16777217 becomes 16777216. da4ml's x * w is exact.
# Seen with da4ml 0.6.0, alkaid 0.8.2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check da4ml==0.6.0 alkaid==0.8.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import importlib.metadata

import numpy as np
from alkaid.trace import FVArrayInput, trace
from da4ml.trace import FixedVariableArrayInput, comb_trace

WEIGHT = 2.0**24 + 1
ONE = np.array([[1.0]])

x = FixedVariableArrayInput((1,)).quantize(1, 3, 0)
by_matmul = float(comb_trace(x, x @ np.array([[WEIGHT]])).predict(ONE).ravel()[0])
by_product = float(comb_trace(x, x * WEIGHT).predict(ONE).ravel()[0])
y = FVArrayInput((1,)).quantize(1, 3, 0)
by_alkaid = float(trace(y, y @ np.array([[WEIGHT]])).predict(ONE).ravel()[0])
print("da4ml", importlib.metadata.version("da4ml"), "alkaid", importlib.metadata.version("alkaid"))
print("1 times 16777217: da4ml @", by_matmul, "da4ml *", by_product, "alkaid @", by_alkaid)
assert by_matmul == by_alkaid == WEIGHT - 1, "changed: @ keeps the integer"
assert by_product == WEIGHT
PYTHON
