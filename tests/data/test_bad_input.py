"""One test per kind of bad input: a clear sentence, the exit code of data errors, nothing lost."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from ntuples import (
    hardware,
    make_events,
    write_perfnano,
    write_words,
)

from l1met_fpga.cli.app import main
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import create_store, write_store
from l1met_fpga.errors import DataError


@pytest.fixture
def events():
    return make_events(40)


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """Run `l1met convert` on bad files; returns its one sentence."""
    monkeypatch.chdir(tmp_path)

    def run(*names, code=3):
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        with pytest.raises(SystemExit) as stop:
            main(["convert", *names, "-o", "out.h5", "--workers", "1"])
        assert stop.value.code == code
        assert not (tmp_path / "out.h5").exists()
        assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
        return capsys.readouterr().err.replace("\n", " ").strip()

    return run


def test_missing_tree_names_the_nearest(events, tmp_path, refused):
    write_perfnano(tmp_path / "a.root", events, tree="Event")
    assert refused("a.root") == (
        "error: a.root has no tree Events (nearest: Event); it has Event, name the right one in a "
        "branch map (--branch-map)"
    )


def test_missing_branch_names_the_nearest(events, tmp_path, refused):
    weight = {"puppiWgt": np.ones(events.counts.sum())}
    write_perfnano(
        tmp_path / "a.root", events, candidates=weight, leave_out=("L1PuppiCands_puppiWeight",)
    )
    assert refused("a.root").startswith(
        "error: a.root: tree Events has no branch L1PuppiCands_puppiWeight (nearest: "
        "L1PuppiCands_puppiWgt"
    )


def test_missing_file(refused):
    assert refused("a.root") == "error: no file matches a.root; check the path"


def test_truncated_root_file(events, tmp_path, refused):
    write_perfnano(tmp_path / "a.root", make_events(3000))
    whole = (tmp_path / "a.root").read_bytes()
    for share in (0.02, 0.3, 0.7, 0.99):
        (tmp_path / "a.root").write_bytes(whole[: int(share * len(whole))])
        message = refused("a.root")
        assert message.startswith("error: a.root is not a readable ROOT file (")
        assert message.endswith("it is empty, damaged, or was cut while it was copied")


def test_empty_root_file(tmp_path, refused):
    (tmp_path / "a.root").touch()
    message = refused("a.root")
    assert message.startswith("error: a.root is not a readable ROOT file (")
    assert message.endswith("it is empty, damaged, or was cut while it was copied")


def test_root_file_without_events(events, tmp_path, refused):
    write_perfnano(tmp_path / "a.root", events.part(0, 0))
    assert "none of the 1 input files has an event; nothing was written" in refused("a.root")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("branch", ["pt", "eta", "phi", "puppiWeight"])
def test_nan_and_infinite_values(events, tmp_path, refused, branch, value):
    columns = {"puppiWeight": "puppi_weight"}
    bad = np.ones(events.counts.sum(), np.float32)
    bad[[3, 5]] = value
    write_perfnano(tmp_path / "a.root", events, candidates={branch: bad})
    assert refused("a.root") == (
        f"error: a.root, events 0 to 39: column {columns.get(branch, branch)} holds 2 NaN or "
        "infinite values; they have no counts"
    )


def test_unknown_particle_code(events, tmp_path, refused):
    codes = np.full(events.counts.sum(), 22.0)
    codes[4] = 321
    write_perfnano(
        tmp_path / "a.root", events, candidates={"pdgId": codes}, leave_out=("L1PuppiCands_charge",)
    )
    assert refused("a.root") == (
        "error: a.root, events 0 to 39: unknown particle code 321 (1 in all); L1 PUPPI has 130, "
        "22, -211, 211, 11, -11, 13, -13"
    )


def test_impossible_charge(events, tmp_path, refused):
    n = events.counts.sum()
    write_perfnano(
        tmp_path / "a.root", events, candidates={"pdgId": np.full(n, 211), "charge": np.zeros(n)}
    )
    assert (
        f"charge 0 of a candidate with pdgId 211 ({n} in all); 130 and 22 are neutral, 211, 11 and "
        "13 have charge -1 or 1"
    ) in refused("a.root")


def test_counts_that_disagree_with_the_counter(events, tmp_path, refused):
    import awkward as ak
    import uproot

    write_perfnano(tmp_path / "whole.root", events)
    arrays = uproot.open(tmp_path / "whole.root")["Events"].arrays()
    branches = {name: arrays[name] for name in arrays.fields}
    counter = np.asarray(arrays["nL1PuppiCands"]).copy()
    counter[5] += 1
    branches["nL1PuppiCands"] = counter
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("Events", {name: ak.type(array).content for name, array in branches.items()})
        file["Events"].extend(branches)
    n = int(events.counts[5])
    assert refused("a.root") == (
        f"error: a.root, events 0 to 39: counts disagree: nL1PuppiCands is {n + 1} where "
        f"L1PuppiCands_pt has {n} entries (event 5 of these, 1 events in all); the file is damaged"
    )


def test_counts_that_disagree_between_branches(events, tmp_path, refused):
    import awkward as ak
    import uproot

    write_perfnano(tmp_path / "whole.root", events)
    arrays = uproot.open(tmp_path / "whole.root")["Events"].arrays()
    branches = {name: arrays[name] for name in arrays.fields}
    cut = branches["L1PuppiCands_eta"].to_list()
    n = len(cut[9])
    cut[9] = cut[9][:-1]
    branches["L1PuppiCands_eta"] = ak.values_astype(ak.Array(cut), np.float32)
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("Events", {name: ak.type(array).content for name, array in branches.items()})
        file["Events"].extend(branches)
    assert refused("a.root") == (
        f"error: a.root, events 0 to 39: counts disagree: L1PuppiCands_eta has {n - 1} entries "
        f"where L1PuppiCands_pt has {n} (event 9 of these, 1 events in all); the file is damaged"
    )


def test_hardware_integers_outside_their_type(events, tmp_path, refused):
    bad = hardware(events)
    bad["hwPt"][2] = 16384
    write_perfnano(tmp_path / "a.root", events, candidates=bad)
    assert refused("a.root") == (
        "error: a.root, events 0 to 39: hardware column pt holds 16384.0 (1 values outside its "
        "type); allowed are integers from 0 to 16383"
    )


def test_hardware_values_that_are_no_integers(events, tmp_path, refused):
    bad = hardware(events)
    bad["hwPt"][2] = 3.5
    write_perfnano(tmp_path / "a.root", events, candidates=bad)
    assert "hardware column pt holds 3.5 (1 values outside its type)" in refused("a.root")


def test_values_outside_their_column(events, tmp_path, refused):
    eta = np.zeros(events.counts.sum(), np.float32)
    eta[1] = 12
    write_perfnano(tmp_path / "a.root", events, candidates={"eta": eta})
    assert refused("a.root") == (
        "error: a.root, events 0 to 39: column eta holds 12  (1 values out of range); allowed are "
        "-8.93609 to 8.93172"
    )


def test_events_without_and_with_too_many_candidates_are_counted(tmp_path, capsys):
    write_perfnano(tmp_path / "a.root", make_events(6, mean=0.01))
    write_perfnano(tmp_path / "b.root", make_events(6, mean=150))
    files = [str(tmp_path / "a.root"), str(tmp_path / "b.root")]
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["convert", *files, "-o", str(tmp_path / "o.h5"), "--workers", "1", "--order", "pt"])
    with Store.open(tmp_path / "o.h5") as store:
        n = store.n_candidates()
        counts = store.attributes.counts
        pt = store.candidates()["pt"]
    assert counts["empty_events"] == (n == 0).sum() == 6
    assert counts["truncated_events"] == (n > 128).sum() >= 4
    assert counts["truncated_candidates"] == np.maximum(n - 128, 0).sum()
    long = pt[n > 128]
    assert (np.diff(long, axis=1) <= 0).all()  # the softest were dropped
    output = " ".join(capsys.readouterr().out.split())
    assert "6 events without a candidate" in output
    assert f"{counts['truncated_events']} events with more than 128 candidates" in output


def test_word_stream_cut_inside_a_word(events, tmp_path, refused):
    write_words(tmp_path / "a.dump", events)
    whole = (tmp_path / "a.dump").read_bytes()
    (tmp_path / "a.dump").write_bytes(whole[:-3])
    assert refused("a.dump") == (
        f"error: a.dump has {len(whole) - 3} bytes, not a multiple of 8: a 64-bit word is cut in "
        "the middle; copy the file again"
    )


def test_word_stream_cut_inside_an_event(events, tmp_path, refused):
    write_words(tmp_path / "a.dump", events)
    (tmp_path / "a.dump").write_bytes((tmp_path / "a.dump").read_bytes()[:-16])
    n = events.counts[-1]
    assert (
        f"the header of event 39 promises {n} words, but {n - 2} follow until the end of the file; "
        "the stream is cut or damaged"
    ) in refused("a.dump")


@pytest.mark.parametrize(
    ("version", "sources", "advice"),
    [
        (99, [], "it was made by a newer l1met_fpga, install that one"),
        (1, [], "convert its sources again with `l1met convert`"),
        (2, [], "convert its sources again with `l1met convert`"),
        (
            1,
            [{"path": "my files/a.root"}, {"path": "b.root"}],
            (
                "convert its sources again with `l1met convert 'my files/a.root' b.root --label toy "
                "--order as_is --split-seed 1 --overwrite -o {path}`"
            ),
        ),
    ],
)
def test_store_of_another_schema_version(tmp_path, version, sources, advice):
    path = tmp_path / "a.h5"
    with create_store(path, label="toy", order="as_is", sources=sources):
        pass
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = version  # compared first: another version has other rules
    with pytest.raises(DataError) as caught:
        Store.open(path)
    assert str(caught.value) == (
        f"{path} has schema version {version}, this program reads version 3; "
        + advice.format(path=path)
    )


def test_things_that_are_no_store(tmp_path):
    with pytest.raises(DataError, match=r"no store .*none.h5; make one with `l1met convert`"):
        Store.open(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(DataError, match=r"text.h5 is not a readable HDF5 file"):
        Store.open(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["X"] = np.zeros(3)
    with pytest.raises(DataError, match=r"is an HDF5 file but no store"):
        Store.open(tmp_path / "other.h5")


def test_truncated_store(tmp_path):
    path = tmp_path / "a.h5"
    columns = ("pt", "eta", "phi", "pid", "puppi_weight")
    write_store(path, candidates={name: np.ones((9, 128), np.int16) for name in columns})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="it is no store, or it was cut while it was copied"):
        Store.open(path)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from l1met_fpga.cli.app import main
from l1met_fpga.data.store_writer import write_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
if sys.argv[1] == "convert":
    main([*sys.argv[1:], "--workers", "1"])
columns = ("pt", "eta", "phi", "pid", "puppi_weight")
noise = np.random.default_rng(0).integers(1, 8, (3000, 128)).astype(np.int16)
try:
    write_store(Path(sys.argv[2]), candidates=dict.fromkeys(columns, noise))
except Exception as err:
    raise SystemExit(f"{type(err).__name__}: {err}")
"""


def on_full_disk(*arguments):
    """A limit on the size of files stands for a full disk: writes fail in the same places."""
    command = [sys.executable, "-c", FULL_DISK, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_full_disk_while_converting(tmp_path):
    write_perfnano(tmp_path / "a.root", make_events(2000))
    output = tmp_path / "out.h5"
    arguments = ["convert", str(tmp_path / "a.root"), "-o", str(output)]
    done = on_full_disk(*arguments)
    assert done.returncode == 3, done.stderr
    assert done.stderr == (
        f"error: cannot write {output}: File too large; nothing was left behind, "
        "check the free space and the permissions of its folder\n"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "a.root"]
    with pytest.raises(SystemExit, match=r"^0$"):  # when there is room again
        main([*arguments, "--workers", "1"])


def test_full_disk_while_writing_a_store(tmp_path):
    """HDF5 by itself would crash the process here."""
    done = on_full_disk("store", tmp_path / "out.h5")
    assert done.returncode == 1
    assert done.stderr == (
        f"DataError: cannot write {tmp_path}/out.h5: File too large; nothing was left behind, "
        "check the free space and the permissions of its folder\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_unknown_ending_asks_for_the_format(tmp_path, refused):
    (tmp_path / "a.txt").touch()
    assert refused("a.txt", code=2).startswith("error: cannot tell the format of a.txt by its name")


def test_a_file_given_twice(events, tmp_path, refused):
    write_perfnano(tmp_path / "a.root", events)
    assert "a.root is given twice" in refused("a.root", "*.root")
