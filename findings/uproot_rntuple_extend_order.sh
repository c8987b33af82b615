#!/usr/bin/env bash
# One would think: extend({"run": ..., "event": ...}) on an RNTuple writes each column under its name, as on a TTree.
# What happens: up to uproot 5.7.6 the values are taken in alphabetical order of the names, so that run holds the event
# numbers and event the run numbers, without a word; every reader finds them so. 5.7.7 writes them right, and so does
# file[name] = columns, and a TTree, in both.
# Seen with uproot 5.7.2 to 5.7.6, awkward 2.14.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check uproot==5.7.6 awkward==2.14.0
env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target later uproot==5.7.7
cat >write.py <<'PYTHON'
import sys

import numpy as np
import uproot

columns = {"run": np.full(3, 1), "event": np.array([7, 8, 9])}
types = {name: values.dtype for name, values in columns.items()}
with uproot.recreate(sys.argv[1]) as file:
    file.mkrntuple("ntuple", types)
    file["ntuple"].extend(columns)
    file.mktree("tree", types)
    file["tree"].extend(columns)
    file["assigned"] = columns
PYTHON
env/bin/python write.py before.root
PYTHONPATH=later env/bin/python write.py after.root
PYTHONPATH=later env/bin/python - <<'PYTHON'
import uproot

print("read with uproot", uproot.__version__)
found = {}
for written, version in (("before.root", "5.7.6"), ("after.root", "5.7.7")):
    with uproot.open(written) as file:
        for way in ("ntuple", "tree", "assigned"):
            events = file[way].arrays()
            found[version, way] = events["run"].tolist(), events["event"].tolist()
            print("written with", version, way, "run, event:", *found[version, way])
right, swapped = ([1, 1, 1], [7, 8, 9]), ([7, 8, 9], [1, 1, 1])
assert found.pop(("5.7.6", "ntuple")) == swapped, "changed: 5.7.6 keeps the names"
assert set(map(str, found.values())) == {str(right)}, "changed: another way is wrong"
PYTHON
