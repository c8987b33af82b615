"""One chunk of an HDF5 dataset to bytes and back, faster than through HDF5's own filters.

The bytes are those of HDF5's shuffle and deflate filters, so every HDF5 program can read the
file; ISA-L and libdeflate only make and undo them several times faster than zlib. The zlib
stream ends with a checksum of the content: a damaged chunk is refused, never read wrongly.
"""

import math
from typing import Any, Final

import deflate
import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from l1met_fpga.errors import DataError

__all__ = ["CHUNK_EVENTS", "ChunkReader", "ChunkWriter", "create_dataset"]

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
            raise self._damaged(index) from err
        if mask or len(raw) != self._n_bytes:
            raise self._damaged(index)
        return _unshuffle(raw, self.dtype).reshape(CHUNK_EVENTS, *self.row_shape)

    def _damaged(self, index: int) -> DataError:
        return DataError(
            f"chunk {index} of {self._name} is damaged; copy the file again or make it again"
        )


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
