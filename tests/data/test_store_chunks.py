"""Stores whose chunks or filters are not those that the program writes today."""

import h5py
import numpy as np
import pytest
from ntuples import make_events

from l1met_fpga.data.chunks import ChunkReader, ChunkWriter, create_dataset, read_events
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError


@pytest.fixture
def path(tmp_path):
    events = make_events(900, mean=20)
    path = tmp_path / "a.h5"
    columns = {name: events.padded(name) for name in events.columns}
    write_store(path, candidates=columns, truth={GEN_MET: events.gen_met})
    return path


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint64"])
@pytest.mark.parametrize("content", ["nothing", "noise", "noise below", "noise above"])
def test_hdf5_itself_reads_what_is_written(dtype, content, tmp_path):
    """Whichever bytes of the values are compressed and which are not."""
    n, rng = 90_000, np.random.default_rng(1)  # one whole chunk and a part; more than a block
    noise = rng.integers(0, 256, (n, np.dtype(dtype).itemsize), np.uint8)
    half = (np.dtype(dtype).itemsize + 1) // 2
    noise[:, {"nothing": slice(None), "noise": slice(0), "noise below": slice(half, None),
              "noise above": slice(half)}[content]] = 0  # fmt: skip
    values = noise.view(dtype)[:, 0]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = create_dataset(file, "x", (), dtype, chunk=1 << 16)
        writer = ChunkWriter(dataset)
        writer.append(values[:50_000])
        writer.append(values[50_000:])
        writer.finish()
    with h5py.File(tmp_path / "a.h5") as file:
        stored = file["x"].id.get_storage_size()
        np.testing.assert_array_equal(file["x"][:].view(np.uint8), values.view(np.uint8))
        found = read_events(ChunkReader(file["x"]), slice(None))
    np.testing.assert_array_equal(found.view(np.uint8), values.view(np.uint8))
    whole = (1 << 17) * np.dtype(dtype).itemsize
    assert stored < whole * 1.001 + 100  # also of nothing but noise


def repack(path, length, only=None, **filters):
    """Write the datasets of a store again, as other programs or other versions of ours do."""
    filters = {"shuffle": True, "compression": "gzip", **filters}
    with h5py.File(path, "r+", libver="latest") as file:
        names = []
        file.visititems(lambda n, o: names.append(n) if isinstance(o, h5py.Dataset) else None)
        for name in names if only is None else [only]:
            whole = file[name][()]
            attrs = dict(file[name].attrs)
            del file[name]
            chunks = (min(length, len(whole)), *whole.shape[1:])
            new = file.create_dataset(name, data=whole, chunks=chunks, **filters)
            new.attrs.update(attrs)


@pytest.mark.parametrize("length", [1, 7, 64, 10**9])
def test_any_length_of_chunks_is_read(path, length):
    some = np.array([899, 3, 4, 450])
    with Store.open(path) as store:
        want = store.candidates(some), store.truth(GEN_MET), store.event_id(slice(5, 700))
    repack(path, length)
    with Store.open(path) as store:
        got = store.candidates(some), store.truth(GEN_MET), store.event_id(slice(5, 700))
    for name, column in want[0].items():
        np.testing.assert_array_equal(got[0][name], column)
    np.testing.assert_array_equal(got[1], want[1])
    np.testing.assert_array_equal(got[2], want[2])


@pytest.mark.parametrize(
    "filters",
    [{"compression": "lzf"}, {"compression": None}, {"shuffle": False}, {"fletcher32": True}],
)
def test_other_filters_are_refused_with_what_is_read(path, filters):
    repack(path, 64, only="candidates/pt", **filters)
    with pytest.raises(
        DataError, match=r"candidates/pt .*shuffled and compressed by gzip; .*l1met convert"
    ):
        Store.open(path)


def test_columns_of_one_collection_share_their_chunks(path):
    repack(path, 64, only="candidates/pt")
    with pytest.raises(DataError, match="columns of candidates have chunks of different lengths"):
        Store.open(path)
