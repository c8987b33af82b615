#!/usr/bin/env bash
# One would think: a field that was added to an RNTuple after some events is missing for those events, and a reader can tell.
# What happens: ROOT and uproot both hand out zeros (empty lists for collections) for the events before, and nothing in the
# arrays says so: a generator MET added by an updater is 0 GeV there.
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
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
void late() {
  auto model = ROOT::RNTupleModel::Create();
  auto event = model->MakeField<std::int64_t>("event");
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", "late.root");
  for (*event = 0; *event < 3; ++*event) writer->Fill();
  writer->CommitCluster();
  auto updater = writer->CreateModelUpdater();
  updater->BeginUpdate();
  updater->AddField(ROOT::RFieldBase::Create("met", "float").Unwrap());
  updater->CommitUpdate();
  auto entry = writer->GetModel().CreateEntry();
  for (std::int64_t i = 3; i < 6; ++i) {
    *entry->GetPtr<std::int64_t>("event") = i;
    *entry->GetPtr<float>("met") = 10.f * i;
    writer->Fill(*entry);
  }
}
""")
ROOT.late()
wanted = [0.0, 0.0, 0.0, 30.0, 40.0, 50.0]
by_root = ROOT.RDataFrame("Events", "late.root").AsNumpy(["met"])["met"].tolist()
by_uproot = uproot.open("late.root:Events").arrays()["met"].tolist()
print("ROOT", ROOT.gROOT.GetVersion(), by_root)
print("uproot", uproot.__version__, by_uproot)
assert by_root == by_uproot == wanted, "changed: events before the field are told apart"
PYTHON
