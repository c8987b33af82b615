#!/usr/bin/env bash
# One would think: inclusive jets of the Python package come in falling pt, or at least in the order in which they were given.
# What happens: for awkward input they come in FastJet's clustering order: the hardest jet is the last here. And
# constituent_index() has a min_pt of its own: without the same value its rows do not belong to the jets.
# Seen with fastjet 3.5.2.0, awkward 2.14.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check fastjet==3.5.2.0 awkward==2.14.0 vector==1.9.0
env/bin/python - <<'PYTHON'
import awkward as ak
import fastjet
import numpy as np

particles = ak.zip(
    {
        "px": np.array([10.0, -50.0, 0.0, 1.0]),
        "py": np.array([0.0, 0.0, 30.0, -1.0]),
        "pz": np.array([0.0, 3.0, 1.0, 0.0]),
        "E": np.array([10.0, 50.2, 30.1, 1.5]),
    }
)
sequence = fastjet.ClusterSequence(
    particles, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4)
)
jets = sequence.inclusive_jets(min_pt=5)
pt = np.hypot(ak.to_numpy(jets.px), ak.to_numpy(jets.py)).round(3).tolist()
print("fastjet", fastjet.__version__, "jets above 5 GeV:", pt)
print("rows of constituent_index():", len(sequence.constituent_index()), "for", len(jets), "jets")
assert pt == [10.0, 30.0, 50.0], "changed: another order"
assert len(sequence.constituent_index()) == 4, "changed: constituents follow the jets"
assert len(sequence.constituent_index(min_pt=5)) == 3
PYTHON
