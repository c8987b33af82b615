"""Write a store, batch by batch; it appears under its name when the last event is in."""

import json
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role, SplitConfig
from l1met_fpga.data import element_kinds
from l1met_fpga.data.attributes import CONVERSION_VERSION, FORMAT, SCHEMA_VERSION, write_attributes
from l1met_fpga.data.chunks import ChunkWriter, create_dataset
from l1met_fpga.data.collection import CollectionWriter
from l1met_fpga.data.content import ContentHash
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.guarded_file import GuardedFile
from l1met_fpga.data.layout import (
    BASELINES,
    CANDIDATES,
    ELEMENT_ETA,
    ELEMENT_PHI,
    EVENT_ID,
    JET_ETA,
    N_BEFORE_CUT,
    N_PILEUP,
    PART,
    RULE_CLASS,
    VERTEX,
    dataset_of,
    is_baseline,
)
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.splits import assign_parts
from l1met_fpga.data.truth import TRUTHS
from l1met_fpga.data.truth_writer import TruthWriter
from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path
from l1met_fpga.puppi import jet_constituents
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS, STORED_COLUMNS

__all__ = ["StoreWriter", "create_store", "software_versions", "write_store"]

_SOFTWARE: Final = ("l1met_fpga", "numpy", "h5py", "uproot", "awkward")
_UNITS: Final = {
    VERTEX: "cm", N_PILEUP: "", JET_ETA: "", ELEMENT_ETA: "", ELEMENT_PHI: "rad", RULE_CLASS: "",
}  # fmt: skip
_BASELINE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*_gev")


class StoreWriter:
    """Appends examples to an open, still nameless store (see :func:`create_store`)."""

    def __init__(
        self,
        file: h5py.File,
        check: Callable[[], None],
        *,
        label: str,
        role: Role,
        columns: Sequence[str],
        splits: SplitConfig,
        truths: Sequence[str],
        besides: Sequence[str],
    ) -> None:
        self._check = check
        self._label = label
        self._splits = splits
        self._columns = tuple(columns)
        self._besides = tuple(dict.fromkeys((N_BEFORE_CUT, *besides)))
        self.n_events = 0
        self.counts: Counter[str] = Counter()
        self.content = ContentHash()
        self._candidates = CollectionWriter(file, CANDIDATES, columns)
        self._known = {
            name: ChunkWriter(create_dataset(file, name, *dataset_of(name)))
            for name in (EVENT_ID, PART, *self._besides)
        }
        self._truths = [
            TruthWriter(file, TRUTHS[name], role, self.counts, self.content) for name in truths
        ]

    def append(self, events: Examples) -> None:
        """Add events, with the columns and baselines of the store."""
        n = len(events)
        columns = {name: events.columns[name] for name in self._columns}
        self._candidates.append(columns, events.row_splits)
        self.content.add_rows(CANDIDATES, columns, events.counts)
        self._known[EVENT_ID].append(events.ids)
        self.content.add_ids(events.ids)
        fractions = self._splits.fractions
        parts = assign_parts(events.ids, self._label, seed=self._splits.seed, fractions=fractions)
        self._known[PART].append(parts)
        for name in self._besides:
            if name in events.besides or is_baseline(name):
                values = events.besides[name]
            else:
                values = events.counts if name == N_BEFORE_CUT else np.full(n, np.nan)
            self._known[name].append(values)
            self.content.add(name, values)
        for truth in self._truths:
            truth.append(events.truth.get(truth.name), n)
        self.n_events += n
        self._check()

    def end_of_source(self) -> None:
        """Say that the events of the next file follow: a truth that it never filled is none."""
        for truth in self._truths:
            truth.end_of_source()

    def finish(self) -> None:
        """Write what waits in memory."""
        self._candidates.finish()
        for writer in self._known.values():
            writer.finish()
        for truth in self._truths:
            truth.finish()


@contextmanager
def create_store(
    path: Path,
    *,
    label: str,
    order: str,
    role: Role | None = None,
    z0: str = "beam",
    rows: str = "event",
    columns: Sequence[str] = REQUIRED_COLUMNS,
    splits: SplitConfig | None = None,
    truths: Sequence[str] = (),
    besides: Sequence[str] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    counts: Mapping[str, int] | None = None,
) -> Iterator[StoreWriter]:
    """Make a store; the file gets its name when the block ends well.

    Args:
        path: File to make or replace.
        label: Sample label.
        order: Order policy that the candidates follow already.
        role: What the sample is for; what its label suggests if not given.
        z0: Where z0 is counted from (``beam`` or ``vertex``); noted with its unit.
        rows: What one example is, ``event``, ``jet`` or ``element``.
        columns: Candidate columns of every batch, the required ones among them.
        splits: Division that is saved with the events.
        truths: Names of the truths to keep; unknown where events lack one.
        besides: Names of what else to keep (:mod:`l1met_fpga.data.layout`); the baselines among them
            must be known of all events.
        sources: Records of the input files, written as they are at the end of the block.
        counts: What happened to how many events or candidates; a dict that is filled in the
            block is written with its final content. What the writer counts itself is added.

    Raises:
        DataError: If there is no room for the file, a required column is missing, or a baseline
            has a name that is no identifier.
    """
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise DataError(f"cannot make a store without the columns {', '.join(missing)}")
    for name in filter(is_baseline, besides):
        if not _BASELINE_NAME.fullmatch(name.removeprefix(BASELINES)):
            raise DataError(
                f"baseline {name.removeprefix(BASELINES)!r} needs a name of letters, digits and _ that "
                "begins with a letter and ends with form and unit: _xy_gev or _gev"
            )
    splits = splits or SplitConfig()
    role = role or suggested_role(label)
    try:
        with atomic_path(path) as temporary, GuardedFile(temporary) as target:
            # The newest file format has checksums in all metadata, so damage is seen.
            with h5py.File(target, "w", libver="latest") as file:
                writer = StoreWriter(
                    file,
                    target.check,
                    label=label,
                    role=role,
                    columns=columns,
                    splits=splits,
                    truths=truths,
                    besides=besides,
                )
                yield writer
                writer.finish()
                total = Counter(counts or {})
                total.update(writer.counts)
                attributes = {
                    "format": FORMAT,
                    "schema_version": SCHEMA_VERSION,
                    "conversion_version": CONVERSION_VERSION,
                    "label": label,
                    "role": role,
                    "rows": rows,
                    "order": order,
                    "sources": json.dumps([dict(source) for source in sources]),
                    "counts": json.dumps(total),
                    "software": json.dumps(software_versions()),
                    "split_seed": splits.seed,
                    "split_fractions": np.array(splits.fractions),
                    "units": json.dumps(
                        {name: _unit(name, z0, rows) for name in columns}
                        | {name.rpartition("/")[2]: "GeV" for name in (*truths, *besides)}
                        | {name: "" for name in truths if TRUTHS[name].unit != "gev"}
                        | {name: unit for name, unit in _UNITS.items() if name in besides}
                    ),
                    "n_events": writer.n_events,
                    "content": writer.content.digest(),
                }
                write_attributes(file.attrs, attributes)
            target.check()
    except OSError as err:
        raise DataError(
            f"cannot write {path}: {err.strerror or err}; nothing was left behind, check the free "
            "space and the permissions of its folder"
        ) from err


def write_store(
    path: Path,
    *,
    candidates: Mapping[str, npt.NDArray[np.int16]],
    truth: Mapping[str, npt.NDArray[np.float64]] | None = None,
    event_id: npt.NDArray[np.uint64] | None = None,
    baselines: Mapping[str, npt.NDArray[np.float64]] | None = None,
    label: str = "sample",
    role: Role | None = None,
    order: str = "as_is",
    splits: SplitConfig | None = None,
    rows: str = "event",
    besides: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> None:
    """Write padded columns as a store.

    Args:
        path: File to make or replace.
        candidates: int16, shape (n_events, n_slots), by column name; filled slots come first.
        truth: Truths by name (:data:`~l1met_fpga.data.truth.TRUTHS`), first axis the events.
        event_id: Identity; run 1, luminosity block 1, event 0, 1, ... when left out.
        baselines: Estimates of other algorithms, by name with form and unit (``..._xy_gev``).
        label: Sample label.
        role: What the sample is for; what its label suggests if not given.
        order: Order policy that the candidates follow.
        splits: Division that is saved with the events.
        rows: What one example is, ``event``, ``jet`` or ``element``.
        besides: What else is known (:mod:`l1met_fpga.data.layout`).

    Raises:
        DataError: If a filled slot follows an empty one, or the file cannot be written.
    """
    filled = candidates["pt"] > 0
    counts = filled.sum(axis=1, dtype=np.int64)
    if not np.array_equal(filled, np.arange(filled.shape[1]) < counts[:, None]):
        raise DataError("an empty slot (pt = 0) lies before a filled one; pack the slots first")
    if event_id is None:
        event_id = np.ones((len(counts), 3), np.uint64)
        event_id[:, 2] = np.arange(len(counts))
    events = Examples.from_padded(
        candidates,
        columns=tuple(candidates),
        truth=truth or {},
        ids=event_id,
        besides={f"{BASELINES}{name}": values for name, values in (baselines or {}).items()}
        | dict(besides or {}),
    )
    with create_store(
        path,
        label=label,
        order=order,
        role=role,
        rows=rows,
        columns=tuple(candidates),
        splits=splits,
        truths=tuple(events.truth),
        besides=tuple(events.besides),
    ) as writer:
        writer.append(events)


def software_versions() -> dict[str, str]:
    """Return the versions of what writes a store."""
    return {"python": platform.python_version()} | {name: version(name) for name in _SOFTWARE}


def _unit(name: str, z0: str, rows: str) -> str:
    column = STORED_COLUMNS[name]
    own = {"jet": jet_constituents.UNITS, "element": element_kinds.UNITS}.get(rows, {})
    if name in own:
        return own[name]
    return column.count_unit_from(z0) if name == "z0" else column.count_unit
