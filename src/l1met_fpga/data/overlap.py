"""Which events two stores share, whatever their labels, parts, order and file names."""

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.splits import mix64
from l1met_fpga.data.store import Store

__all__ = ["events_from", "shared_events"]

Rows = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_STEP_EVENTS: Final = 8192
_COLUMNS: Final = ("pt", "eta", "phi", "pid")
_ENOUGH_CANDIDATES: Final = 4
"""Two events of so many equal candidates (about 35 bits each) are one."""


def events_from(store: Store, rows: Rows, digests: Collection[str]) -> Rows:
    """Return the events that came from input files with one of these SHA-256 digests.

    Args:
        store: Open store.
        rows: Event numbers to choose from, increasing.
        digests: Of input files, as in the attribute ``sources``.
    """
    sources = store.attributes.sources
    n_events = [int(source.get("events", 0)) for source in sources]
    if sum(n_events) != store.n_events:  # made in memory: nobody knows which file
        return rows[:0]
    known = np.array([source.get("sha256") in digests for source in sources], bool)
    chosen: Rows = rows[np.repeat(known, n_events)[rows]]
    return chosen


def shared_events(one: Store, rows: Rows, other: Store, other_rows: Rows) -> int:
    """Count the events of ``one`` that are among those of ``other``.

    Events are known by their candidates, in any order and whatever their numbers. Those of few
    candidates could agree by chance, and those that may have been cut need not agree: for them run,
    luminosity block and event number must be the same too.
    """
    return int(np.isin(_keys(one, rows), _keys(other, other_rows)).sum())


def _identities(store: Store, rows: Rows) -> Keys:
    run, block, event = store.event_id(rows).T
    return mix64(event ^ mix64(block ^ mix64(run)))


def _keys(store: Store, rows: Rows) -> Keys:
    """Return a hash of each event, of its candidates where they are enough to know it by."""
    found = [np.empty(0, np.uint64)]
    for first in range(0, len(rows), _STEP_EVENTS):
        some = rows[first : first + _STEP_EVENTS]
        columns = store.candidates(some, _COLUMNS)
        state = np.zeros(columns["pt"].shape, np.uint64)
        for name in _COLUMNS:
            state = mix64(state ^ columns[name].astype(np.int64).view(np.uint64))
        state[columns["pt"] == 0] = 0
        total = state.sum(axis=1, dtype=np.uint64)
        n_candidates = store.n_candidates(some)
        cut = n_candidates > columns["pt"].shape[1]
        total[cut] = 0
        key = mix64(total ^ mix64(n_candidates.view(np.uint64)))
        unsure = cut | (n_candidates < _ENOUGH_CANDIDATES)
        found.append(np.where(unsure, key ^ _identities(store, some), key))
    return np.concatenate(found)
