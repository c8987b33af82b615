"""Numbers about a file of events: counts, ranges, composition, multiplicity, problems.

Everything is kept as histograms over integer codes, so memory does not depend on the file and
every figure is exact. Any input file of ``l1met convert`` can be inspected as well as a store.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.batch import EventBatch
from l1met_fpga.data.hdf5 import open_hdf5
from l1met_fpga.data.problems import find_problems
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.splits import Part, mix64
from l1met_fpga.data.store import FORMAT, Store
from l1met_fpga.data.totals import Totals
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS, ParticleId

__all__ = ["ColumnRange", "Composition", "Inspection", "inspect_file", "is_store", "read_event"]

_STEP_EVENTS: Final = 8192


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """Codes of one column over all candidates, in physical units.

    Attributes:
        lowest: Smallest value.
        median: Middle value.
        highest: Largest value.
        unit: Unit of the three, empty for codes and fractions.
    """

    lowest: float
    median: float
    highest: float
    unit: str


@dataclass(frozen=True, slots=True)
class Composition:
    """Candidates of one particle type.

    Attributes:
        per_event: Mean number per event.
        fraction: Of all candidates.
        pt_fraction: Of the scalar sum of pt.
        median_pt_gev: Middle pt, GeV.
    """

    per_event: float
    fraction: float
    pt_fraction: float
    median_pt_gev: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds.

    Attributes:
        path: File name.
        format: ``store``, ``root``, ``words``, ``l1metml`` or ``l1deepmet``.
        about: What a store says about itself (label, order, seed of the parts ...).
        totals: Histograms over all events.
        parts: Events per part of a store, empty for other files.
        counts: What reading or converting changed or dropped.
        problems: One sentence each, empty if all is well.
    """

    path: str
    format: str
    about: dict[str, str]
    totals: Totals
    parts: dict[str, int]
    counts: dict[str, int]
    problems: tuple[str, ...]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.totals.n_events

    def ranges(self) -> dict[str, ColumnRange]:
        """Return the range of each column of the file."""
        result = {}
        for name, histogram in self.totals.codes.items():
            column = COLUMNS[name]
            values = (np.arange(histogram.size) + column.type.min_code) * column.lsb
            low, middle, high = _quantiles(values, histogram, (0.0, 0.5, 1.0))
            result[name] = ColumnRange(low, middle, high, column.unit)
        return result

    def composition(self) -> dict[ParticleId, Composition]:
        """Return the share of each particle type, all of them, also where there is none."""
        histograms = self.totals.pt_by_pid
        pt_gev = np.arange(histograms.shape[1]) * COLUMNS["pt"].lsb
        n_all = max(int(histograms.sum()), 1)
        sum_pt_gev = max(float(histograms.sum(axis=0) @ pt_gev), COLUMNS["pt"].lsb)
        return {
            pid: Composition(
                per_event=int(row.sum()) / max(self.n_events, 1),
                fraction=int(row.sum()) / n_all,
                pt_fraction=float(row @ pt_gev) / sum_pt_gev,
                median_pt_gev=_quantiles(pt_gev, row, (0.5,))[0],
            )
            for pid, row in zip(ParticleId, histograms, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what has no value (a median of nothing) is ``null``."""
        ranges = {
            name: {"lowest": r.lowest, "median": r.median, "highest": r.highest, "unit": r.unit}
            for name, r in self.ranges().items()
        }
        composition = {
            pid.name.lower(): {
                "per_event": c.per_event,
                "fraction": c.fraction,
                "pt_fraction": c.pt_fraction,
                "median_pt_gev": c.median_pt_gev,
            }
            for pid, c in self.composition().items()
        }
        used = int(np.flatnonzero(self.totals.multiplicity)[-1]) + 1 if self.n_events else 0
        summary: dict[str, Any] = _without_nan(
            {
                "path": self.path,
                "format": self.format,
                "about": self.about,
                "events": self.n_events,
                "events_with_gen_met": self.totals.n_with_gen_met,
                "candidates": int(self.totals.pt_by_pid.sum()),
                "parts": self.parts,
                "counts": self.counts,
                "mean_gen_met_gev": self.totals.mean_gen_met_gev,
                "mean_puppi_met_gev": self.totals.mean_puppi_met_gev,
                "ranges": ranges,
                "composition": composition,
                "multiplicity": self.totals.multiplicity[:used].tolist(),
                "problems": list(self.problems),
            }
        )
        return summary


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
    if is_store(path):
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


def is_store(path: str) -> bool:
    """Tell a store from other files by its content."""
    try:
        with open_hdf5(Path(path)) as file:
            return bool(file.attrs.get("format") == FORMAT)
    except OSError:
        return False


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
    if is_store(path):
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
        gen_met_xy_gev=store.gen_met_xy_gev(events),
        puppi_met_xy_gev=store.puppi_met_xy_gev(events),
        baselines={name: store.baseline_met_xy_gev(name, events) for name in store.baselines},
    )


def _inspect_store(store: Store) -> Inspection:
    totals = Totals()
    found: Counter[str] = Counter()
    for start in range(0, store.n_events, _STEP_EVENTS):
        events = slice(start, start + _STEP_EVENTS)
        padded = store.candidates(events, store.columns)
        batch = _ragged(store, events, padded)
        totals.add(batch)
        empty = padded["pt"] == 0
        found["dirty_slots"] += int(
            sum(np.count_nonzero(column[empty]) for column in padded.values())
        )
        expected = np.minimum(batch.n_candidates, padded["pt"].shape[1])
        found["wrong_counts"] += int((expected != batch.counts).sum())
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


def _quantiles(
    values: npt.NDArray[np.floating], histogram: npt.NDArray[np.int64], at: Sequence[float]
) -> list[float]:
    """Return quantiles of a histogram over exact values; NaN where it is empty."""
    below = np.cumsum(histogram)
    if not histogram.size or below[-1] == 0:
        return [float("nan")] * len(at)
    ranks = [min(int(fraction * below[-1]), int(below[-1]) - 1) for fraction in at]
    return [float(values[np.searchsorted(below, rank, side="right")]) for rank in ranks]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value
