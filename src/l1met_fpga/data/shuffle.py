"""Events of a store in random order, with memory that does not depend on the file.

Chunks are read in random order into a buffer; every batch takes random events out of the buffer,
and events of the next chunks take their places. So events that lie side by side in the file come
out many batches apart, and each event comes out once per pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.chunks import CHUNK_EVENTS
from l1met_fpga.data.flatten import Flattening
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES

__all__ = ["Block", "Selection", "ShuffledEvents"]


@dataclass(frozen=True, slots=True)
class Block:
    """Some events.

    Attributes:
        columns: int16, shape (n, 128), by column name.
        gen_met_xy_gev: Generator MET, float32, shape (n, 2).
    """

    columns: dict[str, npt.NDArray[np.int16]]
    gen_met_xy_gev: npt.NDArray[np.float32]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.gen_met_xy_gev)

    @classmethod
    def empty(cls, columns: Sequence[str], n_events: int) -> "Block":
        """Return a block of zeros."""
        return cls(
            {name: np.zeros((n_events, N_CANDIDATES), np.int16) for name in columns},
            np.zeros((n_events, 2), np.float32),
        )

    def take(self, rows: npt.NDArray[np.int64] | slice) -> "Block":
        """Return some of the events (copies for an array, views for a slice)."""
        return Block(
            {name: values[rows] for name, values in self.columns.items()},
            self.gen_met_xy_gev[rows],
        )

    def put(self, rows: npt.NDArray[np.int64] | slice, block: "Block") -> None:
        """Overwrite events in place."""
        for name, values in block.columns.items():
            self.columns[name][rows] = values
        self.gen_met_xy_gev[rows] = block.gen_met_xy_gev


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of a store take part.

    Attributes:
        store: Open store.
        columns: Columns to read.
        part: Part, None for all events.
        flattening: Probability to keep an event, None to keep all.
    """

    store: Store
    columns: Sequence[str]
    part: Part | None = None
    flattening: Flattening | None = None

    def read(self, chunk: int, rng: np.random.Generator) -> Block:
        """Read the selected events of one chunk, those with generator MET."""
        events = slice(chunk * CHUNK_EVENTS, (chunk + 1) * CHUNK_EVENTS)
        gen_met = self.store.gen_met_xy_gev(events).astype(np.float32)
        chosen = np.isfinite(gen_met).all(axis=1)
        if self.part is not None:
            chosen &= self.store.parts(events) == self.part
        if self.flattening is not None:
            kept = self.flattening.probability(np.nan_to_num(gen_met))
            chosen &= rng.random(len(gen_met)) < kept
        rows = np.flatnonzero(chosen)
        if rows.size == 0:
            return Block.empty(self.columns, 0)
        block = Block(self.store.candidates(events, self.columns), gen_met)
        return block if rows.size == block.n_events else block.take(rows)

    def nothing(self) -> str:
        """Say why a pass over the events gave none."""
        parts = self.store.parts()
        if len(parts) == 0 or (self.part is not None and not (parts == self.part).any()):
            what = "event" if self.part is None else f"{self.part.name.lower()} event"
            return f"{self.store.path} has no {what}; look at it with `l1met inspect`"
        return (
            f"{self.store.path}: events have no generator MET, so nothing can be learned from them; "
            "use a sample with genMet branches"
        )


class ShuffledEvents:
    """An endless stream of events in random order, one pass over the selection after the other.

    Args:
        selection: What to read.
        buffer_events: Size of the buffer.
        rng: Decides the order and, when flattening, the events.
    """

    def __init__(self, selection: Selection, buffer_events: int, rng: np.random.Generator) -> None:
        self._selection = selection
        self._rng = rng
        self._buffer = Block.empty(selection.columns, min(buffer_events, selection.store.n_events))
        # The first n_filled entries are the places in the buffer that hold an event.
        self._slots = np.arange(self._buffer.n_events)
        self._n_filled = 0
        self._pending = Block.empty(selection.columns, 0)
        self._blocks = _read_pass(self._selection, self._rng)

    def take(self, n_events: int) -> list[Block]:
        """Return the next events, in one block or, across the end of a pass, in several."""
        blocks = []
        while n_events > 0:
            self._fill()
            n = min(n_events, self._n_filled)
            if n == 0:
                self._start_pass()
                continue
            blocks.append(self._draw(n))
            n_events -= n
        return blocks

    def _fill(self) -> None:
        """Fill the buffer as far as this pass has events."""
        while self._n_filled < len(self._slots):
            if self._pending.n_events == 0:
                block = next(self._blocks, None)
                if block is None:
                    return
                self._pending = block
            stop = min(self._n_filled + self._pending.n_events, len(self._slots))
            n = stop - self._n_filled
            self._buffer.put(self._slots[self._n_filled : stop], self._pending.take(slice(n)))
            self._pending = self._pending.take(slice(n, None))
            self._n_filled = stop

    def _draw(self, n: int) -> Block:
        """Take random events out of the buffer."""
        left = self._n_filled - n
        # Bring the drawn slots behind those that stay filled; the events themselves do not move.
        drawn = self._rng.choice(self._n_filled, n, replace=False)
        rows = self._slots[drawn]
        stay = np.ones(n, bool)
        stay[drawn[drawn >= left] - left] = False
        self._slots[drawn[drawn < left]] = self._slots[left : self._n_filled][stay]
        self._slots[left : self._n_filled] = rows
        self._n_filled = left
        return self._buffer.take(rows)

    def _start_pass(self) -> None:
        self._blocks = _read_pass(self._selection, self._rng)
        self._fill()
        if self._n_filled == 0:
            raise DataError(self._selection.nothing())


def _read_pass(selection: Selection, rng: np.random.Generator) -> Iterator[Block]:
    """Read every chunk once, in random order."""
    # Not a method: it would hold its owner, and both would wait for the garbage collector.
    for chunk in rng.permutation(-(-selection.store.n_events // CHUNK_EVENTS)):
        yield selection.read(int(chunk), rng)
