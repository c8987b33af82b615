"""Reading other people's MET and the parts of a store."""

from pathlib import Path

import numpy as np
import pytest

from l1met_fpga.data.predictions import read_met
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.sample import Sample, load_arrays, load_store
from l1met_fpga.tasks.met.task import TASK as MET


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def test_polar_and_cartesian_files_agree(tmp_path):
    polar = save(
        tmp_path / "a.npz", pt=[5.0, 2.0], phi=[0.0, np.pi / 2], gen_pt=[1, 2], gen_phi=[0, 0]
    )
    cartesian = save(tmp_path / "b.npz", px=[5.0, 0.0], py=[0.0, 2.0])
    met, truth = read_met(polar)
    np.testing.assert_allclose(met, read_met(cartesian)[0], atol=1e-12)
    np.testing.assert_allclose(truth, [[1, 0], [2, 0]])
    assert read_met(cartesian)[1] is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pt": [1.0]}, "needs arrays px and py, or pt and phi"),
        ({"pt": [1.0], "phi": [1.0, 2.0]}, "must be of the same length"),
        ({"px": [[1.0]], "py": [[1.0]]}, "one number per event"),
    ],
)
def test_file_wrong(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        read_met(save(tmp_path / "a.npz", **arrays))


def test_both_forms_must_say_the_same(tmp_path):
    pt, phi = np.array([10.0, 200.0, 13_000.0]), np.array([0.3, -3.1, 2.0])
    xy = {"px": pt * np.cos(phi), "py": pt * np.sin(phi)}
    for kind in (np.float32, np.float64):
        same = {name: values.astype(kind) for name, values in {"pt": pt, "phi": phi, **xy}.items()}
        np.testing.assert_allclose(
            read_met(save(tmp_path / "a.npz", **same))[0].T[0], xy["px"], rtol=1e-5
        )
    calibrated = save(tmp_path / "a.npz", pt=1.1 * pt, phi=phi, **xy)
    with pytest.raises(DataError, match="px, py and pt, phi are other vectors; leave two"):
        read_met(calibrated)
    with pytest.raises(DataError, match="gen_px, gen_py and gen_pt, gen_phi are other vectors"):
        read_met(save(tmp_path / "a.npz", **xy, gen_px=pt, gen_py=pt, gen_pt=pt, gen_phi=phi))


def test_missing_or_broken_file_wrong(tmp_path):
    with pytest.raises(DataError, match="check the path"):
        read_met(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match="is not a readable NumPy archive"):
        read_met(tmp_path / "broken.npz")
    save(tmp_path / "text.npz", px=["a"], py=["b"])
    with pytest.raises(DataError, match="must hold numbers"):
        read_met(tmp_path / "text.npz")


def test_truth_missing_or_different_wrong(tmp_path):
    a = save(tmp_path / "a.npz", px=[1.0], py=[0.0])
    with pytest.raises(DataError, match="holds the truth"):
        load_arrays("ttbar", MET, {"a": a})
    assert (load_arrays("pileup", MET, {"a": a}, is_background=True).truth["met"] == 0).all()
    b = save(tmp_path / "b.npz", px=[1.0], py=[0.0], gen_px=[1.0], gen_py=[0.0])
    c = save(tmp_path / "c.npz", px=[1.0], py=[0.0], gen_px=[9.0], gen_py=[0.0])
    with pytest.raises(DataError, match="different generator MET"):
        load_arrays("ttbar", MET, {"b": b, "c": c})


def test_lengths_and_nan_wrong():
    with pytest.raises(DataError, match="same length"):
        Sample("ttbar", {"met": np.zeros((2, 2))}, {"a": {"met": np.zeros((3, 2))}})
    with pytest.raises(DataError, match="'a' of 'ttbar': 1 of 2 events are NaN"):
        Sample("ttbar", {"met": np.zeros((2, 2))}, {"a": {"met": [[0, np.nan], [0, 0]]}})


def make_store(path: Path, label: str, gen: np.ndarray) -> Path:
    shape = (len(gen), 128)
    columns = {name: np.zeros(shape, np.int16) for name in ("pt", "eta", "phi", "pid")}
    columns["pt"][:, 0] = 1 + np.arange(len(gen))
    columns["puppi_weight"] = np.where(columns["pt"] > 0, 256, 0).astype(np.int16)
    columns["pid"][:, 0] = 2
    write_store(path, candidates=columns, truth={GEN_MET: gen}, label=label)
    return path


def test_only_the_test_part_is_read(tmp_path):
    path = make_store(tmp_path / "a.h5", "ttbar", np.ones((200, 2)))
    events = load_store(path, MET)
    with Store.open(path) as store:
        chosen = store.events_of(Part.TEST)
    np.testing.assert_array_equal(events.examples.columns["pt"], 1 + chosen)
    train = load_store(path, MET, Part.TRAIN)
    assert not set(train.examples.columns["pt"]) & set(events.examples.columns["pt"])
    assert len(load_store(path, MET, max_events=3)) == 3


def test_missing_truth_is_dropped_for_signal_and_zero_for_pileup(tmp_path, caplog):
    gen = np.full((100, 2), np.nan)
    gen[::2] = 1.0
    signal = load_store(make_store(tmp_path / "a.h5", "ttbar", gen), MET, None)
    assert len(signal) == 50
    assert "50 of 100 events have no generator MET" in caplog.text
    pileup = load_store(
        make_store(tmp_path / "b.h5", "pileup", np.full((100, 2), np.nan)), MET, None
    )
    assert len(pileup) == 100
    assert (MET.truth(pileup.examples)["met"] == 0).all()


def test_a_signal_store_without_any_truth_wrong(tmp_path):
    path = make_store(tmp_path / "a.h5", "SingleNu_PU200", np.full((100, 2), np.nan))
    with pytest.raises(DataError, match=r"no event has generator MET.*convert it with --role back"):
        load_store(path, MET)


@pytest.mark.parametrize("label", ["../x", "a/b", "a\nb", ""])
def test_a_store_with_a_label_that_cannot_name_a_figure_is_refused(tmp_path, label):
    """Stores of before the rule may have one."""
    path = make_store(tmp_path / "a.h5", label, np.ones((60, 2)))
    with pytest.raises(DataError, match=r"its label .* must have one character or more, none of"):
        load_store(path, None)


def test_empty_part_wrong(tmp_path):
    path = make_store(tmp_path / "a.h5", "ttbar", np.ones((1, 2)))
    with Store.open(path) as store:
        empty = next(part for part in Part if part != store.parts()[0])
    with pytest.raises(DataError, match="does not hold an event in its"):
        load_store(path, MET, empty)


@pytest.mark.parametrize(
    ("arrays", "n"),
    [
        ({"pt": [5, -1, 5, -2], "phi": [0, 0, 0, 0]}, 2),
        ({"pt": [5, 5], "phi": [0, 60]}, 1),  # degrees
        ({"pt": [5, 3e38], "phi": [0, 1]}, 1),
        ({"pt": [5, np.nan], "phi": [0, 1]}, 1),
        ({"px": [5, -999], "py": [5, -999]}, 1),
        ({"px": [5, 2e4], "py": [5, 0]}, 1),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_estimate_that_is_no_met_is_refused(tmp_path, arrays, n, dtype):
    path = save(tmp_path / "a.npz", **{k: np.array(v, dtype) for k, v in arrays.items()})
    first = next(iter(arrays.values()))
    with pytest.raises(
        DataError,
        match=rf"a\.npz: {n} of {len(first)} events are no MET, the first is event 1: a size below "
        r"0 or above 14000 GeV, a direction beyond 2 pi \(is it in rad\?\)",
    ):
        read_met(path)


def test_an_angle_of_a_whole_turn_in_single_precision_is_taken(tmp_path):
    phi = np.array([2 * np.pi, -2 * np.pi], np.float32)
    met, _ = read_met(save(tmp_path / "a.npz", pt=np.float32([3, 4]), phi=phi))
    np.testing.assert_allclose(met, [[3, 0], [4, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("filler", "keys"),
    [
        ((-999.0, -999.0), ("gen_pt", "gen_phi")),
        ((-1.0, 0.0), ("gen_pt", "gen_phi")),
        ((-999.0, -999.0), ("gen_px", "gen_py")),
        ((np.nan, 0.0), ("gen_px", "gen_py")),
    ],
)
def test_events_whose_truth_is_a_filler_are_left_out_of_all_estimates(
    tmp_path, caplog, filler, keys
):
    truth = np.array([[30.0, 0.0], filler, [0.0, 0.0]])
    given = dict(zip(keys, truth.T, strict=True))
    a = save(tmp_path / "a.npz", px=[1.0, 2, 3], py=[0.0, 0, 0], **given)
    b = save(tmp_path / "b.npz", px=[4.0, 5, 6], py=[0.0, 0, 0])
    sample = load_arrays("ttbar", MET, {"a": a, "b": b})
    assert sample.estimates["a"]["met"][:, 0].tolist() == [1, 3]
    assert sample.estimates["b"]["met"][:, 0].tolist() == [4, 6]
    assert MET.score(sample.truth).tolist() == [30, 0]
    assert "1 of 3 events have no generator MET and are left out" in caplog.text


def test_a_truth_that_is_zero_throughout_is_none(tmp_path):
    a = save(tmp_path / "a.npz", px=[1.0, 2], py=[0.0, 0], gen_px=[0.0, 0], gen_py=[0.0, 0])
    with pytest.raises(DataError, match=r"pile-up only, give --background SingleNu"):
        load_arrays("SingleNu", MET, {"a": a})
    assert load_arrays("SingleNu", MET, {"a": a}, is_background=True).is_background


def test_the_truth_of_background_is_zero_whatever_the_file_says(tmp_path):
    a = save(tmp_path / "a.npz", px=[1.0, 2], py=[0.0, 0], gen_pt=[-999, 30], gen_phi=[-999, 0])
    sample = load_arrays("minbias", MET, {"a": a}, is_background=True)
    np.testing.assert_array_equal(sample.truth["met"], np.zeros((2, 2)))
