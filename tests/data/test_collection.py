"""Rows of chosen examples from flat chunks, against plain slices; several collections in one file."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntuples import make_events

from l1met_fpga.data import collection
from l1met_fpga.data.chunks import ChunkReader
from l1met_fpga.data.collection import CollectionReader, CollectionWriter
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import DataError


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """Events of 0 to 5000 rows over several chunks, and a reader of them."""
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 9, 3000)
    counts[[7, 1500]] = 5000, 140_000  # within a chunk, and more than two chunks
    splits = np.concatenate([[0], np.cumsum(counts)])
    columns = {name: rng.integers(-900, 900, splits[-1]).astype(np.int16) for name in ("a", "b")}
    path = tmp_path_factory.mktemp("flat") / "a.h5"
    with h5py.File(path, "w") as file:
        writer = CollectionWriter(file, "things", ["a", "b"])
        for first in range(0, 3000, 700):
            some = splits[first : first + 701]
            rows = slice(some[0], some[-1])
            writer.append({n: c[rows] for n, c in columns.items()}, some - some[0])
        writer.finish()
    with h5py.File(path) as file:
        read = {name: ChunkReader(file["things"][name]) for name in ("a", "b", "row_splits")}
        yield CollectionReader(read, read.pop("row_splits"), path), columns, splits


@settings(deadline=None, max_examples=40)
@given(st.sets(st.one_of(st.integers(0, 2999), st.sampled_from([6, 7, 8, 1499, 1500, 1501]))))
def test_chosen_rows_are_those_of_plain_slices(flat, chosen):
    reader, columns, splits = flat
    examples = np.array(sorted(chosen), np.int64)
    got, borders = reader.read(examples, ["b", "a"])
    assert list(got) == ["b", "a"]
    np.testing.assert_array_equal(np.diff(borders), (splits[1:] - splits[:-1])[examples])
    for name, codes in got.items():
        want = [columns[name][splits[i] : splits[i + 1]] for i in examples]
        np.testing.assert_array_equal(codes, np.concatenate([np.empty(0, np.int16), *want]))


def test_only_chunks_with_chosen_rows_are_read(flat, monkeypatch):
    reader, _, splits = flat
    read = []
    whole = ChunkReader.read
    monkeypatch.setattr(ChunkReader, "read", lambda self, i: (read.append(i), whole(self, i))[1])
    reader.read(np.array([0, 2999]), ["a"])
    assert read == [0, (splits[-1] - 1) // collection.CHUNK_ROWS]


@pytest.fixture
def with_jets(tmp_path):
    """A store with a second collection, as a later version of the program may write one."""
    events = make_events(20)
    path = tmp_path / "a.h5"
    write_store(path, candidates={name: events.padded(name) for name in events.columns})
    counts = np.arange(20) % 4
    pt = np.arange(counts.sum(), dtype=np.int16)
    with h5py.File(path, "r+", libver="latest") as file:
        writer = CollectionWriter(file, "jets", ["pt"])
        writer.append({"pt": pt}, np.concatenate([[0], np.cumsum(counts)]))
        writer.finish()
    return path, pt, counts


def test_a_store_may_hold_several_collections(with_jets):
    path, pt, counts = with_jets
    with Store.open(path) as store:
        assert store.collections == ("candidates", "jets")
        jets = store.examples(np.array([7, 3]), ["pt"], collection="jets")
        assert jets.counts.tolist() == [3, 3]
        first = np.cumsum(counts) - counts
        np.testing.assert_array_equal(
            jets.columns["pt"], [*pt[first[7] :][:3], *pt[first[3] :][:3]]
        )
        np.testing.assert_array_equal(jets.ids, store.event_id(np.array([7, 3])))
        with pytest.raises(DataError, match=r"has no collection taus; it has candidates, jets"):
            store.examples(collection="taus")
        with pytest.raises(DataError, match=r"has no column eta; it has pt"):
            store.examples(columns=["pt", "eta"], collection="jets")


@pytest.mark.parametrize("change", [(0, 1), (3, 10_000), (20, -1)])
def test_borders_that_were_changed_are_refused(with_jets, change):
    path, _, _ = with_jets
    with h5py.File(path, "r+") as file:
        place, by = change
        file["candidates/row_splits"][place] += by
    with (
        Store.open(path) as store,
        pytest.raises(DataError, match=r"the borders between events do not fit the columns"),
    ):
        store.examples()
