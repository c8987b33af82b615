#!/usr/bin/env bash
# One would think: a char field of an RNTuple, a charge for instance, comes back with its sign, as std::int8_t does.
# What happens: uproot gives char, also inside a vector, as uint8: -2 arrives as 254. ROOT's char has a sign on x86, and ROOT
# reads -2; signed char and std::int8_t are right.
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
#include "ROOT/RNTupleModel.hxx"
#include "ROOT/RNTupleReader.hxx"
#include "ROOT/RNTupleWriter.hxx"
void Write() {
  auto model = ROOT::RNTupleModel::Create();
  auto plain = model->MakeField<char>("plain");
  auto number = model->MakeField<std::int8_t>("number");
  auto list = model->MakeField<std::vector<char>>("list");
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", "charge.root");
  for (int charge : {-2, -1, 1}) {
    *plain = *number = charge;
    *list = {char(charge)};
    writer->Fill();
  }
}
int Plain(int entry) {
  static auto reader = ROOT::RNTupleReader::Open("Events", "charge.root");
  return reader->GetView<char>("plain")(entry);
}
""")
ROOT.Write()
print("ROOT", ROOT.gROOT.GetVersion(), [ROOT.Plain(entry) for entry in range(3)])
assert [ROOT.Plain(entry) for entry in range(3)] == [-2, -1, 1]
import uproot

with uproot.open("charge.root") as file:
    found = {name: file["Events"][name].array().to_list() for name in ("plain", "list", "number")}
print("uproot", uproot.__version__, found)
assert found["number"] == [-2, -1, 1]
assert found["plain"] == [254, 255, 1], "changed: char has another sign"
assert found["list"] == [[254], [255], [1]], "changed: char in a vector has another sign"
PYTHON
