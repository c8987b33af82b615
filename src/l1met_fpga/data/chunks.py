"""One chunk of an HDF5 dataset to bytes and back, faster than through HDF5's own filters.

The bytes are those of HDF5's shuffle and deflate filters, so every HDF5 program can read the
file; ISA-L and libdeflate only make and undo them several times faster than zlib. Bytes of one
significance have codes of their own, and those that are noise are kept as they are. The zlib
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
    "CHUNK_ROWS",
    "MAX_CHUNK_BYTES",
    "ChunkReader",
    "ChunkWriter",
    "Events",
    "create_dataset",
    "is_readable",
    "read_events",
]

Events = slice | npt.NDArray[np.int64]
"""Which events to read: a slice, or event numbers in any order."""

CHUNK_EVENTS: Final = 4096
"""Events of one chunk of what has one row per event."""
CHUNK_ROWS: Final = 1 << 16
"""Candidates of one chunk of a column: those of about so many events."""
MAX_CHUNK_BYTES: Final = 64 << 20
"""Of a chunk that is read: one row costs a whole chunk of memory."""

_LEVEL: Final = 1
"""Of ISA-L: smaller files than zlib's level 1, at five times its speed."""
_NO_HEADER: Final = -15
"""Window of 32 KiB, deflate alone."""
_ZLIB: Final = b"\x78\x01"
"""Head of a zlib stream with that window (RFC 1950)."""
_LONGEST_STORED: Final = 0xFFFF


def create_dataset(
    group: h5py.Group,
    name: str,
    row_shape: tuple[int, ...],
    dtype: str,
    *,
    chunk: int = CHUNK_EVENTS,
) -> h5py.Dataset:
    """Create an empty dataset ``(0, *row_shape)`` that grows along its first axis."""
    return group.create_dataset(
        name,
        shape=(0, *row_shape),
        maxshape=(None, *row_shape),
        chunks=(chunk, *row_shape),
        dtype=dtype,
        shuffle=True,
        compression="gzip",
        compression_opts=_LEVEL,
    )


def is_readable(dataset: h5py.Dataset) -> bool:
    """Tell whether :class:`ChunkReader` reads it: any length of chunks, but no other filters."""
    row_bytes = math.prod(dataset.shape[1:]) * dataset.dtype.itemsize
    return (
        dataset.chunks is not None
        and dataset.chunks[1:] == dataset.shape[1:]
        and dataset.chunks[0] * row_bytes <= MAX_CHUNK_BYTES
        and dataset.id.get_create_plist().get_nfilters() == 2
        and dataset.shuffle
        and dataset.compression == "gzip"
    )


class ChunkWriter:
    """Append rows to a dataset; whole chunks go to the file, the rest waits in memory."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self._length = int(dataset.chunks[0])
        self._buffer = np.zeros(dataset.chunks, dataset.dtype)
        self._n_buffered = 0
        self._n_written = 0
        self._n_room = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows, shape ``(n, *row_shape)``; values must fit the dataset's type."""
        start = 0
        while start < len(rows):
            if self._n_buffered == 0 and len(rows) - start >= self._length:
                self._write(rows[start : start + self._length].astype(self._buffer.dtype))
                start += self._length
                continue
            n = min(self._length - self._n_buffered, len(rows) - start)
            self._buffer[self._n_buffered : self._n_buffered + n] = rows[start : start + n]
            self._n_buffered += n
            start += n
            if self._n_buffered == self._length:
                self._write(self._buffer)
                self._n_buffered = 0

    def finish(self) -> None:
        """Give the dataset its final length and write what waits in memory."""
        # In this order: HDF5 would read, clear and compress again the end of a chunk that is there.
        self._dataset.resize(self._n_written + self._n_buffered, axis=0)
        if self._n_buffered:
            self._buffer[self._n_buffered :] = 0
            self._write_chunk(self._buffer)
            self._n_buffered = 0

    def _write(self, chunk: npt.NDArray[Any]) -> None:
        if self._n_written + self._length > self._n_room:
            # Asking HDF5 for room costs as much as compressing a small chunk.
            self._n_room = 2 * self._n_room + self._length
            self._dataset.resize(self._n_room, axis=0)
        self._write_chunk(chunk)
        self._n_written += self._length

    def _write_chunk(self, chunk: npt.NDArray[Any]) -> None:
        first = (self._n_written, *(0 for _ in chunk.shape[1:]))
        self._dataset.id.write_direct_chunk(first, _encode(chunk))


class ChunkReader:
    """Read whole chunks of a dataset.

    Args:
        dataset: One that :func:`is_readable`; its chunks may have another length than those of
            :func:`create_dataset`.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        # Every question to h5py costs as much as a small chunk: ask once.
        self.n_rows = int(dataset.shape[0])
        self.row_shape = tuple(int(n) for n in dataset.shape[1:])
        self.dtype = dataset.dtype
        self._id = dataset.id
        self._zeros = (0,) * len(self.row_shape)
        self.length = int(dataset.chunks[0])
        self._n_bytes = self.length * math.prod(self.row_shape) * self.dtype.itemsize
        self._name = f"{dataset.name} in {dataset.file.filename}"

    def read(self, index: int) -> npt.NDArray[Any]:
        """Return one chunk, shape ``(length, *row_shape)``; rows beyond the end are zero.

        Raises:
            DataError: If the chunk is missing or damaged.
        """
        try:
            mask, payload = self._id.read_direct_chunk((index * self.length, *self._zeros))
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
        return _unshuffle(raw, self.dtype).reshape(self.length, *self.row_shape)

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
    first = start // reader.length
    if start < stop <= (first + 1) * reader.length:
        return reader.read(first)[start - first * reader.length : stop - first * reader.length]
    result = np.empty((max(stop - start, 0), *reader.row_shape), reader.dtype)
    for index in range(first, -(-stop // reader.length)):
        first = index * reader.length
        low, high = max(start, first), min(stop, first + reader.length)
        result[low - start : high - start] = reader.read(index)[low - first : high - first]
    return result


def _read_rows(reader: ChunkReader, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    if rows.size and not (rows.min() >= 0 and rows.max() < reader.n_rows):
        raise IndexError(f"event numbers must lie in 0 to {reader.n_rows - 1}")
    result = np.empty((rows.size, *reader.row_shape), reader.dtype)
    order = np.argsort(rows, kind="stable")
    chunk_of = rows[order] // reader.length
    starts = np.flatnonzero(np.diff(chunk_of, prepend=-1))
    for chosen in np.split(order, starts[1:]) if rows.size else []:
        index = int(rows[chosen[0]]) // reader.length
        result[chosen] = reader.read(index)[rows[chosen] - index * reader.length]
    return result


def _encode(chunk: npt.NDArray[Any]) -> bytes:
    """Compress the first bytes of all values, then the second ones: each with codes of its own.

    With the codes of both together, as of one call, files are a twelfth larger.
    """
    planes = _shuffle(np.ascontiguousarray(chunk))
    last = len(planes) - 1
    blocks = [_deflated(plane, last=number == last) for number, plane in enumerate(planes)]
    return b"".join((_ZLIB, *blocks, isal_zlib.adler32(planes).to_bytes(4, "big")))


def _deflated(plane: npt.NDArray[np.uint8], *, last: bool) -> bytes:
    """Return bytes as deflate blocks that others may follow; as they are where that is shorter."""
    packer = isal_zlib.compressobj(_LEVEL, wbits=_NO_HEADER)
    end = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
    packed = packer.compress(plane) + packer.flush(end)
    return packed if len(packed) < len(plane) else _stored(plane.tobytes(), last=last)


def _stored(content: bytes, *, last: bool) -> bytes:
    """Return bytes as blocks of deflate that are not compressed (RFC 1951, 3.2.4)."""
    blocks = []
    for first in range(0, len(content), _LONGEST_STORED):
        some = content[first : first + _LONGEST_STORED]
        final = last and first + _LONGEST_STORED >= len(content)
        length = len(some).to_bytes(2, "little")
        blocks += [bytes([final]), length, bytes(byte ^ 0xFF for byte in length), some]
    return b"".join(blocks)


def _shuffle(chunk: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if chunk.dtype.itemsize == 2:  # five times as fast as the transposition
        words = chunk.view(np.uint16).reshape(-1)
        planes = np.empty((2, words.size), np.uint8)
        np.copyto(planes[0], words, casting="unsafe")
        np.right_shift(words, 8, out=planes[1], casting="unsafe")
        return planes
    return np.ascontiguousarray(chunk.view(np.uint8).reshape(-1, chunk.dtype.itemsize).T)


def _unshuffle(raw: bytes | bytearray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    if dtype.itemsize == 2:  # twice as fast as the transposition
        words = planes[1].astype(np.uint16)
        words <<= 8
        words |= planes[0]
        result: npt.NDArray[Any] = words.view(dtype)
        return result
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
