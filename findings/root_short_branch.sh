#!/usr/bin/env bash
# One would think: all branches of a TTree have as many entries as the tree, and a reader says so when one has not.
# What happens: ROOT writes a branch that was filled less often without complaint. uproot hands out arrays of different
# length by library=np; joined by position with event numbers they are wrong without a word, and files after it shift.
# Seen with uproot 5.7.7, ROOT 6.40.00.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check uproot==5.7.7 awkward==2.14.0 ROOT==0.1a12
env/bin/python - <<'PYTHON'
import warnings

warnings.filterwarnings("ignore")
import ROOT
import uproot

ROOT.gInterpreter.Declare("""
void fill() {
  TFile file("short.root", "RECREATE");
  TTree tree("Events", "");
  Long64_t event = 0;
  Float_t met = 0;
  tree.Branch("event", &event);
  TBranch* late = tree.Branch("met", &met);
  tree.SetEntries(0);
  for (event = 0; event < 300; ++event) {
    tree.GetBranch("event")->Fill();
    if (event >= 10) { met = event; late->Fill(); }
  }
  tree.SetEntries(300);
  tree.Write();
}
""")
ROOT.fill()
with uproot.open("short.root:Events") as tree:
    lengths = {name: len(values) for name, values in tree.arrays(library="np").items()}
    first = (int(tree["event"].array(library="np")[0]), float(tree["met"].array(library="np")[0]))
print("ROOT", ROOT.gROOT.GetVersion(), "uproot", uproot.__version__, "lengths", lengths)
print("row 0 holds event", first[0], "and the MET of event", int(first[1]))
assert lengths == {"event": 300, "met": 290}, "changed: other lengths, or an error"
assert first == (0, 10.0)
PYTHON
