"""The same events in every way in which ROOT stores them give the integers they were made from.

The small files in ``root_files`` were written by ROOT itself (``make_root_files.py`` there). The
slow tests write them again, and more of them, with the ROOT of ``make test-oracles``.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import root_content as content
from oracle_tools import environment_python

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.read_root import read_root
from l1met_fpga.data.root_table import open_table
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError

KEPT = Path(__file__).parent / "root_files"
SCRIPT = KEPT / "make_root_files.py"
ROOT_PYTHON = environment_python("root")
NUMBERS = "which is not supported; write it as numbers, arrays or std::vector of float or int"
ONE_TREE = "write one tree with the branches of both (RDataFrame::Snapshot)"
REFUSED = {
    "compression_301": "is compressed in a way that is not supported (unsupported compression "
    "algorithm: b'CS'",
    "deque": f": branch L1PuppiCands_pt is of type deque<float>, {NUMBERS}",
    "vector_double32": f": branch L1PuppiCands_pt is of type vector<Double32_t>, {NUMBERS}",
    "vector_float16": f": branch L1PuppiCands_pt is of type vector<Float16_t>, {NUMBERS}",
    "short_branch": ": L1PFMet_pt has 10 entries, the tree 12; it was not filled for every event, "
    "write the file again",
    "offset_map": ": branch L1PuppiCands_pt was written without the places of its events "
    "(kGenerateOffsetMap), which is not supported; write it without that feature",
    "friend_apart": ": tree Events has the friend tree Truth in friend_apart_truth.root, which "
    f"lies in another file and cannot be read; {ONE_TREE}",
    "friend_index": ": tree Events has the friend tree Truth, which is matched by an index and "
    f"cannot be read; {ONE_TREE}",
    "variations": " holds the events of several selections (branch R_rdf_mask_Events_0), also those "
    "that fail the nominal one; take a snapshot without variations (RSnapshotOptions)",
    "rntuple_late": ": field genMet_pt has no values for the first events (it was added while the "
    "file was written); write the file again",
    "rntuple_variant": ": field L1PuppiCands_pdgId is of type "
    "std::vector<std::variant<std::int16_t,float>>, which is not supported; write it as numbers, "
    "std::array or std::vector of float or int",
}


def read(path, step=1000):
    tally = Counter()
    return Examples.concatenate(list(read_root(str(path), "auto", step, tally))), tally


def assert_read(path):
    """Read a file in one step and in several, and compare with what was written."""
    if path.stem in REFUSED:
        with pytest.raises(DataError) as caught:
            read(path)
        assert REFUSED[path.stem] in str(caught.value)
        return
    for step in (1000, 5):
        batch, tally = read(path, step)
        np.testing.assert_array_equal(batch.counts, content.COUNTS)
        for name, values in content.COLUMNS.items():
            np.testing.assert_array_equal(batch.columns[name], values, err_msg=name)
        np.testing.assert_array_equal(batch.ids, content.EVENT_ID)
        pt, phi = content.MET["genMet_pt"], content.MET["genMet_phi"]
        met = np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1)
        # Packed in 32 bits over 1024 GeV; all others without loss.
        np.testing.assert_allclose(batch.truth[GEN_MET], met, rtol=0, atol=1e-6)
        assert tally["files_without_gen_met"] == 0


def layouts(folder):
    return [path for path in sorted(folder.glob("*.root")) if path.stem != "friend_apart_truth"]


@pytest.mark.parametrize("path", layouts(KEPT), ids=lambda path: path.stem)
def test_kept_files(path):
    assert_read(path)


def test_every_layout_that_is_refused_is_kept():
    assert set(REFUSED) <= {path.stem for path in layouts(KEPT)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    subprocess.run([ROOT_PYTHON, "-W", "ignore", SCRIPT, folder], check=True, timeout=500)
    return folder


@pytest.mark.oracle("ROOT")
@pytest.mark.slow
def test_files_of_the_installed_root(written):
    paths = layouts(written)
    assert {path.stem for path in layouts(KEPT)} <= {path.stem for path in paths}
    for path in paths:
        assert_read(path)


READ_BACK = """
import json, sys
import ROOT
values = {}
for path in sys.argv[1:]:
    file = ROOT.TFile(path)
    tree = file.Get("Events")
    leaves = {branch.GetName(): tree.GetLeaf(branch.GetName()) for branch in tree.GetListOfBranches()}
    values[path] = {name: [] for name in leaves}
    for event in range(tree.GetEntries()):
        tree.GetEntry(event)
        for name, leaf in leaves.items():
            values[path][name].append([leaf.GetValue(slot) for slot in range(leaf.GetLen())])
print(json.dumps(values))
"""


@pytest.mark.oracle("ROOT")
@pytest.mark.slow
def test_packed_floats_are_the_doubles_that_root_reads(written):
    paths = [str(written / f"{name}.root") for name in ("packed", "packed_doubles")]
    paths += [str(written / f"{name}.root") for name in ("packed_floats", "packed_met", "half_met")]
    done = subprocess.run(
        [ROOT_PYTHON, "-W", "ignore", "-c", READ_BACK, *paths],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
    )
    for path, branches in json.loads(done.stdout).items():
        with open_table(path, "Events") as table:
            ours = table.read(list(branches), 0, table.n_events)
        for name, values in branches.items():
            flat = [value for event in values for value in event]
            assert np.asarray(ak.flatten(ours[name], axis=None)).tolist() == flat, (path, name)
