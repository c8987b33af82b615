"""Candidates of some events as rows, one after the other: what the int64 reference works on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Chunk", "chunk_slices", "filled_chunk", "padded_chunks"]

IntArray = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer[Any]]

CHUNK_CANDIDATES: Final = 16384
"""Rows worked on at once. Smaller chunks are as fast in one thread (their memory is not given back
to the system between two operations), larger ones let two threads compute side by side."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Candidates of some events, one row each; rows of one event follow one another.

    Attributes:
        columns: Codes per row.
        starts: First row of each event that has rows.
        events: Index of those events within the chunk.
        n_events: Events of the chunk.
        filled: Rows with a candidate, None when all have one.
    """

    columns: Mapping[str, IntArray]
    starts: npt.NDArray[np.intp]
    events: npt.NDArray[np.intp]
    n_events: int
    filled: npt.NDArray[np.bool_] | None

    def sum(self, rows: IntArray) -> IntArray:
        """Sum rows (n_rows, channels) of each event, empty slots left out."""
        if self.filled is not None:
            rows = rows * self.filled[:, None]
        total = np.zeros((self.n_events, rows.shape[1]), np.int64)
        if len(self.starts):
            total[self.events] = np.add.reduceat(rows, self.starts, axis=0)
        return total


def chunk_slices(pt: Codes) -> Iterator[slice]:
    """Yield ranges of events with about :data:`CHUNK_CANDIDATES` candidates."""
    ends = np.cumsum(np.count_nonzero(pt, axis=1))
    first = 0
    while first < len(ends):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + CHUNK_CANDIDATES, side="right")))
        yield slice(first, last)
        first = last


def filled_chunk(columns: Mapping[str, Codes], part: slice) -> Chunk:
    """Return the filled slots of some events."""
    filled = columns["pt"][part] > 0
    multiplicity = np.count_nonzero(filled, axis=1)
    events = np.flatnonzero(multiplicity)
    starts = np.cumsum(multiplicity)[events] - multiplicity[events]
    rows = {name: codes[part][filled].astype(np.int64) for name, codes in columns.items()}
    return Chunk(rows, starts, events, len(multiplicity), None)


def padded_chunks(columns: Mapping[str, Codes], n_slots: int) -> Iterator[Chunk]:
    """Yield all slots of events, empty ones included."""
    n_events, given = columns["pt"].shape
    step = max(1, CHUNK_CANDIDATES // n_slots)
    for first in range(0, n_events, step):
        part = slice(first, min(first + step, n_events))
        n = part.stop - part.start
        rows = {
            k: np.pad(v[part].astype(np.int64), ((0, 0), (0, n_slots - given))).ravel()
            for k, v in columns.items()
        }
        starts = np.arange(n) * n_slots
        yield Chunk(rows, starts, np.arange(n), n, rows["pt"] > 0)
