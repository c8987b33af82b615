"""Fillers of ntuples are no MET, whatever reader they come through."""

from collections import Counter

import numpy as np
import pytest
from ntuples import make_events, write_l1deepmet, write_l1metml, write_perfnano

from l1met_fpga.cli.app import main
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.inspect import inspect_file
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import (
    GEN_HT,
    GEN_MET,
    PUPPI_MET,
    scalar,
    vector_from_polar,
    vector_from_xy,
)

NAN, INF = np.nan, np.inf
LARGEST = np.finfo(np.float32).max
FILLERS = {
    "minus 999 in both": (-999, -999),
    "minus 1 in both": (-1, -1),
    "negative pt alone": (-1, 0.5),
    "pt not a number": (NAN, 0.5),
    "phi not a number": (50, NAN),
    "infinite pt": (INF, 0),
    "infinite phi": (50, -INF),
    "largest float": (LARGEST, LARGEST),
    "largest float in pt": (LARGEST, 0),
    "above the collision's energy": (14_001, 1),
    "phi of minus 999": (50, -999),
    "phi in degrees": (50, 170),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("filler", FILLERS.values(), ids=FILLERS.keys())
def test_a_filler_is_no_met(filler, dtype):
    pt, phi = np.array([[3, 0], filler, [4, np.pi / 2]], dtype).T
    tally = Counter()
    met = vector_from_polar(pt, phi, tally, "gen_met")
    np.testing.assert_allclose(met, [[3, 0], [NAN, NAN], [0, 4]], atol=4e-7)
    assert tally == {"gen_met_fillers": 1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_met_that_can_be_is_taken(dtype):
    pt = np.array([0, 1e-3, 14_000, 5, 5], dtype)
    phi = np.array([3.0, 0, 0, -2 * np.pi, 2 * np.pi], dtype)  # float32 rounds 2 pi up
    tally = Counter()
    met = vector_from_polar(pt, phi, tally, "gen_met")
    np.testing.assert_allclose(met, [[0, 0], [1e-3, 0], [14_000, 0], [5, 0], [5, 0]], atol=1e-5)
    assert met.dtype == np.float64
    assert tally["gen_met_fillers"] == 0


def test_integers_are_widened():
    met = vector_from_polar(np.array([7, -1], np.int16), np.zeros(2, np.int8), Counter(), "gen_met")
    np.testing.assert_array_equal(met, [[7, 0], [NAN, NAN]])


@pytest.mark.parametrize(
    "filler", [(-999, -999), (-1, -1), (NAN, 3), (3, INF), (LARGEST, LARGEST), (0, 14_001)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_filler_in_px_and_py_is_no_met(filler, dtype):
    tally = Counter()
    met = vector_from_xy(np.array([[-999, 3], filler, [-1, 1]], dtype), tally, "gen_met")
    np.testing.assert_array_equal(met, [[-999, 3], [NAN, NAN], [-1, 1]])
    assert tally == {"gen_met_fillers": 1}


def write_root(path, events):
    write_perfnano(path, events)


@pytest.mark.parametrize(
    ("name", "write", "filler"),
    [
        ("a.root", write_root, (-999, -999)),
        ("a.root", write_root, (-1, -1)),
        ("a.root", write_root, (3e38, 3e38)),
        ("a.root", write_root, (NAN, NAN)),
        ("a.h5", write_l1metml, (NAN, 0)),
        ("a.h5", write_l1metml, (3e38, 0)),
        ("a.npz", write_l1deepmet, (NAN, 0)),
        ("a.npz", write_l1deepmet, (3e38, 0)),
    ],
)
def test_fillers_are_counted_and_named_and_the_rest_is_kept(tmp_path, name, write, filler):
    events = make_events(60, seed=4)
    events.gen_met[::20] = filler
    write(tmp_path / name, events)
    counts = convert([str(tmp_path / name)], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert counts["gen_met_fillers"] == counts["gen_met_missing"] == 3
    with Store.open(tmp_path / "o.h5") as store:
        unknown = np.isnan(store.truth(GEN_MET)).all(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(unknown), [0, 20, 40])
        assert np.nanmax(np.abs(store.truth(GEN_MET))) < 900
    for path in (tmp_path / name, tmp_path / "o.h5"):
        problems = inspect_file(str(path)).problems
        assert (
            "3 events whose generator MET is none (negative, above 14 TeV, not finite, or beyond "
            "a turn): no truth"
        ) in problems
        assert "3 events without generator MET; they cannot be trained on" in problems


@pytest.mark.parametrize("write", [write_root, write_l1metml, write_l1deepmet])
def test_a_truth_that_is_zero_throughout_is_named(tmp_path, write):
    events = make_events(30)
    events.gen_met[:] = 0
    suffix = {"write_l1metml": "h5", "write_l1deepmet": "npz"}.get(write.__name__, "root")
    said = (
        "the generator MET of all 30 events is zero, which is no truth; if they are pile-up only, "
        "convert with --role background"
    )
    write(tmp_path / f"ttbar.{suffix}", events)
    assert said in inspect_file(str(tmp_path / f"ttbar.{suffix}")).problems
    write(tmp_path / f"pileup.{suffix}", events)
    assert said not in inspect_file(str(tmp_path / f"pileup.{suffix}")).problems


@pytest.mark.parametrize(("n_zero", "is_said"), [(15, False), (16, True)])
def test_a_truth_that_is_zero_in_most_events_is_noted(tmp_path, capsys, n_zero, is_said):
    events = make_events(32)
    events.gen_met[2:] = 100, 1
    events.gen_met[2 : 2 + n_zero] = 0
    events.gen_met[:2] = -999, 0  # not known, so no part of the share
    write_root(tmp_path / "ttbar.root", events)
    for role in ("signal", "background"):
        store = tmp_path / f"{role}.h5"
        with pytest.raises(SystemExit, match="0"):
            main(["convert", str(tmp_path / "ttbar.root"), "-o", str(store), "--role", role])
        noted = "exactly zero, more than half; was it filled in all of them?"
        assert (noted in capsys.readouterr().out) == (is_said and role == "signal")
        found = f"the generator MET of {n_zero} of 30 events is exactly zero"
        said = "\n".join(inspect_file(str(store)).problems)
        assert (found in said) == (is_said and role == "signal")


def test_a_vertex_of_a_filler_is_none(tmp_path):
    events = make_events(40)
    z0 = np.linspace(-12, 12, 40).astype(np.float32)
    z0[[3, 5]] = -999, LARGEST
    per_event = {"L1Vertex_z0": z0}
    write_perfnano(tmp_path / "a.root", events, per_event=per_event)
    counts = convert([str(tmp_path / "a.root")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert counts["vertex_fillers"] == 2
    with Store.open(tmp_path / "o.h5") as store:
        found = store.vertex_z0_cm()
    assert np.flatnonzero(np.isnan(found)).tolist() == [3, 5]
    np.testing.assert_array_equal(np.delete(found, [3, 5]), np.delete(z0, [3, 5]))


def test_baselines_and_puppi_met_come_through_the_same_door(tmp_path):
    events = make_events(40)
    events.puppi_met[1] = -999
    pt, phi = np.full(40, 30, np.float32), np.zeros(40, np.float32)
    pt[2] = -1
    per_event = {"L1PFMet_pt": pt, "L1PFMet_phi": phi}
    write_perfnano(tmp_path / "a.root", events, per_event=per_event)
    counts = convert([str(tmp_path / "a.root")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert counts["baseline_fillers"] == 2
    with Store.open(tmp_path / "o.h5") as store:
        assert np.flatnonzero(np.isnan(store.baseline(PUPPI_MET)[:, 0])).tolist() == [1]
        pf = store.baseline("L1PFMet_xy_gev")
    assert np.flatnonzero(np.isnan(pf[:, 0])).tolist() == [2]
    np.testing.assert_array_equal(np.delete(pf, 2, 0), [[30, 0]] * 39)


def test_a_filler_of_a_number_is_none():
    values = [0, 3.5, -1, -999, NAN, INF, LARGEST, 14_001, 14_000]
    tally = Counter()
    got = scalar(np.array(values, np.float32), tally, "gen_ht")
    np.testing.assert_array_equal(got, [0, 3.5, NAN, NAN, NAN, NAN, NAN, NAN, 14_000])
    assert tally == {"gen_ht_fillers": 6}


def test_each_truth_goes_its_own_way_into_a_store(tmp_path):
    """One file has both truths, one has HT alone, and one fills HT with zeros."""
    for number, extra in enumerate(
        ({"genHT": np.linspace(0, 390, 40)}, {}, {"genHT": np.zeros(40)})
    ):
        events = make_events(40, seed=number, first_event=1 + 40 * number)
        out = ("genMet_pt",) if number == 1 else ()
        write_perfnano(tmp_path / f"{number}.root", events, per_event=extra, leave_out=out)
    files = [str(tmp_path / f"{number}.root") for number in range(3)]
    counts = convert(files, tmp_path / "o.h5", ConvertConfig(label="ttbar"), workers=1)
    assert (counts["files_without_gen_ht"], counts["gen_ht_all_zero"]) == (1, 40)
    assert (counts["gen_met_missing"], counts["gen_ht_missing"]) == (40, 80)
    with Store.open(tmp_path / "o.h5") as store:
        assert store.truths == (GEN_MET, GEN_HT)
        want = np.concatenate([np.linspace(0, 390, 40), np.full(80, NAN)])
        np.testing.assert_array_equal(store.truth(GEN_HT), want.astype(np.float32))
        unknown = np.isnan(store.truth(GEN_MET)).any(axis=1)
        np.testing.assert_array_equal(unknown, np.arange(120) // 40 == 1)
        assert store.attributes.units[GEN_HT] == "GeV"
    problems = inspect_file(str(tmp_path / "o.h5")).problems
    assert "80 events without generator HT; they cannot be trained on" in problems


def test_zeros_before_the_first_value_are_values(tmp_path):
    events = make_events(50)
    events.gen_met[:30, 0] = 0
    write_perfnano(tmp_path / "a.root", events)
    config = ConvertConfig(label="ttbar", events_per_step=10)
    counts = convert([str(tmp_path / "a.root")], tmp_path / "o.h5", config, workers=1)
    assert counts["gen_met_missing"] == 0
    with Store.open(tmp_path / "o.h5") as store:
        np.testing.assert_array_equal(store.truth(GEN_MET)[:30], np.zeros((30, 2)))
        assert store.truth(GEN_MET)[30:].all()
