"""Files as the field writes them: newest and older layouts, other converters' modes."""

import logging
from collections import Counter

import awkward as ak
import h5py
import numpy as np
import pytest
import uproot
from ntuples import (
    hardware,
    make_events,
    met_xy,
    physical,
    write_l1deepmet,
    write_l1metml,
    write_perfnano,
)

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data import read_root as reader
from l1met_fpga.data.convert import convert
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import VERTEX, is_baseline
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError

REQUIRED = ("pt", "eta", "phi", "pid", "puppi_weight")


@pytest.fixture
def events():
    return make_events(40)


def read(path, **options):
    tally = Counter()
    source = expand_sources([str(path)])[0]
    batches = list(read_source(source, ConvertConfig(**options), tally))
    return Examples.concatenate(batches), +tally


def assert_same(batch, events):
    np.testing.assert_array_equal(batch.counts, events.counts)
    for name in REQUIRED:
        np.testing.assert_array_equal(batch.columns[name], events.columns[name], err_msg=name)


def write_newest(path, events, *, vertices="L1Vtx"):
    """Write the layout of perfNano in 14_2_X: every column of the table, fillers included."""
    n, charged = len(events.counts), events.columns["pid"] > 1
    rng = np.random.default_rng(1)
    absent = {"trackChi2RPhi": -1, "trackNStubs": -1, "trackMvaQual": -1}
    clusters = {"caloEta": -999, "caloPhi": -999, "clPt": -1, "clEmEt": -1}
    candidates = hardware(events) | {
        "mass": np.full(len(charged), 0.139),
        "hwQual": rng.integers(0, 500, len(charged)),
        "z0": np.where(charged, 3.0, 0),
        "dxy": np.where(charged, -0.25, 0),
        "clPuId": np.where(charged, -1, rng.choice([-3.4e38, 0.3, 3.4e38], len(charged))),
        **{name: np.where(charged, 7, filler) for name, filler in absent.items()},
        **{name: np.where(charged, filler, 1.5) for name, filler in clusters.items()},
    }
    candidates = {name: values.astype(np.float32) for name, values in candidates.items()}
    mets = {}
    for number, name in enumerate(("L1PuppiMetCentral", "L1PFMet", "L1CaloMet", "L1TKMet")):
        mets |= {f"{name}_pt": np.full(n, 10.0 + number), f"{name}_phi": np.full(n, 0.5 * number)}
    write_perfnano(path.with_suffix(".flat"), events, candidates=candidates, per_event=mets)
    with uproot.open(path.with_suffix(".flat")) as file:
        arrays = file["Events"].arrays()
    counts = rng.integers(1, 5, n)
    z0 = ak.unflatten(np.arange(counts.sum()) * 0.1, counts)
    branches = {name: arrays[name] for name in arrays.fields} | {
        f"{vertices}_z0": z0,
        f"{vertices}_sumPt": z0 * 20,
    }
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: array.type.content for name, array in branches.items()})
        file["Events"].extend(branches)
    return np.array([event[0] for event in z0.to_list()])


@pytest.mark.parametrize("vertices", ["L1Vtx", "L1Vertex", "L1PFVertex"])
def test_newest_perfnano(events, tmp_path, caplog, vertices):
    z0 = write_newest(tmp_path / "a.root", events, vertices=vertices)
    reader._log_once.cache_clear()
    with caplog.at_level(logging.INFO):
        batch, tally = read(tmp_path / "a.root")
        read(tmp_path / "a.root")
    assert_same(batch, events)
    charged = events.columns["pid"] > 1
    np.testing.assert_array_equal(batch.columns["z0"], np.where(charged, 60, 0))
    np.testing.assert_array_equal(batch.columns["dxy"], np.where(charged, -5, 0))
    assert "quality" not in batch.columns  # hwQual is no track quality
    np.testing.assert_allclose(batch.besides[VERTEX], z0)
    others = [n for n in batch.besides if is_baseline(n)]
    keys = ("puppi_met", "L1PuppiMetCentral", "L1PFMet", "L1CaloMet", "L1TKMet")
    assert others == [f"baselines/{key}_xy_gev" for key in keys]
    np.testing.assert_allclose(
        batch.besides["baselines/L1CaloMet_xy_gev"],
        [[12 * np.cos(1), 12 * np.sin(1)]] * len(events),
    )
    assert +tally == {"files_without_gen_ht": 1}
    said = [record.message for record in caplog.records if "branch map" in record.message]
    assert said == [f"branch map auto: reading {vertices}_z0"]


def test_other_algorithms_reach_the_store(events, tmp_path):
    write_newest(tmp_path / "a.root", events)
    convert([str(tmp_path / "a.root")], tmp_path / "a.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "a.h5") as store:
        assert "L1TKMet_xy_gev" in store.baselines
        np.testing.assert_allclose(
            store.baseline("L1TKMet_xy_gev"),
            [[13 * np.cos(1.5), 13 * np.sin(1.5)]] * len(events),
            rtol=1e-6,
        )


def test_what_a_file_lacks_is_said_and_stored(events, tmp_path, capsys):
    from l1met_fpga.cli.app import main

    out = ("L1PuppiCands_charge", "L1PuppiMet_phi", "genMet_phi", "run")
    write_perfnano(tmp_path / "a.root", events, leave_out=out)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["convert", str(tmp_path / "a.root"), "-o", str(tmp_path / "a.h5"), "--workers", "1"])
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "1 files without generator MET",
        "1 files without the sum of the candidates that the trigger computed",
        "1 files without charges; the sign is that of pdgId",
        "1 files without hardware integers; counts are made from floats",
        "1 files without a vertex table; z0 stays along the beam",
        "1 files without run, luminosity block or event number",
    ):
        assert words in said
    with Store.open(tmp_path / "a.h5") as store:
        assert store.attributes.counts["files_without_vertex"] == 1


MAP = (
    "candidates: {pt: L1PuppiCands_pt, eta: L1PuppiCands_eta, phi: L1PuppiCands_phi, "
    "pdg_id: L1PuppiCands_pdgId, puppi_weight: L1PuppiCands_puppiWeight}\n"
)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            "truth: {gen_met: {pt: genMET_pt, phi: genMet_phi}}",
            "genMET_pt (nearest: genMet_pt",
        ),
        (
            "truth: {gen_met: {pt: genMet_pt, phi: genMET_phi}}",
            "genMET_phi (nearest: genMet_phi",
        ),
        ("truth: {gen_ht: [genHt, gen_HT]}", "genHt or gen_HT"),
        (
            "baselines: {puppi_met: {pt: L1PuppiMET_pt, phi: L1PuppiMet_phi}}",
            "L1PuppiMET_pt (nearest: L1Puppi",
        ),
        ("charge: L1PuppiCands_chrge", "L1PuppiCands_chrge (nearest: L1PuppiCands_charge"),
        ("count: nL1PuppiCand", "nL1PuppiCand (nearest: nL1PuppiCands"),
        ("vertex_z0: [L1Vtx_z0, L1Vertex_z0]", "L1Vtx_z0 or L1Vertex_z0"),
        ("event: [run, luminosity, event]", "luminosity (nearest: luminosityBlock"),
        ("extras: {z0: L1PuppiCands_z}", "L1PuppiCands_z (nearest: "),
        ("hardware: {pt: L1PuppiCands_hwpt}", "L1PuppiCands_hwpt (nearest: L1PuppiCands_pt"),
        ("baselines: {calo: {pt: L1Calo_pt, phi: L1Calo_phi}}", "L1Calo_pt"),
    ],
)
def test_a_name_of_a_map_of_the_users_must_be_there(events, tmp_path, line, wrong):
    write_perfnano(tmp_path / "a.root", events)
    (tmp_path / "map.yaml").write_text(f"{MAP}{line}\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.root", branch_map=str(tmp_path / "map.yaml"))
    path = tmp_path / "a.root"
    assert str(caught.value).startswith(f"{path}: tree Events has no branch {wrong}")
    assert f"it is needed by the branch map {tmp_path}/map.yaml, give another" in str(caught.value)


def test_several_names_in_one_map(events, tmp_path):
    (tmp_path / "map.yaml").write_text(
        MAP.replace("L1PuppiCands_pt", "[Newer_pt, L1PuppiCands_pt]")
        + "truth: {gen_met: {pt: [New_pt, genMet_pt], phi: [New_phi, genMet_phi]}}\n"
    )
    write_perfnano(tmp_path / "a.root", events, per_event={"New_pt": np.ones(len(events))})
    batch, _ = read(tmp_path / "a.root", branch_map=str(tmp_path / "map.yaml"))
    # Size and direction belong together: New_phi is not there, so New_pt is not read either.
    np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met), rtol=1e-12)


def test_newer_l1nano_names(events, tmp_path):
    word = {"hwTkQuality": np.where(events.columns["pid"] > 1, 7, 0)}
    word |= {"hwEmID": np.where(events.columns["pid"] > 1, 0, 63)}
    write_perfnano(tmp_path / "a.root", events, table="L1PuppiCand", candidates=word)
    batch, _ = read(tmp_path / "a.root")
    assert_same(batch, events)
    np.testing.assert_array_equal(batch.columns["quality"], word["hwTkQuality"])
    np.testing.assert_array_equal(batch.columns["em_id"], word["hwEmID"])


@pytest.mark.parametrize(
    ("pid", "kind", "sign"), [(2, "hadrons", "negative"), (5, "electrons", "positive")]
)
def test_absolute_codes_without_charge_are_refused(events, tmp_path, pid, kind, sign):
    """211 is the positive hadron, 11 and 13 are the negative leptons."""
    codes = np.array([130, 22, 211, 211, 11, 11, 13, 13])[events.columns["pid"]]
    if kind == "electrons":  # hadrons with signs, and leptons without
        codes = np.where(events.columns["pid"] == 2, -211, codes)
    n = int(np.isin(events.columns["pid"], (pid, pid ^ 1)).sum())
    write_perfnano(
        tmp_path / "a.root",
        events,
        candidates={"pdgId": codes},
        leave_out=("L1PuppiCands_charge",),
    )
    for step in (3, 1000):
        with pytest.raises(DataError) as caught:
            read(tmp_path / "a.root", events_per_step=step)
        assert str(caught.value) == (
            f"{tmp_path}/a.root: not one of {n} charged {kind} is {sign}; pdgId is probably "
            "its absolute value and the charge is missing, name the branch with the charge as "
            "`charge` in a branch map (--branch-map)"
        )


def test_rntuple_that_uproot_writes(events, tmp_path):
    """Assigning arrays to a name in a file makes an RNTuple since uproot 5.7."""
    branches = {
        "run": events.event_id[:, 0],
        "luminosityBlock": events.event_id[:, 1],
        "event": events.event_id[:, 2].astype(np.float64),
        "genMet_pt": events.gen_met[:, 0].astype(np.float32),
        "genMet_phi": events.gen_met[:, 1].astype(np.float32),
        "L1PuppiCands": ak.zip(
            {name: ak.unflatten(values, events.counts) for name, values in physical(events).items()}
        ),
    }
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Events"] = branches
    for step in (7, 1000):
        batch, _ = read(tmp_path / "a.root", events_per_step=step)
        assert_same(batch, events)
        np.testing.assert_array_equal(batch.ids, events.event_id)
        np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met), rtol=1e-12)


@pytest.mark.parametrize("value", [-1.0, 2.5, np.nan, np.inf, 2.0**53])
def test_event_numbers_that_are_no_exact_integers(events, tmp_path, value):
    numbers = np.arange(len(events), dtype=np.float64)
    numbers[5] = value
    write_perfnano(tmp_path / "a.root", events, per_event={"event": numbers})
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.root")
    assert str(caught.value) == (
        f"{tmp_path}/a.root, events 0 to 39: branch event must hold integers that are not negative, "
        f"got {np.float64(value)} (float64, 1 events)"
    )


def test_fixed_slots_without_a_count(tmp_path):
    names = ("pt", "eta", "phi", "pdgId", "puppiWeight")
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("Events", {f"L1PuppiCands_{n}": np.dtype((np.float32, (8,))) for n in names})
        file["Events"].extend({f"L1PuppiCands_{n}": np.ones((5, 8), np.float32) for n in names})
    with pytest.raises(DataError, match="no branch says how many are filled; name one as `count`"):
        read(tmp_path / "a.root")


def test_older_order_of_l1deepmet(events, tmp_path):
    write_l1deepmet(tmp_path / "now.npz", events)
    with np.load(tmp_path / "now.npz") as now:
        x, y = now["x"], now["y"]
    np.savez(tmp_path / "first.npz", x=x[[0, 1, 2, 4, 5, 3]], y=y)
    for name in ("now.npz", "first.npz"):
        for step in (1, 1000):
            batch, _ = read(tmp_path / name, events_per_step=step)
            assert_same(batch, events)


def test_events_that_fill_all_slots_are_counted(tmp_path):
    events = make_events(60, mean=20.0)
    write_l1metml(tmp_path / "a.h5", events, n_slots=20)
    _, tally = read(tmp_path / "a.h5", events_per_step=7)
    assert tally["full_slot_events"] == (events.counts >= 20).sum() > 5
    write_l1metml(tmp_path / "b.h5", events)
    assert read(tmp_path / "b.h5")[1]["full_slot_events"] == 0


def test_l1metml_without_truth(events, tmp_path):
    """The converter's mode for data leaves Y zero."""
    write_l1metml(tmp_path / "a.h5", events)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["Y"][:] = 0
    counts = convert([str(tmp_path / "a.h5")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert counts["gen_met_all_zero"] == len(events)
    with Store.open(tmp_path / "o.h5") as store:
        assert np.isnan(store.truth(GEN_MET)).all()


@pytest.mark.parametrize(
    ("out", "same"),
    [
        (("event",), {}),
        (("luminosityBlock",), {}),
        ((), {"luminosityBlock": 1, "event": 1}),
        ((), {"luminosityBlock": 1, "event": 0}),
    ],
)
def test_events_whose_numbers_are_missing_are_known_by_what_they_hold(tmp_path, out, same):
    events = make_events(200)
    numbers = {name: np.full(200, value, np.uint32) for name, value in same.items()}
    write_perfnano(tmp_path / "a.root", events, leave_out=out, per_event=numbers)
    write_perfnano(
        tmp_path / "b.root",
        events.part(50, 90),
        leave_out=out,
        per_event={name: values[:40] for name, values in numbers.items()},
    )
    event_id = read(tmp_path / "a.root")[0].ids
    assert len(np.unique(event_id, axis=0)) == 200
    np.testing.assert_array_equal(read(tmp_path / "b.root")[0].ids, event_id[50:90])
    convert([str(tmp_path / "a.root")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "o.h5") as store:
        assert np.bincount(store.parts()).min() > 5  # not all in one part


def test_a_file_that_may_not_be_read(events, tmp_path, monkeypatch):
    write_perfnano(tmp_path / "a.root", events)

    def refused(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "open", refused)
    with pytest.raises(DataError) as caught:
        expand_sources([str(tmp_path / "a.root")])[0].sha256()
    assert str(caught.value) == (
        f"cannot read {tmp_path}/a.root: Permission denied; check the path and its permissions"
    )


SMALL = {
    f"L1PuppiCands_{name}": ak.Array([[1.0, 0.5], [], [0.25]])
    for name in ("pt", "eta", "phi", "puppiWeight")
} | {"L1PuppiCands_pdgId": ak.Array([[22, 130], [], [22]])}


@pytest.mark.parametrize(
    ("branches", "sentence"),
    [
        (
            {"L1PuppiCands_pdgId": ak.Array(["ab", "", "c"])},
            "L1PuppiCands_pdgId must hold a list of numbers per event, got 3 * string",
        ),
        (
            {"L1PuppiCands_pt": ak.Array([[[1.0], [2.0]], [], [[3.0]]])},
            "L1PuppiCands_pt must hold a list of numbers per event, got 3 * var * var * float64",
        ),
        (
            {"L1PuppiCands_pt": ak.Array([[1.0, None], [], [3.0]])},
            "L1PuppiCands_pt must hold a list of numbers per event, got 3 * var * ?float64",
        ),
        (
            {"L1PuppiCands_pt": ak.Array([[True, False], [], [True]])},
            "L1PuppiCands_pt must hold a list of numbers per event, got 3 * var * bool",
        ),
        (
            {"genMet_pt": ak.Array([[1.0], [2.0, 3.0], []]), "genMet_phi": np.zeros(3)},
            "genMet_pt must hold one number per event, got 3 * var * float64",
        ),
        (
            {"nL1PuppiCands": np.array([2.0, 0.5, 1.0])},
            "nL1PuppiCands must hold integers that are not negative, got 0.5 (float64, 1 events)",
        ),
    ],
)
def test_fields_of_another_kind_are_named(tmp_path, branches, sentence):
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Events"] = SMALL | branches
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.root")
    assert str(caught.value) == f"{tmp_path}/a.root, events 0 to 2: branch {sentence}"


def test_counters_and_event_numbers_of_any_kind(tmp_path):
    more = {
        "nL1PuppiCands": np.array([2.0, 0.0, 1.0]),
        "run": np.array([True, True, False]),
        "luminosityBlock": np.arange(3, dtype=np.int8),
        "event": np.array([2**64 - 1, 2**63, 5], np.uint64),
    }
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Events"] = SMALL | more
    batch, _ = read(tmp_path / "a.root")
    assert batch.counts.tolist() == [2, 0, 1]
    assert batch.ids.tolist() == [[1, 0, 2**64 - 1], [1, 1, 2**63], [0, 2, 5]]
