"""The rows of all examples in a store, flat: one group with a dataset per column."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.data.chunks import (
    CHUNK_ROWS,
    ChunkReader,
    ChunkWriter,
    create_dataset,
    read_events,
)
from l1met_fpga.data.layout import ROW_SPLITS
from l1met_fpga.errors import DataError

__all__ = ["CollectionReader", "CollectionWriter"]

Rows = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[np.int16]]


class CollectionWriter:
    """Appends the rows of examples to a new group.

    Args:
        file: Open file.
        name: Of the group.
        columns: Its columns.
    """

    def __init__(self, file: h5py.File, name: str, columns: Sequence[str]) -> None:
        group = file.create_group(name)
        self._columns = {
            column: ChunkWriter(create_dataset(group, column, (), "<i2", chunk=CHUNK_ROWS))
            for column in columns
        }
        self._splits = ChunkWriter(create_dataset(group, ROW_SPLITS, (), "<i8"))
        self._splits.append(np.zeros(1, np.int64))
        self._n_rows = 0

    def append(self, columns: Columns, row_splits: Rows) -> None:
        """Add examples with their rows."""
        for name, writer in self._columns.items():
            writer.append(columns[name])
        self._splits.append(row_splits[1:] + self._n_rows)
        self._n_rows += int(row_splits[-1])

    def finish(self) -> None:
        """Write what waits in memory."""
        for writer in (*self._columns.values(), self._splits):
            writer.finish()


class CollectionReader:
    """Reads the rows of chosen examples.

    Args:
        columns: Its datasets by column.
        splits: Borders between examples.
        path: Of the file, for messages.
    """

    def __init__(self, columns: dict[str, ChunkReader], splits: ChunkReader, path: Path) -> None:
        self._columns = columns
        self._splits = splits
        self._path = path
        self._borders: Rows | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._columns)

    @property
    def row_splits(self) -> Rows:
        """Where the rows of each example begin, and after the last one their number.

        Raises:
            DataError: If they are no borders of the columns.
        """
        if self._borders is None:
            borders = read_events(self._splits, slice(None))
            n_rows = {reader.n_rows for reader in self._columns.values()}
            if borders[0] != 0 or (np.diff(borders) < 0).any() or n_rows != {int(borders[-1])}:
                raise DataError(
                    f"{self._path}: the borders between events do not fit the columns; the file was "
                    "changed after it was made, convert its sources again"
                )
            self._borders = borders
        return self._borders

    def read(self, examples: Rows, columns: Sequence[str]) -> tuple[Columns, Rows]:
        """Return the rows of some examples, and the borders between them.

        Args:
            examples: Numbers of the examples, increasing.
            columns: Columns to read.

        Raises:
            DataError: If the file is damaged.
        """
        first, last = self.row_splits[examples], self.row_splits[examples + 1]
        read: dict[str, list[npt.NDArray[np.int16]]] = {
            name: [np.empty(0, np.int16)] for name in columns
        }
        length = next(iter(self._columns.values())).length  # the same for all
        for chunk, chosen in _chosen_rows(first, last, length):
            for name, pieces in read.items():
                pieces.append(self._columns[name].read(chunk)[chosen])
        splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(last - first)])
        return {name: np.concatenate(pieces) for name, pieces in read.items()}, splits


def _chosen_rows(
    first: Rows, last: Rows, length: int
) -> Iterator[tuple[int, slice | npt.NDArray[np.bool_]]]:
    """Yield each chunk, of ``length`` rows, that holds rows of the examples, and which those are."""
    filled = last > first
    first, last = first[filled], last[filled]
    if not len(first):
        return
    for chunk in range(int(first[0]) // length, (int(last[-1]) - 1) // length + 1):
        low, high = chunk * length, (chunk + 1) * length
        inside = slice(np.searchsorted(last, low, "right"), np.searchsorted(first, high, "left"))
        begin = np.maximum(first[inside], low) - low
        end = np.minimum(last[inside], high) - low
        if not len(begin):
            continue
        if int((end - begin).sum()) == end[-1] - begin[0]:  # without a gap
            yield chunk, slice(int(begin[0]), int(end[-1]))
            continue
        change = np.zeros(length + 1, np.int8)
        change[begin] += 1
        change[end] -= 1
        yield chunk, np.cumsum(change[:-1], dtype=np.int8).astype(bool)
