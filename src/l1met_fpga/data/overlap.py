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

    Two events are the same when run, luminosity block, event number and the candidates agree, in any
    order; only the numbers of simulated samples repeat. Candidates of events that may have been cut
    are not compared.
    """
    ids, other_ids = _identities(one, rows), _identities(other, other_rows)
    alike = rows[np.isin(ids, other_ids)]
    if len(alike) == 0:
        return 0
    other_alike = other_rows[np.isin(other_ids, ids)]
    return int(np.isin(_keys(one, alike), _keys(other, other_alike)).sum())


def _identities(store: Store, rows: Rows) -> Keys:
    run, block, event = store.event_id(rows).T
    return mix64(event ^ mix64(block ^ mix64(run)))


def _keys(store: Store, rows: Rows) -> Keys:
    """Return a hash of identity and candidates of each event."""
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
        total[n_candidates > columns["pt"].shape[1]] = 0
        found.append(_identities(store, some) ^ mix64(total ^ mix64(n_candidates.view(np.uint64))))
    return np.concatenate(found)
