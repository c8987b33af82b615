#!/usr/bin/env bash
# One would think: a TTree that ROOT wrote and reads is readable by uproot, or the feature that it lacks is named.
# What happens: a tree with the I/O feature kGenerateOffsetMap (in ROOT since 6.14) stores no places of events for x[n]; uproot
# ends with "attempting to get bytes ... outside expected range" while reading a basket, as for a damaged file.
# Seen with ROOT 6.40.00 (PyPI 0.1a12), uproot 5.7.7.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check ROOT==0.1a12 uproot==5.7.7 awkward==2.14.0 numpy==2.4.6
env/bin/python -W ignore - <<'PYTHON'
import ROOT

ROOT.gInterpreter.Declare("""
void Write(const char *name, bool with_map) {
  TFile file(name, "RECREATE");
  auto tree = new TTree("tree", "");
  if (with_map) {
    ROOT::TIOFeatures features;
    features.Set("kGenerateOffsetMap");
    tree->SetIOFeatures(features);
  }
  tree->SetAutoFlush(10);
  int n;
  float x[2];
  tree->Branch("n", &n, "n/I");
  tree->Branch("x", x, "x[n]/F", 64);
  for (int entry = 0; entry < 40; ++entry) {
    n = entry % 3;
    for (int i = 0; i < n; ++i) x[i] = 10 * entry + i;
    tree->Fill();
  }
  file.Write();
}
""")
names = {"plain.root": False, "map.root": True}
expected = [[10.0 * entry + i for i in range(entry % 3)] for entry in range(40)]
for name, with_map in names.items():
    ROOT.Write(name, with_map)
    file = ROOT.TFile(name)
    assert [list(entry.x) for entry in file.Get("tree")] == expected
print("ROOT", ROOT.gROOT.GetVersion(), "reads both files")
import uproot

said = {}
for name in names:
    with uproot.open(name) as file:
        try:
            said[name] = file["tree"]["x"].array().to_list() == expected
        except uproot.deserialization.DeserializationError as err:
            said[name] = str(err).strip().splitlines()[-2:]
print("uproot", uproot.__version__, said)
assert said["plain.root"] is True
assert "outside expected range" in " ".join(said["map.root"]), "changed: read, or another message"
PYTHON
