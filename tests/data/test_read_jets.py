"""Jets of the tagger's files: the real chunk feature by feature, and ntuples with everything wrong."""

from collections import Counter
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.convert import convert
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.layout import JET_ETA, JET_PT_GEV
from l1met_fpga.data.read_jets import PARTICLE_FLAGS, read_jets
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.store import Store
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.puppi.columns import COLUMNS


def test_the_real_chunk_comes_back_feature_by_feature(reference_data, tmp_path):
    source = reference_data / "tagger_jets_bbbb.root"
    counts = convert(
        [str(source)], tmp_path / "jets.h5", ConvertConfig(label="hh4b", format="jets")
    )
    assert not +Counter(counts)
    with uproot.open(source) as file:
        raw = file["data"].arrays(library="np")
    with Store.open(tmp_path / "jets.h5") as store:
        columns = store.examples(columns=tuple(COLUMNS), truths=store.truths, besides=(JET_PT_GEV,))
        assert store.attributes.rows == "jet"
    x = {name: codes.astype(np.float64) for name, codes in columns.padded(16).items()}
    filled = x["pt"] > 0
    charged = x["pid"] >= 2
    jet_pt = columns.besides[JET_PT_GEV][:, None]
    np.testing.assert_array_equal(jet_pt[:, 0], raw["jet_pt_phys"])
    mass = np.select(
        [x["pid"] == 1, (x["pid"] == 4) | (x["pid"] == 5), x["pid"] >= 6, x["pid"] == 0],
        [0, 0.005, 0.105, 0.5],
        0.13,
    )
    flags = [filled & (x["pid"] == pid) for pid in PARTICLE_FLAGS.values()]
    again = [
        x["pt"],
        x["pt"] / jet_pt,
        np.log(np.where(filled, x["pt"], 1)),
        x["eta"],
        x["phi"],
        mass * filled,
        *flags,
        x["z0"],
        x["dxy"],
        filled,
        np.where(charged, 0, x["puppi_weight"]),
        x["em_id"],
        x["quality"],
    ]
    assert len(again) == raw["nn_inputs"].shape[-1]
    # jet_pt_phys ends where the global trigger's word does; the relative pt of that jet does not
    whole = jet_pt[:, 0] < 2047
    assert (~whole).sum() == 1
    for k, feature in enumerate(again):
        same = whole if k == 1 else np.ones_like(whole)
        expected = raw["nn_inputs"][..., k][same]
        np.testing.assert_allclose(feature[same], expected, rtol=2e-7, err_msg=str(k))
    labels = columns.truth["jet_class"]
    np.testing.assert_array_equal(labels, raw["class_label"])
    of_class = dict(zip(JET_CLASSES, np.bincount(labels.astype(int), minlength=8), strict=True))
    assert {name: n for name, n in of_class.items() if n} == {
        "b": 2702, "charm": 85, "light": 164, "gluon": 675,
    }  # fmt: skip
    ratio = columns.truth["jet_pt_ratio"]
    np.testing.assert_allclose(np.clip(ratio, 0.3, 2), raw["target_pt"], rtol=1e-6)


PER_JET = {
    "event": 7, "jet_pt_phys": 20.0, "jet_eta_phys": 1.0, "jet_reject": 0, "jet_tauflav": 0,
    "jet_muflav": 0, "jet_elflav": 0, "jet_taucharge": 0, "jet_genmatch_pt": 30.0,
    "jet_genmatch_hflav": 0, "jet_genmatch_pflav": 1, "jet_genmatch_lep_vis_pt": 0.0,
}  # fmt: skip
HADRON = {
    "pt": 40, "deta": -3, "dphi": 4, "puppiweight": 0, "z0": -7, "dxy": 12, "quality": 5, "emid": 0,
    "isChargedHadronPlus": 1,
}  # fmt: skip
PHOTON = {"pt": 40, "puppiweight": 200, "emid": 3, "z0": 9, "isPhoton": 1}
NAMES = ("pt", "deta", "dphi", "puppiweight", "z0", "dxy", "quality", "emid", *PARTICLE_FLAGS)


def write(path: Path, jets, *, tree="outnano/Jets", prefix="jet_puppicand_", leave=(), more=None):
    """Write jets, each a pair of what differs from ``PER_JET`` and its constituents."""
    branches = {
        name: np.array([about.get(name, usual) for about, _ in jets], np.float32)
        for name, usual in {**PER_JET, **(more or {})}.items()
    }
    for name in NAMES:
        branches[f"{prefix}{name}"] = ak.Array(
            [[float(one.get(name, 0)) for one in inside] for _, inside in jets]
        )
    kept = {name: values for name, values in branches.items() if name not in leave}
    with uproot.recreate(path) as file:
        file.mktree(
            tree,
            {n: v.dtype if isinstance(v, np.ndarray) else v.type.content for n, v in kept.items()},
        )
        file[tree].extend(kept)
    return str(path)


def read(path):
    tally = Counter()
    (found,) = read_jets(path, 1000, tally)
    return found, +tally


PAIR = (HADRON, PHOTON)


@pytest.mark.parametrize(
    ("tree", "prefix"), [("outnano/Jets", "jet_puppicand_"), ("jetntuple/Jets", "jet_pfcand_")]
)
def test_constituents_of_both_generations(tmp_path, tree, prefix):
    found, tally = read(
        write(tmp_path / "a.root", [({}, PAIR), ({"event": 8}, PAIR)], tree=tree, prefix=prefix)
    )
    assert not tally
    assert {name: codes.tolist()[:2] for name, codes in found.columns.items()} == {
        "pt": [40, 40], "eta": [-3, 0], "phi": [4, 0], "pid": [3, 1], "puppi_weight": [256, 200],
        "z0": [-7, 0], "dxy": [12, 0], "quality": [5, 0], "em_id": [0, 3],
    }  # fmt: skip
    assert found.truth["jet_pt_ratio"].tolist() == [1.5, 1.5]
    assert found.besides[JET_ETA].tolist() == [1.0, 1.0]
    assert found.ids.tolist() == [[1, 1, 7], [1, 1, 8]]


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ({"jet_genmatch_hflav": 5, "jet_genmatch_pflav": 21}, "b"),
        ({"jet_genmatch_hflav": 4}, "charm"),
        ({"jet_genmatch_pflav": -3}, "light"),
        ({"jet_genmatch_pflav": 0}, "light"),
        ({"jet_genmatch_pflav": 21}, "gluon"),
        ({"jet_tauflav": 1, "jet_taucharge": 1, "jet_genmatch_lep_vis_pt": 25}, "taup"),
        ({"jet_tauflav": 1, "jet_taucharge": -1, "jet_genmatch_lep_vis_pt": 25}, "taum"),
        ({"jet_muflav": 1, "jet_genmatch_hflav": 5, "jet_genmatch_lep_vis_pt": 25}, "muon"),
        ({"jet_elflav": 1, "jet_genmatch_lep_vis_pt": 25}, "electron"),
        ({"jet_genmatch_pflav": 4}, None),
        ({"jet_genmatch_pt": 0}, None),
    ],
)
def test_classes_by_hand(tmp_path, about, name):
    found, tally = read(write(tmp_path / "a.root", [(about, PAIR)] * 2))
    if about.get("jet_genmatch_pt") == 0:  # it has no generated pt either
        assert tally == {"jets_outside": 2}
        return
    expected = float(JET_CLASSES.index(name)) if name else np.nan
    np.testing.assert_equal(found.truth["jet_class"], [expected] * 2)
    assert tally["jets_without_class"] == (0 if name else 2)
    target = 25 if "jet_genmatch_lep_vis_pt" in about else 30
    assert found.truth["jet_pt_ratio"].tolist() == [target / 20] * 2


def test_everything_odd_is_counted(tmp_path):
    soft = HADRON | {"pt": 4}
    jets = [
        ({}, (soft, *PAIR)),
        ({"jet_pt_phys": 200.0}, [HADRON] * 20),
        ({"weight": -2.0}, PAIR),
        ({"jet_tauflav": 1, "jet_genmatch_lep_vis_pt": 9.0}, PAIR),
        ({}, ()),
        ({"jet_eta_phys": 2.4}, PAIR),
        ({"jet_reject": 1}, PAIR),
        ({"jet_pt_phys": 15.0}, PAIR),
        ({"jet_genmatch_pt": 5.0}, PAIR),
    ]
    found, tally = read(write(tmp_path / "a.root", jets, more={"weight": 1.0}))
    assert tally == {
        "unsorted_jets": 1, "jets_with_more_constituents": 1, "negative_weight_jets": 1,
        "taus_without_charge": 1, "jets_without_class": 1, "jets_without_constituents": 1,
        "jets_outside": 4,
    }  # fmt: skip
    assert found.counts.tolist() == [3, 16, 2, 2, 0]
    assert found.columns["pt"][:3].tolist() == [40, 40, 4]
    assert found.besides["n_candidates"].tolist() == [3, 20, 2, 2, 0]
    (every,) = read_jets(str(tmp_path / "a.root"), 1000, Counter(), every=True)
    assert every.besides[JET_PT_GEV].tolist() == [20, 200, 20, 20, 20, 20, 20, 15, 20]
    assert every.counts[:5].tolist() == found.counts.tolist()


@pytest.mark.parametrize(
    ("leave", "message"),
    [
        (("jet_genmatch_hflav",), r"has no branch jet_genmatch_hflav \(nearest: jet_genmatch_pflav.*\(1 of those that jets need are missing\)"),
        ([f"jet_puppicand_{name}" for name in NAMES], r"has no branch jet_puppicand_pt.*\(16 of those"),
    ],
)  # fmt: skip
def test_a_missing_branch_is_named(tmp_path, leave, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "a.root", [({}, PAIR)], leave=leave))


def test_jets_that_are_read_as_events_say_how_to_read_them(tmp_path):
    source = write(tmp_path / "a.root", [({}, PAIR)])
    with pytest.raises(
        DataError, match=r"has no tree Events.* or read a file of jets with --format jets"
    ):
        convert([source], tmp_path / "a.h5", ConvertConfig())


def test_what_is_no_jet_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has none of the trees outnano/Jets, .*; it has Events\."):
        read(write(tmp_path / "a.root", [({}, PAIR)], tree="Events"))
    two = HADRON | {"isPhoton": 1}
    with pytest.raises(DataError, match="1 constituents are of no particle type, or of several"):
        read(write(tmp_path / "b.root", [({}, (two,))]))
    in_gev = HADRON | {"pt": 10}
    with pytest.raises(
        DataError, match=r"adds up to 0\.25 of the jet's in the middle; pt must be in"
    ):
        read(write(tmp_path / "c.root", [({}, (in_gev, in_gev))] * 3))


def test_a_sample_of_jets_becomes_a_store_of_jets(tmp_path):
    path = tmp_path / "jets.root"
    write(path, [({"event": n, "jet_eta_phys": n / 9}, PAIR) for n in range(9)])
    with Store.open(store_of(TrainingSample(path=path))) as store:
        assert (store.attributes.rows, store.n_events, store.role) == ("jet", 9, "signal")
        assert store.truths == ("jet_class", "jet_pt_ratio")
        assert store.attributes.units["dxy"] == "sqrt(|dxy| / cm) / 64"
        with pytest.raises(
            DataError, match=r"one entry is one jet, this task needs one event; .*another"
        ):
            store.require_rows("event")


def test_jets_have_no_background():
    with pytest.raises(ValueError, match="role background is for pile-up-only events"):
        ConvertConfig(label="a", format="jets", role="background")


def test_config_error_is_a_sentence():
    from l1met_fpga.config.base import parse

    with pytest.raises(ConfigError, match="leave the role out"):
        parse(ConvertConfig, {"format": "jets", "role": "background"}, where="command line")
