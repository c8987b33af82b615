#!/usr/bin/env bash
# One would think: a selection given to arrays(cut=...) selects, and an expression is a column, for an RNTuple as for a TTree.
# What happens: for an RNTuple (which file[name] = arrays writes) the cut is ignored and all entries come
# back; an expression gives records without fields. For the same columns in a TTree both work.
# Seen with uproot 5.7.7, awkward 2.14.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check uproot==5.7.7 awkward==2.14.0 numexpr==2.13.1
env/bin/python - <<'PYTHON'
import numpy as np
import uproot

columns = {"n": np.arange(5), "pt": np.linspace(0, 40, 5)}
with uproot.recreate("events.root") as file:
    file["ntuple"] = columns
    file.mktree("tree", {"n": np.int64, "pt": np.float64})
    file["tree"].extend(columns)
with uproot.open("events.root") as file:
    ntuple, tree = file["ntuple"], file["tree"]
    print("uproot", uproot.__version__, type(ntuple).__name__, type(tree).__name__)
    kept = {"tree": len(tree.arrays(cut="n > 2")), "ntuple": len(ntuple.arrays(cut="n > 2"))}
    fields = {"tree": tree.arrays(["n*2"]).fields, "ntuple": ntuple.arrays(["n*2"]).fields}
print("entries with n > 2:", kept)
print("fields of the expression n*2:", fields)
assert "RNTuple" in type(ntuple).__name__
assert kept == {"tree": 2, "ntuple": 5}, "changed: another number of entries"
assert fields == {"tree": ["n*2"], "ntuple": []}, "changed: other fields"
PYTHON
