"""One chunk of an HDF5 dataset to bytes and back, faster than through HDF5's own filters.

The bytes are those of HDF5's shuffle and deflate filters, so every HDF5 program can read the
file; ISA-L and libdeflate only make and undo them several times faster than zlib. The zlib
stream ends with a checksum of the content: a damaged chunk is refused, never read wrongly.
"""

import math
import os
from typing import Any, Final

import deflate
import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from l1met_fpga.errors import DataError

__all__ = [
    "CHUNK_EVENTS",
    "ChunkReader",
    "ChunkWriter",
    "Events",
    "create_dataset",
    "read_events",
]

Events = slice | npt.NDArray[np.int64]
"""Which events to read: a slice, or event numbers in any order."""

CHUNK_EVENTS: Final = 1024
"""Events of one chunk, for every dataset of a store: chunk k of each holds the same events."""

_LEVEL: Final = 1
"""Of ISA-L: smaller files than zlib's level 1, at five times its speed."""


def create_dataset(
    group: h5py.Group, name: str, row_shape: tuple[int, ...], dtype: str
) -> h5py.Dataset:
    """Create an empty dataset ``(0, *row_shape)`` that grows along its first axis."""
    return group.create_dataset(
        name,
        shape=(0, *row_shape),
        maxshape=(None, *row_shape),
        chunks=(CHUNK_EVENTS, *row_shape),
        dtype=dtype,
        shuffle=True,
        compression="gzip",
        compression_opts=_LEVEL,
    )


class ChunkWriter:
    """Append rows to a dataset; whole chunks go to the file, the rest waits in memory."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self._buffer = np.zeros(dataset.chunks, dataset.dtype)
        self._n_buffered = 0
        self._n_written = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows, shape ``(n, *row_shape)``; values must fit the dataset's type."""
        start = 0
        while start < len(rows):
            if self._n_buffered == 0 and len(rows) - start >= CHUNK_EVENTS:
                self._write(rows[start : start + CHUNK_EVENTS].astype(self._buffer.dtype))
                start += CHUNK_EVENTS
                continue
            n = min(CHUNK_EVENTS - self._n_buffered, len(rows) - start)
            self._buffer[self._n_buffered : self._n_buffered + n] = rows[start : start + n]
            self._n_buffered += n
            start += n
            if self._n_buffered == CHUNK_EVENTS:
                self._write(self._buffer)
                self._n_buffered = 0

    def finish(self) -> None:
        """Write what waits in memory and give the dataset its final length."""
        if self._n_buffered:
            n = self._n_written + self._n_buffered
            self._buffer[self._n_buffered :] = 0
            self._write(self._buffer)
            self._n_written, self._n_buffered = n, 0
        self._dataset.resize(self._n_written, axis=0)

    def _write(self, chunk: npt.NDArray[Any]) -> None:
        self._dataset.resize(self._n_written + CHUNK_EVENTS, axis=0)
        first = (self._n_written, *(0 for _ in chunk.shape[1:]))
        self._dataset.id.write_direct_chunk(first, _encode(chunk))
        self._n_written += CHUNK_EVENTS


class ChunkReader:
    """Read whole chunks of a dataset.

    Args:
        dataset: As made by :func:`create_dataset`.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        # Every question to h5py costs as much as a small chunk: ask once.
        self.n_rows = int(dataset.shape[0])
        self.row_shape = tuple(int(n) for n in dataset.shape[1:])
        self.dtype = dataset.dtype
        self._id = dataset.id
        self._zeros = (0,) * len(self.row_shape)
        self._n_bytes = CHUNK_EVENTS * math.prod(self.row_shape) * self.dtype.itemsize
        self._name = f"{dataset.name} in {dataset.file.filename}"

    def read(self, index: int) -> npt.NDArray[Any]:
        """Return one chunk, shape ``(1024, *row_shape)``; rows beyond the end are zero.

        Raises:
            DataError: If the chunk is missing or damaged.
        """
        try:
            mask, payload = self._id.read_direct_chunk((index * CHUNK_EVENTS, *self._zeros))
            # libdeflate is the faster reader, ISA-L the faster writer.
            raw = deflate.zlib_decompress(payload, self._n_bytes)
        except (OSError, ValueError, RuntimeError, deflate.DeflateError) as err:
            number = getattr(err, "errno", None)
            if number is not None:  # the disk or the network, not the content
                raise DataError(
                    f"cannot read chunk {index} of {self._name}: {os.strerror(number)}"
                ) from err
            raise self._damaged(index) from err
        if mask or len(raw) != self._n_bytes:
            raise self._damaged(index)
        return _unshuffle(raw, self.dtype).reshape(CHUNK_EVENTS, *self.row_shape)

    def _damaged(self, index: int) -> DataError:
        return DataError(
            f"chunk {index} of {self._name} is damaged; copy the file again or make it again"
        )


def read_events(reader: ChunkReader, events: Events) -> npt.NDArray[Any]:
    """Return rows of a dataset, in the order of ``events``.

    Raises:
        IndexError: If an event number lies outside.
        DataError: If a chunk is damaged.
    """
    if isinstance(events, slice):
        return _read_slice(reader, events)
    return _read_rows(reader, np.asarray(events))


def _read_slice(reader: ChunkReader, events: slice) -> npt.NDArray[Any]:
    start, stop, step = events.indices(reader.n_rows)
    if step != 1:
        return _read_rows(reader, np.arange(start, stop, step))
    first = start // CHUNK_EVENTS
    if start < stop <= (first + 1) * CHUNK_EVENTS:
        return reader.read(first)[start - first * CHUNK_EVENTS : stop - first * CHUNK_EVENTS]
    result = np.empty((max(stop - start, 0), *reader.row_shape), reader.dtype)
    for index in range(first, -(-stop // CHUNK_EVENTS)):
        first = index * CHUNK_EVENTS
        low, high = max(start, first), min(stop, first + CHUNK_EVENTS)
        result[low - start : high - start] = reader.read(index)[low - first : high - first]
    return result


def _read_rows(reader: ChunkReader, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    if rows.size and not (rows.min() >= 0 and rows.max() < reader.n_rows):
        raise IndexError(f"event numbers must lie in 0 to {reader.n_rows - 1}")
    result = np.empty((rows.size, *reader.row_shape), reader.dtype)
    order = np.argsort(rows, kind="stable")
    chunk_of = rows[order] // CHUNK_EVENTS
    starts = np.flatnonzero(np.diff(chunk_of, prepend=-1))
    for chosen in np.split(order, starts[1:]) if rows.size else []:
        index = int(rows[chosen[0]]) // CHUNK_EVENTS
        result[chosen] = reader.read(index)[rows[chosen] - index * CHUNK_EVENTS]
    return result


def _encode(chunk: npt.NDArray[Any]) -> bytes:
    planes = np.ascontiguousarray(chunk).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    return bytes(isal_zlib.compress(np.ascontiguousarray(planes.T), level=_LEVEL))


def _unshuffle(raw: bytes | bytearray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    if dtype.itemsize == 2:  # twice as fast as the transposition
        words = planes[1].astype(np.uint16)
        words <<= 8
        words |= planes[0]
        result: npt.NDArray[Any] = words.view(dtype)
        return result
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
