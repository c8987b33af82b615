import json

import h5py
import numpy as np
import pytest
from ntuples import make_events

from l1met_fpga.config.data import SplitConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_PILEUP, VERTEX
from l1met_fpga.data.splits import Part, assign_parts
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import create_store, write_store
from l1met_fpga.data.truth import GEN_HT, GEN_MET
from l1met_fpga.errors import DataError
from l1met_fpga.identity import require_same


@pytest.fixture
def stored(tmp_path):
    events = make_events(4500, mean=40)
    candidates = {name: events.padded(name) for name in events.columns}
    path = tmp_path / "a.h5"
    write_store(
        path,
        candidates=candidates,
        truth={GEN_MET: events.gen_met},
        event_id=events.event_id,
        label="ttbar",
        splits=SplitConfig(seed=5, train=0.5, validation=0.25, test=0.25),
    )
    return path, events, candidates


def test_everything_comes_back(stored):
    path, events, candidates = stored
    with Store.open(path) as store:
        assert store.n_events == 4500
        assert store.label == "ttbar"
        read = store.candidates()
        for name, column in candidates.items():
            assert read[name].dtype == np.int16
            np.testing.assert_array_equal(read[name], column)
        np.testing.assert_array_equal(store.truth(GEN_MET), events.gen_met.astype(np.float32))
        assert store.truths == (GEN_MET,)
        assert store.baselines == ()
        assert store.collections == ("candidates",)
        assert (store.attributes.rows, store.role) == ("event", "signal")
        np.testing.assert_array_equal(store.n_candidates(), events.counts)
        np.testing.assert_array_equal(store.event_id(), events.event_id)
        assert store.attributes.split_fractions == (0.5, 0.25, 0.25)
        assert store.attributes.units["pt"] == "0.25 GeV"


@pytest.mark.parametrize(
    "chosen",
    [
        slice(3, 4200),
        slice(1024, 4096),
        slice(4090, 4100),
        slice(10, 10),
        slice(-5, None),
        slice(4499, 0, -7),
        np.array([4499, 0, 4096, 4095, 0]),
        np.array([], np.int64),
    ],
)
def test_any_choice_of_events_is_what_numpy_would_give(stored, chosen):
    path, events, candidates = stored
    with Store.open(path) as store:
        np.testing.assert_array_equal(store.candidates(chosen)["phi"], candidates["phi"][chosen])
        np.testing.assert_array_equal(store.event_id(chosen), events.event_id[chosen])


def test_hdf5_reads_the_chunks_that_we_compressed(stored):
    path, events, _ = stored
    with h5py.File(path) as file:  # through HDF5's own shuffle and deflate filters
        splits = np.concatenate([[0], np.cumsum(events.counts)])
        np.testing.assert_array_equal(file["candidates/row_splits"][()], splits)
        for name, column in events.columns.items():
            np.testing.assert_array_equal(file["candidates"][name][()], column)


def test_parts_are_saved_and_are_those_of_the_hash(stored):
    path, events, _ = stored
    with Store.open(path) as store:
        parts = assign_parts(events.event_id, "ttbar", seed=5, fractions=(0.5, 0.25, 0.25))
        np.testing.assert_array_equal(store.parts(), parts)
        np.testing.assert_array_equal(store.events_of(Part.TEST), np.flatnonzero(parts == 2))


def test_vertex_is_kept_when_there_is_one(tmp_path):
    events = make_events(10)
    path = tmp_path / "v.h5"
    z0 = np.linspace(-5, 5, 10)
    batch = Examples.of(
        events.counts,
        {name: column.astype(np.int16) for name, column in events.columns.items()},
        ids=events.event_id,
        besides={VERTEX: z0, N_PILEUP: 200 + z0},
    )
    with create_store(path, label="x", order="as_is", besides=[VERTEX, N_PILEUP]) as writer:
        writer.append(batch)
    with Store.open(path) as store:
        np.testing.assert_allclose(store.vertex_z0_cm(), z0, rtol=1e-6)
        assert store.has_n_pileup
        kept = store.examples(besides=[N_PILEUP]).besides[N_PILEUP]
        np.testing.assert_allclose(kept, 200 + z0, rtol=1e-6)


def test_no_vertex_is_said(stored):
    with (
        Store.open(stored[0]) as store,
        pytest.raises(DataError, match=r"has no primary vertex; its sources had no such branch"),
    ):
        store.vertex_z0_cm()


def test_unknown_column_names_those_that_exist(stored):
    with (
        Store.open(stored[0]) as store,
        pytest.raises(DataError, match=r"has no column z0; it has pt, eta, phi, pid, puppi_weight"),
    ):
        store.candidates(columns=["pt", "z0"])


def test_event_number_outside_is_an_index_error(stored):
    with Store.open(stored[0]) as store, pytest.raises(IndexError, match="0 to 4499"):
        store.candidates(np.array([4500]))


def test_failed_writer_leaves_nothing(tmp_path):
    path = tmp_path / "a.h5"
    with (
        pytest.raises(KeyError),
        create_store(path, label="x", order="as_is"),
    ):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_gap_between_candidates_is_refused(tmp_path):
    columns = {
        name: np.ones((2, 128), np.int16) for name in ("pt", "eta", "phi", "pid", "puppi_weight")
    }
    columns["pt"][1, 3] = 0
    with pytest.raises(DataError, match=r"an empty slot .* lies before a filled one"):
        write_store(tmp_path / "a.h5", candidates=columns)


def packed(n_events=9, seed=3):
    events = make_events(n_events, seed=seed)
    return {name: events.padded(name) for name in events.columns}


def identity(path, **given):
    write_store(path, **{"candidates": packed(), "label": "toy", **given})
    with Store.open(path) as store:
        return store.identity


def test_identity_tells_stores_apart(tmp_path):
    path = tmp_path / "a.h5"
    first = identity(path)
    assert first == identity(path)
    assert {k: v for k, v in first.items() if k != "content"} == {
        "label": "toy",
        "role": "signal",
        "order": "as_is",
        "split_seed": 1,
        "split_fractions": [0.7, 0.1, 0.2],
        "schema_version": 3,
        "conversion_version": 2,
    }
    json.dumps(first)
    require_same(first, identity(path), what="x", next_step="", error=DataError)
    with pytest.raises(DataError, match=r"split_seed was 1, is 2\. Train again"):
        require_same(
            first,
            identity(path, splits=SplitConfig(seed=2)),
            what="x",
            next_step="Train again",
            error=DataError,
        )


@pytest.mark.parametrize("name", ["pt", "eta", "phi", "pid", "puppi_weight"])
def test_one_count_more_is_other_content(tmp_path, name):
    candidates = packed()
    candidates[name] = candidates[name].copy()
    event = int(np.argmax(candidates["pt"][:, 0] > 1))
    candidates[name][event, 0] -= 1
    changed = identity(tmp_path / "a.h5", candidates=candidates)
    assert changed["content"] != identity(tmp_path / "a.h5")["content"]


def test_each_number_of_an_event_is_in_the_content(tmp_path):
    gen = np.ones((9, 2))
    ids = np.ones((9, 3), np.uint64)
    given = {"event_id": ids, "truth": {GEN_MET: gen, GEN_HT: gen[:, 0]}}
    given["baselines"] = {"pf_xy_gev": gen}
    contents = {identity(tmp_path / "a.h5", **given)["content"]}
    other = ids.copy()
    other[8, 1] += 1
    contents.add(identity(tmp_path / "a.h5", **given | {"event_id": other})["content"])
    for name, changed in ((GEN_MET, 2 * gen), (GEN_HT, 2 * gen[:, 0])):
        truth = given["truth"] | {name: changed}
        contents.add(identity(tmp_path / "a.h5", **given | {"truth": truth})["content"])
    for other in ({"pf_xy_gev": 2 * gen}, {"calo_xy_gev": gen}, {"pf_gev": gen[:, 0]}, {}):
        contents.add(identity(tmp_path / "a.h5", **given | {"baselines": other})["content"])
    assert len(contents) == 8


def test_content_does_not_depend_on_batches_parts_or_what_nan_was_written(tmp_path):
    unknown = {GEN_MET: np.full((9, 2), np.nan)}
    want = identity(tmp_path / "a.h5", truth=unknown)["content"]
    candidates = packed()
    other = np.full((9, 2), -np.nan)
    splits = SplitConfig(seed=9, train=0.5, validation=0.25, test=0.25)
    got = identity(tmp_path / "a.h5", truth={GEN_MET: other}, splits=splits, label="other")
    assert got["content"] == want
    filled = candidates["pt"] > 0
    with create_store(tmp_path / "b.h5", label="toy", order="as_is", truths=[GEN_MET]) as writer:
        for rows in (slice(0, 2), slice(2, 2), slice(2, 9)):
            counts = filled[rows].sum(axis=1, dtype=np.int64)
            ids = np.ones((len(counts), 3), np.uint64)
            ids[:, 2] = np.arange(9)[rows]
            writer.append(
                Examples.of(
                    counts, {k: v[rows][filled[rows]] for k, v in candidates.items()}, ids=ids
                )
            )
    with Store.open(tmp_path / "b.h5") as store:
        assert store.identity["content"] == want


def test_baselines_come_back(tmp_path):
    rng = np.random.default_rng(0)
    pf, calo = rng.normal(0, 50, (2, 9, 2))
    calo[3] = np.nan
    path = tmp_path / "a.h5"
    write_store(
        path, candidates=packed(), baselines={"L1PFMet_xy_gev": pf, "L1CaloMet_xy_gev": calo}
    )
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["baselines/L1PFMet_xy_gev"][()], pf.astype("<f4"))
    with Store.open(path) as store:
        assert set(store.baselines) == {"L1PFMet_xy_gev", "L1CaloMet_xy_gev"}
        got = store.baseline("L1CaloMet_xy_gev", slice(2, 5))
        np.testing.assert_array_equal(got, calo[2:5].astype("<f4"))
        with pytest.raises(
            DataError, match=r"has no baseline L1TKMet; it has L1CaloMet_xy_gev, L1PFMet"
        ):
            store.baseline("L1TKMet")


def test_a_baseline_needs_a_plain_name(tmp_path):
    with pytest.raises(DataError, match=r"baseline 'a/b' needs a name of letters"):
        write_store(tmp_path / "a.h5", candidates=packed(), baselines={"a/b": np.ones((9, 2))})


@pytest.mark.parametrize(
    ("label", "role", "want"),
    [
        ("pileup", None, "background"),
        ("SingleNeutrino_PU200", None, "signal"),
        ("SingleNeutrino_PU200", "background", "background"),
        ("pileup", "signal", "signal"),
    ],
)
def test_the_role_is_what_was_said_and_else_what_the_label_suggests(tmp_path, label, role, want):
    gen = np.array([[3.0, 4.0]] * 8 + [[np.nan, np.nan]])
    write_store(
        tmp_path / "a.h5", candidates=packed(), truth={GEN_MET: gen}, label=label, role=role
    )
    with Store.open(tmp_path / "a.h5") as store:
        assert store.role == want
        if want == "background":  # pile-up-only events have no true MET, whatever the source says
            np.testing.assert_array_equal(store.truth(GEN_MET), np.zeros((9, 2)))
            assert store.attributes.counts == {"background_gen_met": 8}
        else:
            np.testing.assert_array_equal(store.truth(GEN_MET), gen)
            assert store.attributes.counts == {"gen_met_missing": 1}


def test_texts_lie_under_the_checksums_of_hdf5(stored):
    """HDF5 keeps texts of variable length in a heap that can be damaged so that reading hangs."""
    path = stored[0]
    with h5py.File(path) as file:
        texts = [name for name in file.attrs if file.attrs.get_id(name).dtype.kind == "S"]
        assert {"format", "label", "sources", "units"} <= set(texts)
        assert not any(file.attrs.get_id(name).dtype.kind == "O" for name in file.attrs)
    assert b"GCOL" not in path.read_bytes()


def test_a_store_may_have_thousands_of_sources_and_any_label(tmp_path):
    sources = [{"path": f"/eos/{n:060d}.root", "events": 1} for n in range(3000)]
    label = "t\u0304 [x] \u4e2d"
    with create_store(tmp_path / "a.h5", label=label, order="as_is", sources=sources) as _:
        pass
    with Store.open(tmp_path / "a.h5") as store:
        assert store.label == label
        assert store.attributes.sources == sources
