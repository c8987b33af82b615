"""Numbers about a file of events: counts, ranges, composition, multiplicity, problems.

Everything is kept as histograms over integer codes, so memory does not depend on the file and
every figure is exact. Any input file of ``l1met convert`` can be inspected as well as a store.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.batch import EventBatch
from l1met_fpga.data.content import ContentHash
from l1met_fpga.data.inspection import ColumnRange, Composition, Inspection
from l1met_fpga.data.problems import find_problems
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.splits import Part, mix64
from l1met_fpga.data.store import Store, is_store
from l1met_fpga.data.totals import Totals
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS

__all__ = ["ColumnRange", "Composition", "Inspection", "inspect_file", "read_event"]

_STEP_EVENTS: Final = 8192


def inspect_file(path: str, config: ConvertConfig | None = None) -> Inspection:
    """Read a whole file and sum it up.

    Args:
        path: A store, or any one input file of ``l1met convert``.
        config: Format and branch map of an input file.

    Raises:
        DataError: If the file cannot be read.
        ConfigError: If its format cannot be told.
    """
    config = config or ConvertConfig()
    if is_store(Path(path)):
        with Store.open(Path(path)) as store:
            return _inspect_store(store)
    (source,) = expand_sources([path], config.format)
    tally: Counter[str] = Counter()
    totals = Totals()
    for batch in read_source(source, config, tally):
        totals.add(batch)
    return Inspection(
        path=path,
        format=source.format,
        about={},
        totals=totals,
        parts={},
        counts=dict(tally),
        problems=find_problems(totals, tally, suggested_role(Path(path).stem)),
    )


def read_event(path: str, number: int, config: ConvertConfig | None = None) -> EventBatch:
    """Read one event of a file.

    Args:
        path: As for :func:`inspect_file`.
        number: Place in the file, from 0.
        config: As for :func:`inspect_file`.

    Raises:
        DataError: If the file cannot be read or has fewer events.
    """
    n_events = 0
    for batch in _batches(path, config or ConvertConfig()):
        if 0 <= number < n_events + batch.n_events:
            return _one_event(batch, number - n_events)
        n_events += batch.n_events
    raise DataError(f"{path} has no event {number}; it has {n_events}, numbered from 0")


def _one_event(batch: EventBatch, index: int) -> EventBatch:
    first = int(batch.counts[:index].sum())
    own = slice(first, first + int(batch.counts[index]))
    event = slice(index, index + 1)
    return EventBatch(
        counts=batch.counts[event],
        columns={name: column[own] for name, column in batch.columns.items()},
        n_candidates=batch.n_candidates[event],
        event_id=batch.event_id[event],
        gen_met_xy_gev=batch.gen_met_xy_gev[event],
        puppi_met_xy_gev=batch.puppi_met_xy_gev[event],
        baselines={name: met[event] for name, met in batch.baselines.items()},
    )


def _batches(path: str, config: ConvertConfig) -> Iterator[EventBatch]:
    if is_store(Path(path)):
        with Store.open(Path(path)) as store:
            yield from _store_batches(store, REQUIRED_COLUMNS)
        return
    (source,) = expand_sources([path], config.format)
    yield from read_source(source, config, Counter())


def _store_batches(store: Store, columns: Sequence[str]) -> Iterator[EventBatch]:
    for start in range(0, store.n_events, _STEP_EVENTS):
        events = slice(start, start + _STEP_EVENTS)
        yield _ragged(store, events, store.candidates(events, columns))


def _ragged(store: Store, events: slice, padded: dict[str, npt.NDArray[np.int16]]) -> EventBatch:
    filled = padded["pt"] > 0
    return EventBatch(
        counts=filled.sum(axis=1, dtype=np.int64),
        columns={name: column[filled] for name, column in padded.items()},
        n_candidates=store.n_candidates(events),
        event_id=store.event_id(events),
        gen_met_xy_gev=store.truth(GEN_MET, events),
        puppi_met_xy_gev=store.puppi_met_xy_gev(events),
        vertex_z0_cm=store.vertex_z0_cm(events) if store.has_vertex else None,
        baselines={name: store.baseline_met_xy_gev(name, events) for name in store.baselines},
    )


def _inspect_store(store: Store) -> Inspection:
    totals = Totals()
    found: Counter[str] = Counter()
    content = ContentHash()
    for start in range(0, store.n_events, _STEP_EVENTS):
        events = slice(start, start + _STEP_EVENTS)
        padded = store.candidates(events, store.columns)
        batch = _ragged(store, events, padded)
        totals.add(batch)
        content.add(batch)
        empty = padded["pt"] == 0
        found["dirty_slots"] += int(
            sum(np.count_nonzero(column[empty]) for column in padded.values())
        )
        expected = np.minimum(batch.n_candidates, padded["pt"].shape[1])
        found["wrong_counts"] += int((expected != batch.counts).sum())
    found["other_content"] = int(content.digest() != store.attributes.content)
    found["repeated_events"] = _repeated(store.event_id())
    about = store.attributes
    parts = np.bincount(store.parts(), minlength=len(Part))
    return Inspection(
        path=str(store.path),
        format="store",
        about={
            "label": about.label,
            "role": about.role,
            "order": about.order,
            "sources": str(len(about.sources)),
            "split_seed": str(about.split_seed),
            **({"one_count_of_z0": about.units["z0"]} if "z0" in about.units else {}),
        },
        totals=totals,
        parts={part.name.lower(): int(parts[part]) for part in Part},
        counts=dict(about.counts),
        problems=find_problems(totals, Counter(about.counts) + found, about.role),
    )


def _repeated(event_id: npt.NDArray[np.uint64]) -> int:
    """Return how many events have the identity of an earlier one (8 bytes of memory each)."""
    run, block, event = event_id.T
    identity = mix64(event ^ mix64(block ^ mix64(run)))
    return len(identity) - len(np.unique(identity))
