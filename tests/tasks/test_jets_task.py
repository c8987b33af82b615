"""Jets: variables, weights, tables and files by hand."""

import numpy as np
import pytest

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.errors import DataError
from l1met_fpga.tasks.jets.baselines import PtTable, VariableTagger, balanced
from l1met_fpga.tasks.jets.task import TASK as JETS
from l1met_fpga.tasks.jets.variables import jet_variables


def jets(*constituents, label=0.0, ratio=1.0, pt=30.0, eta=0.0):
    """Jets of lists of (pt, eta, phi, pid, dxy)."""
    n = len(constituents)
    rows = np.array([one for jet in constituents for one in jet], np.int16).reshape(-1, 5).T
    names = ("pt", "eta", "phi", "pid", "dxy")
    return Examples.of(
        np.array([len(jet) for jet in constituents]),
        dict(zip(names, rows, strict=True)),
        truth={
            "jet_class": np.broadcast_to(label, n).astype(float),
            "jet_pt_ratio": np.broadcast_to(ratio, n).astype(float),
        },
        besides={
            "jet_pt_gev": np.broadcast_to(pt, n).astype(float),
            "jet_eta": np.broadcast_to(eta, n).astype(float),
        },
    )


def test_variables_by_hand():
    pion, photon, muon = (60, 3, 4, 3, 20), (20, 0, -10, 1, 0), (40, -6, 8, 6, 12)
    found = jet_variables(jets([pion, photon, muon], []))
    lsb = np.pi / 720
    expected = {
        "constituents": 3, "charged constituents": 2, "width": lsb * (15 * 5 + 5 * 10 + 10 * 10) / 30,
        "pt dispersion": np.sqrt(15**2 + 5**2 + 10**2) / 30, "largest share": 0.5,
        "charge": (15 - 10) / 30, "largest dxy": 20, "second dxy": 12, "displaced constituents": 2,
        "charged hadron share": 0.5, "photon share": 5 / 30, "muon share": 10 / 30,
        "electron share": 0, "neutral hadron share": 0,
    }  # fmt: skip
    assert {name: values[0] for name, values in found.items()} == pytest.approx(expected)
    assert all(values[1] == 0 for values in found.values())


def test_the_best_variable_is_found():
    rng = np.random.default_rng(0)
    far = [[(40, 0, 0, 3, int(d))] for d in rng.integers(30, 60, 200)]
    near = [[(40, 0, 0, 3, int(d))] for d in rng.integers(0, 35, 200)]
    some = jets(*far, *near, label=np.repeat([0.0, 2.0], 200))
    logits = VariableTagger(some, JETS.truth(some)["flavour"]).logits(some)
    assert logits.shape == (400, len(JET_CLASSES))
    assert logits[:200, 0].min() > logits[200:, 0].max() - 5
    assert np.median(logits[:200, 0]) > 1 > -1 > np.median(logits[200:, 0])


def test_the_table_of_pt_gives_medians_and_knows_jets_without_eta():
    ratio = np.concatenate([np.full(20, 1.4), np.full(20, 1.1), np.full(20, 0.9), [5.0]])
    eta = np.concatenate([np.full(20, 0.5), np.full(20, -1.9), np.full(20, np.nan), [2.2]])
    some = jets(*[[]] * 61, ratio=ratio, eta=eta)
    found = PtTable(some, ratio).ratio(some)
    np.testing.assert_allclose(found[:60], ratio[:60])
    assert found[60] == 1.1  # one jet alone: the median of all


def test_weights_make_classes_and_their_spectra_equal():
    label = np.repeat([0.0, 2.0, 3.0], [100, 300, 40])
    pt = np.concatenate([np.repeat([22, 45], 50), np.repeat([22, 45], [200, 100]), np.full(40, 45)])
    some = jets(*[[]] * 440, label=label, pt=pt)
    weights = balanced(some, JETS.truth(some)["flavour"])
    assert weights.mean() == pytest.approx(1)
    sums = [weights[label == k].sum() for k in (0, 2, 3)]
    np.testing.assert_allclose(sums, np.mean(sums))
    softer = [weights[(label == k) & (pt == 22)].sum() / weights[label == k].sum() for k in (0, 2)]
    np.testing.assert_allclose(softer[0], softer[1])


def test_figures_are_made_of_the_corrected_pt():
    some = jets([], [], pt=[20.0, 50.0], ratio=[1.5, 0.8], label=[1, 7])
    measured = JETS.measured(some, JETS.truth(some))
    np.testing.assert_allclose(JETS.score(measured), [30, 40])
    np.testing.assert_allclose(JETS.score(JETS.measured(some, JETS.reference(some))), [20, 50])
    assert measured["flavour"].argmax(axis=1).tolist() == [1, 7]


def test_files_of_others(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, logits=np.eye(8)[:3], pt=[20.0, 30, 40])
    heads, truth = JETS.files.read(path)
    assert truth is None
    assert JETS.score(heads).tolist() == [20, 30, 40]
    np.savez(path, logits=np.eye(7), pt=np.ones(7))
    with pytest.raises(DataError, match=r"needs an array logits \(a number per class: b, charm, "):
        JETS.files.read(path)
