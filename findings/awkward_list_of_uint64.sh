#!/usr/bin/env bash
# One would think: a ragged array made of a list of uint64 arrays (64-bit words of events of different lengths) holds uint64.
# What happens: ak.Array walks through the numbers and makes int64 of them; a word with bit 63 ends with "Unable to cast Python
# instance of type numpy.uint64". ak.concatenate of arrays, or ak.unflatten of the flat words, keeps the type.
# Seen with awkward 2.14.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check awkward==2.14.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import awkward as ak
import numpy as np

low = [np.array([5, 2**62], np.uint64), np.array([1], np.uint64)]
high = [np.array([2**63], np.uint64), np.array([1], np.uint64)]
by_list = str(ak.Array(low).type)
kept = str(ak.unflatten(np.concatenate(low), [len(words) for words in low]).type)
try:
    said = str(ak.Array(high).type)
except RuntimeError as err:
    said = str(err).strip().splitlines()[0]
print("awkward", ak.__version__, "list of arrays:", by_list, "unflattened:", kept)
print("with bit 63:", said)
assert kept == "2 * var * uint64"
assert by_list == "2 * var * int64", "changed: another type"
assert said.startswith("Unable to cast"), "changed: taken, or another message"
PYTHON
