#!/usr/bin/env bash
# One would think: a counted Double32_t branch with a range, x[n]/d[lo,hi,bits], is read as numbers in that range.
# What happens: uproot takes the first bracket of the leaf's title, the counter, for the range and hands out the packed
# integers' bits as tiny floats (1e-41); no error, no warning. ROOT's own reader gives the numbers.
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
  TFile file("packed.root", "RECREATE");
  TTree tree("Events", "");
  Int_t n = 2;
  Double32_t eta[2] = {-0.5, 1.25};
  tree.Branch("n", &n, "n/I");
  tree.Branch("eta", eta, "eta[n]/d[-5,5,16]");
  tree.Fill();
  tree.Write();
}
""")
ROOT.fill()
by_root = list(ROOT.RDataFrame("Events", "packed.root").AsNumpy(["eta"])["eta"][0])
branch = uproot.open("packed.root:Events")["eta"]
by_uproot = branch.array()[0].tolist()
print("ROOT", ROOT.gROOT.GetVersion(), "reads", by_root)
print("uproot", uproot.__version__, "reads", by_uproot, "as", branch.interpretation)
assert abs(by_root[0] + 0.5) < 1e-3 and abs(by_root[1] - 1.25) < 1e-3
assert all(0 < value < 1e-38 for value in by_uproot), "changed: uproot reads another value now"
PYTHON
