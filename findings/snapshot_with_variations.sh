#!/usr/bin/env bash
# One would think: a Snapshot after a Filter holds the events that pass it.
# What happens: with fIncludeVariations it also holds events that only a variation lets pass, with the nominal value as a
# plain number (20 where the filter asks for more than 25), and zeros for variations that failed; only the bits of
# R_rdf_mask_... tell. Whoever reads the columns alone counts too many events.
# Seen with ROOT 6.40.00, uproot 5.7.7.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check uproot==5.7.7 ROOT==0.1a12
env/bin/python - <<'PYTHON'
import warnings

warnings.filterwarnings("ignore")
import ROOT
import uproot

frame = ROOT.RDataFrame(4).Define("pt", "10.f * (rdfentry_ + 1)")
frame = frame.Vary("pt", "ROOT::RVecF{pt * 2, pt / 2}", ["up", "down"], "scale").Filter("pt > 25")
passing = frame.Count().GetValue()
options = ROOT.RDF.RSnapshotOptions()
options.fIncludeVariations = True
frame.Snapshot("Events", "varied.root", ["pt"], options)
with uproot.open("varied.root:Events") as tree:
    columns = {name: tree[name].array(library="np").tolist() for name in tree.keys()}
print("ROOT", ROOT.gROOT.GetVersion(), "events that pass:", passing)
print(columns)
assert passing == 2
assert columns["pt"] == [20.0, 30.0, 40.0], "changed: other events in the file"
assert columns["pt__scale_down"] == [0.0, 0.0, 0.0], "changed: other fillers"
PYTHON
