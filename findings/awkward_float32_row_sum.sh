#!/usr/bin/env bash
# One would think: a sum over float32 candidates is as good along axis=1 as NumPy's.
# What happens: along an axis awkward adds one by one in float32, NumPy adds in pairs. A million times 0.1 gives 100958
# against 100000; over 128 candidates the error is several times NumPy's. Widen before summing.
# Seen with awkward 2.14.0, NumPy 2.4.6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check awkward==2.14.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import awkward as ak
import numpy as np

values = np.full(1_000_000, 0.1, np.float32)
event = ak.unflatten(values, [len(values)])
by_row = float(ak.sum(event, axis=1)[0])
widened = float(ak.sum(ak.values_astype(event, np.float64), axis=1)[0])
print("awkward", ak.__version__, "axis=1:", by_row, "NumPy:", float(values.sum()))
print("axis=None:", float(ak.sum(event, axis=None)), "widened:", widened)
assert abs(by_row - 100_958) < 1, "changed: another sum along axis=1"
assert abs(float(values.sum()) - 100_000) < 1
assert abs(widened - 100_000) < 1
PYTHON
