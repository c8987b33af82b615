#!/usr/bin/env bash
# One would think: CombLogic.predict gives what the traced logic gives, as calling the logic in Python does.
# What happens: once a value that is quantized has 33 bits, predict() is wrong for negative values (-3.5 becomes 8188.5),
# without a word; the logic called in Python is right. 32 bits are right in both. Check a wide design by integers.
# Seen with da4ml 0.6.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check da4ml==0.6.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import importlib.metadata

import numpy as np
from da4ml.trace import FixedVariableArrayInput, comb_trace

VALUES = np.array([[0.5], [1.25], [-3.5]])


def outputs(frac_bits: int) -> tuple[list[float], list[float]]:
    x = FixedVariableArrayInput((1,)).quantize(1, 12, frac_bits)
    logic = comb_trace(x, x.quantize(1, 20, 4, "WRAP", "RND"))
    replayed = [float(np.asarray(logic(row), dtype=float).ravel()[0]) for row in VALUES]
    return logic.predict(VALUES).ravel().tolist(), replayed


print("da4ml", importlib.metadata.version("da4ml"))
for frac_bits in (19, 20):
    predicted, replayed = outputs(frac_bits)
    print(1 + 12 + frac_bits, "bits: predict", predicted, "called", replayed)
    assert replayed == [0.5, 1.25, -3.5]
    expected = [0.5, 1.25, -3.5 if frac_bits == 19 else 8188.5]
    assert predicted == expected, "changed: another prediction"
PYTHON
