#!/usr/bin/env bash
# One would think: fill_none(pad_none(words, n), 0) of 64-bit words stays an array of 64-bit words.
# What happens: filled with the Python integer 0 an array of uint64 becomes float64, and 2^60 + 1 becomes 2^60: padded
# hardware words lose their low bits without a word. With np.uint64(0) it stays uint64.
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

words = ak.unflatten(np.array([2**60 + 1, 3], np.uint64), [2, 0])
by_int = ak.to_numpy(ak.fill_none(ak.pad_none(words, 2), 0))
by_uint64 = ak.to_numpy(ak.fill_none(ak.pad_none(words, 2), np.uint64(0)))
print("awkward", ak.__version__, "NumPy", np.__version__)
print("filled with 0:", by_int.dtype, int(by_int[0, 0]), "with np.uint64(0):", by_uint64.dtype, int(by_uint64[0, 0]))
assert by_int.dtype == np.float64 and int(by_int[0, 0]) == 2**60, "changed: the type is kept"
assert by_uint64.dtype == np.uint64 and int(by_uint64[0, 0]) == 2**60 + 1
PYTHON
