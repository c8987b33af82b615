import h5py
import numpy as np
import pytest
from ntuples import make_events

from l1met_fpga.config.data import SplitConfig
from l1met_fpga.data.splits import Part, assign_parts
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import create_store, write_store
from l1met_fpga.errors import DataError


@pytest.fixture
def stored(tmp_path):
    events = make_events(2500, mean=40)
    candidates = {name: events.padded(name) for name in events.columns}
    path = tmp_path / "a.h5"
    write_store(
        path,
        candidates=candidates,
        gen_met_xy_gev=events.gen_met,
        event_id=events.event_id,
        label="ttbar",
        splits=SplitConfig(seed=5, train=0.5, validation=0.25, test=0.25),
    )
    return path, events, candidates


def test_everything_comes_back(stored):
    path, events, candidates = stored
    with Store.open(path) as store:
        assert store.n_events == 2500
        assert store.label == "ttbar"
        read = store.candidates()
        for name, column in candidates.items():
            assert read[name].dtype == np.int16
            np.testing.assert_array_equal(read[name], column)
        np.testing.assert_array_equal(store.gen_met_xy_gev(), events.gen_met.astype(np.float32))
        assert np.isnan(store.puppi_met_xy_gev()).all()
        np.testing.assert_array_equal(store.n_candidates(), events.counts)
        np.testing.assert_array_equal(store.event_id(), events.event_id)
        assert store.attributes.split_fractions == (0.5, 0.25, 0.25)
        assert store.attributes.units["pt"] == "0.25 GeV"


@pytest.mark.parametrize(
    "chosen",
    [
        slice(3, 2000),
        slice(1024, 2048),
        slice(1000, 1030),
        slice(10, 10),
        slice(-5, None),
        slice(2499, 0, -7),
        np.array([2499, 0, 1024, 1023, 0]),
        np.array([], np.int64),
    ],
)
def test_any_choice_of_events_is_what_numpy_would_give(stored, chosen):
    path, events, candidates = stored
    with Store.open(path) as store:
        np.testing.assert_array_equal(store.candidates(chosen)["phi"], candidates["phi"][chosen])
        np.testing.assert_array_equal(store.event_id(chosen), events.event_id[chosen])


def test_hdf5_reads_the_chunks_that_we_compressed(stored):
    path, _, candidates = stored
    with h5py.File(path) as file:  # through HDF5's own shuffle and deflate filters
        for name, column in candidates.items():
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
    from l1met_fpga.data.batch import EventBatch, no_met

    z0 = np.linspace(-5, 5, 10)
    batch = EventBatch(
        counts=events.counts.astype(np.int64),
        columns={name: column.astype(np.int16) for name, column in events.columns.items()},
        n_candidates=events.counts.astype(np.int64),
        event_id=events.event_id,
        gen_met_xy_gev=no_met(10),
        puppi_met_xy_gev=no_met(10),
        vertex_z0_cm=z0,
    )
    with create_store(path, label="x", order="as_is", has_vertex=True) as writer:
        writer.append(batch)
    with Store.open(path) as store:
        np.testing.assert_allclose(store.vertex_z0_cm(), z0, rtol=1e-6)


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
    with Store.open(stored[0]) as store, pytest.raises(IndexError, match="0 to 2499"):
        store.candidates(np.array([2500]))


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
