"""One chunk of an HDF5 dataset to bytes and back, faster than through HDF5's own filters.

The bytes are those of HDF5's shuffle and deflate filters, so every HDF5 program can read the
file; ISA-L and libdeflate only make and undo them several times faster than zlib. The zlib
stream ends with a checksum of the content: a damaged chunk is refused, never read wrongly.
"""

from typing import Any, Final

import deflate
import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from l1met_fpga.errors import DataError

__all__ = ["CHUNK_EVENTS", "ChunkWriter", "create_dataset", "read_chunk"]

CHUNK_EVENTS: Final = 1024
"""Events of one chunk, for every dataset of a store: chunk k of each holds the same events."""

_LEVEL: Final = 1
"""Of ISA-L: smaller files than zlib's level 1, at five times its speed."""


def create_dataset(
    group: h5py.Group, name: str, row_shape: tuple[int, ...], dtype: str
) -> h5py.Dataset:
    """Create an empty dataset (0, *row_shape) that grows along its first axis."""
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
        """Add rows, shape (n, *row_shape); values must fit the dataset's type."""
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


def read_chunk(dataset: h5py.Dataset, index: int) -> npt.NDArray[Any]:
    """Read one whole chunk; rows beyond the end of the dataset are zero.

    Raises:
        DataError: If the chunk is missing or damaged.
    """
    first = (index * CHUNK_EVENTS, *(0 for _ in dataset.shape[1:]))
    n_bytes = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    try:
        mask, payload = dataset.id.read_direct_chunk(first)
        # libdeflate is the faster reader, ISA-L the faster writer.
        raw = bytes(deflate.zlib_decompress(payload, n_bytes))
    except (OSError, ValueError, RuntimeError, deflate.DeflateError) as err:
        raise _damaged(dataset, index) from err
    if mask or len(raw) != n_bytes:
        raise _damaged(dataset, index)
    return _unshuffle(raw, dataset.dtype).reshape(dataset.chunks)


def _damaged(dataset: h5py.Dataset, index: int) -> DataError:
    return DataError(
        f"{dataset.file.filename}: chunk {index} of {dataset.name} is damaged; "
        "copy the file again or make it again"
    )


def _encode(chunk: npt.NDArray[Any]) -> bytes:
    planes = np.ascontiguousarray(chunk).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    return bytes(isal_zlib.compress(np.ascontiguousarray(planes.T), level=_LEVEL))


def _unshuffle(raw: bytes, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    if dtype.itemsize == 2:  # twice as fast as the transposition
        words = planes[1].astype(np.uint16)
        words <<= 8
        words |= planes[0]
        result: npt.NDArray[Any] = words.view(dtype)
        return result
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
