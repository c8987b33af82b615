"""HT: numbers by hand, and estimates of others from files."""

import numpy as np
import pytest

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.sample import load_arrays
from l1met_fpga.tasks.ht import TASK as HT


def examples(*pt_counts: list[int]) -> Examples:
    pt = np.array([one for event in pt_counts for one in event], np.int16)
    splits = np.cumsum([0, *(len(event) for event in pt_counts)])
    columns = {"pt": pt, **{name: np.zeros(len(pt), np.int16) for name in ("eta", "phi", "pid")}}
    ids = np.zeros((len(pt_counts), 3), np.uint64)
    return Examples(columns, splits, {"gen_ht_gev": np.array([10.0, 0.0, 3.0])}, ids)


def test_sums_by_hand():
    events = examples([40, 16, 4], [], [17])  # counts of 0.25 GeV
    assert HT.reference(events)["ht"].tolist() == [[15.0], [0.0], [4.25]]
    hard = HT.baselines(events)["hard"]
    assert hard.estimate(events)["ht"].tolist() == [[10.0], [0.0], [4.25]]  # 4 GeV is not above
    assert HT.truth(events)["ht"].tolist() == [[10.0], [0.0], [3.0]]
    assert HT.score(HT.truth(events)).tolist() == [10.0, 0.0, 3.0]
    assert HT.vector(HT.truth(events)).tolist() == [[10.0, 0.0], [0.0, 0.0], [3.0, 0.0]]


def test_ht_of_jets_by_hand():
    events = examples([160, 40], [116, 5], [119])  # all in one cone; a jet needs more than 30 GeV
    found = HT.baselines(events)["jets"].estimate(events)["ht"]
    assert found.tolist() == [[50.0], [30.25], [0.0]]


def test_the_best_constant_is_the_least_squares_one():
    events = examples([40, 16, 4], [], [17])
    today, truth = HT.reference(events)["ht"], HT.truth(events)["ht"]
    found = HT.baselines(events)["scaled_puppi"].weights.weights.item()
    prior = np.mean((truth - today) ** 2)
    assert found == pytest.approx((np.sum(today * truth) + prior) / (np.sum(today**2) + prior))


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_files_of_others(tmp_path):
    mine = save(tmp_path / "a.npz", ht=[1.0, 2, 3], gen_ht=[4.0, np.nan, 6])
    sample = load_arrays("ttbar", HT, {"mine": mine})
    assert sample.estimates["mine"]["ht"].tolist() == [[1.0], [3.0]]
    assert sample.truth["ht"].tolist() == [[4.0], [6.0]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"px": [1.0]},
            r"a\.npz needs an array ht \(and gen_ht for the truth\), GeV, got \['px'\]",
        ),
        ({"ht": [[1.0]]}, r"a\.npz: ht must hold one number per event, GeV"),
        ({"ht": ["much"]}, r"a\.npz: ht must hold one number per event, GeV"),
        ({"ht": [1.0, 2], "gen_ht": [3.0]}, "must have the same length"),
        ({"ht": [1.0]}, r"no file of sample 'ttbar' holds the truth \(gen_ht\)"),
        ({"ht": [1.0, np.inf], "gen_ht": [3.0, 4.0]}, "'mine' of 'ttbar': 1 of 2 events are NaN"),
    ],
)
def test_file_wrong(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        load_arrays("ttbar", HT, {"mine": save(tmp_path / "a.npz", **arrays)})
