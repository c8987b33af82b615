"""Which events two stores share, whatever their labels, parts, order and file names."""

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.splits import mix64
from l1met_fpga.data.store import Store

__all__ = ["all_event_keys", "event_keys", "events_from", "shared_events"]

Rows = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_STEP_EVENTS: Final = 8192
_COLUMNS: Final = ("pt", "eta", "phi", "pid")
_ENOUGH_CANDIDATES: Final = 4
"""Two events of so many equal candidates (about 35 bits each) are one."""
_EMPTY: Final = np.uint64(0)
"""Key of events without candidates."""


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


def _identities(store: Store, rows: Rows) -> Keys:
    run, block, event = store.event_id(rows).T
    return mix64(event ^ mix64(block ^ mix64(run)))


@lru_cache(maxsize=8)
def all_event_keys(path: Path, content: str) -> Keys:  # noqa: ARG001 - tells stores of one name apart
    """Return the keys of all events of a store.

    Args:
        path: The store.
        content: Digest of what it holds.
    """
    with Store.open(path) as store:
        return event_keys(store, np.arange(store.n_events))


def event_keys(store: Store, rows: Rows) -> Keys:
    """Return a hash of each event, by which :func:`shared_events` knows it.

    Events are known by their candidates, in any order and whatever their numbers; those of which
    candidates were cut by the ones that were kept. Events of few candidates could agree by chance:
    for them run, luminosity block and event number must be the same too.
    """
    found = [np.empty(0, np.uint64)]
    for first in range(0, len(rows), _STEP_EVENTS):
        some = rows[first : first + _STEP_EVENTS]
        columns = store.candidates(some, _COLUMNS)
        state = np.zeros(columns["pt"].shape, np.uint64)
        for name in _COLUMNS:
            state = mix64(state ^ columns[name].astype(np.int64).view(np.uint64))
        state[columns["pt"] == 0] = 0
        n_candidates = store.n_candidates(some)
        key = mix64(state.sum(axis=1, dtype=np.uint64) ^ mix64(n_candidates.view(np.uint64)))
        few = n_candidates < _ENOUGH_CANDIDATES
        key = np.where(few, key ^ _identities(store, some), key)
        found.append(np.where(n_candidates == 0, _EMPTY, key))
    return np.concatenate(found)


def shared_events(one: Keys, other: Keys) -> int:
    """Count the events of one store that are among those of another; empty ones are all alike."""
    return int((np.isin(one, other) & (one != _EMPTY)).sum())
