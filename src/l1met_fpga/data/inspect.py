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
from l1met_fpga.data.content import ContentHash
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.inspection import ColumnRange, Composition, Inspection
from l1met_fpga.data.layout import (
    BASELINES,
    CANDIDATES,
    N_BEFORE_CUT,
    TRUTH,
    VERTEX,
)
from l1met_fpga.data.problems import find_problems
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.splits import Part, mix64
from l1met_fpga.data.store import Store, is_store
from l1met_fpga.data.totals import Totals
from l1met_fpga.puppi.columns import N_CANDIDATES

__all__ = ["ColumnRange", "Composition", "Inspection", "inspect_file"]

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
    for events in read_source(source, config, tally):
        totals.add(events)
    return Inspection(
        path=path,
        format=source.format,
        about={},
        totals=totals,
        parts={},
        counts=dict(tally),
        problems=find_problems(totals, tally, suggested_role(Path(path).stem), config.rows),
    )


def _store_batches(store: Store, columns: Sequence[str]) -> Iterator[Examples]:
    """Read all that a store holds."""
    besides = [N_BEFORE_CUT, *(f"{BASELINES}{name}" for name in store.baselines)]
    besides += [*store.jet_besides, *store.element_besides, *([VERTEX] if store.has_vertex else [])]
    for start in range(0, store.n_events, _STEP_EVENTS):
        events = slice(start, start + _STEP_EVENTS)
        yield store.examples(events, columns, truths=store.truths, besides=besides)


def _inspect_store(store: Store) -> Inspection:
    totals = Totals()
    found: Counter[str] = Counter()
    content = ContentHash()
    for events in _store_batches(store, store.columns):
        totals.add(events)
        _add_content(content, events, store)
        found["empty_rows"] += int((events.columns["pt"] <= 0).sum())
        expected = np.minimum(events.besides[N_BEFORE_CUT], N_CANDIDATES)
        found["wrong_counts"] += int((expected != events.counts).sum())
    found["other_content"] = int(content.digest() != store.attributes.content)
    if store.attributes.rows == "event":  # an event may hold several jets
        found["repeated_events"] = _repeated(store.event_id())
    about = store.attributes
    parts = np.bincount(store.parts(), minlength=len(Part))
    return Inspection(
        path=str(store.path),
        format="store",
        about={
            "label": about.label,
            "role": about.role,
            "rows": about.rows,
            "order": about.order,
            "sources": str(len(about.sources)),
            "split_seed": str(about.split_seed),
            **({"one_count_of_z0": about.units["z0"]} if "z0" in about.units else {}),
        },
        totals=totals,
        parts={part.name.lower(): int(parts[part]) for part in Part},
        counts=dict(about.counts),
        problems=find_problems(totals, Counter(about.counts) + found, about.role, about.rows),
    )


def _add_content(content: ContentHash, events: Examples, store: Store) -> None:
    content.add_rows(CANDIDATES, events.columns, events.counts)
    content.add_ids(events.ids)
    for name, values in events.besides.items():
        content.add(name, values)
    if not store.is_background:  # whose truth is not written
        for name, values in events.truth.items():
            content.add(f"{TRUTH}{name}", values)


def _repeated(event_id: npt.NDArray[np.uint64]) -> int:
    """Return how many events have the identity of an earlier one (8 bytes of memory each)."""
    run, block, event = event_id.T
    identity = mix64(event ^ mix64(block ^ mix64(run)))
    return len(identity) - len(np.unique(identity))
