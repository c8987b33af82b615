"""ROOT itself reads what this package writes: RDataFrame sees the numbers that were written."""

import subprocess
from importlib.resources import as_file, files

import numpy as np
import pytest
import uproot
from ntuples import make_events, write_perfnano
from oracle_tools import environment_python
from plain_networks import plain_network

import l1met_fpga as l1met
from l1met_fpga.prediction.loaded import LoadedNetwork

pytestmark = [pytest.mark.slow, pytest.mark.oracle("ROOT")]

READ = """
import sys
import numpy as np
import ROOT
found = {}
for path in sys.argv[2:]:
    frame = ROOT.RDataFrame("Events", path)
    found |= {f"{path} {name}": values for name, values in frame.AsNumpy().items()}
np.savez(sys.argv[1], **found)
"""
SUM = """
import sys
import ROOT
frame = ROOT.RDataFrame("Events", sys.argv[1])
names = sorted(str(name) for name in frame.GetColumnNames())
sums = [frame.Define(f"all_{name}", f"double(Sum(ROOT::RVecD({name})))" if "RVec" in
        frame.GetColumnType(name) else f"double({name})").Sum(f"all_{name}") for name in names]
print(frame.Count().GetValue())
for name, value in zip(names, sums):
    print(name, repr(value.GetValue()))
"""


def root(program, *arguments):
    done = subprocess.run(
        [environment_python("root"), "-W", "ignore", "-c", program, *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_predictions_read_back_with_rdataframe(tmp_path):
    write_perfnano(tmp_path / "in.root", make_events(500, seed=3))
    loaded = LoadedNetwork(plain_network("eta", kernel=-1))
    paths = {name: tmp_path / name for name in ("met.npz", "tree.root", "ntuple.root")}
    for name, path in paths.items():
        l1met.predict_files(loaded, [tmp_path / "in.root"], path, rntuple=name == "ntuple.root")
    root(READ, tmp_path / "read.npz", paths["tree.root"], paths["ntuple.root"])
    with np.load(paths["met.npz"]) as ours, np.load(tmp_path / "read.npz") as theirs:
        assert len(theirs.files) == 2 * len(ours.files)
        for name in ours.files:
            for path in (paths["tree.root"], paths["ntuple.root"]):
                found = theirs[f"{path} {name}"]
                assert found.dtype == ours[name].dtype
                np.testing.assert_array_equal(found, ours[name], err_msg=f"{path} {name}")


def test_simulated_ntuples_hold_for_rdataframe_what_they_hold_for_uproot():
    with as_file(files("l1met_fpga.shipped") / "data" / "ttbar.root") as path:
        count, *lines = root(SUM, path).splitlines()
        with uproot.open(path) as file:
            tree = file["Events"]
            assert int(count) == tree.num_entries
            found = dict(line.split() for line in lines)
            assert found.keys() == set(tree.keys())
            for name, value in found.items():
                flat = tree[name].array(library="np")
                flat = np.concatenate(flat) if flat.dtype == object else flat
                assert float(value) == pytest.approx(flat.astype(float).sum(), rel=1e-9, abs=1e-6)
