"""Write a store, batch by batch; it appears under its name when the last event is in."""

import json
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role, SplitConfig
from l1met_fpga.data.attributes import CONVERSION_VERSION, FORMAT, SCHEMA_VERSION, write_attributes
from l1met_fpga.data.batch import EventBatch, no_met
from l1met_fpga.data.chunks import ChunkWriter, create_dataset
from l1met_fpga.data.content import ContentHash
from l1met_fpga.data.guarded_file import GuardedFile
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.splits import assign_parts
from l1met_fpga.data.store import BASELINE_SUFFIX, BASELINES, PER_EVENT, VERTEX
from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, REQUIRED_COLUMNS

__all__ = ["StoreWriter", "create_store", "software_versions", "write_store"]

_SOFTWARE: Final = ("l1met_fpga", "numpy", "h5py", "uproot", "awkward")
_BASELINE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class StoreWriter:
    """Appends batches to an open, still nameless store (see :func:`create_store`)."""

    def __init__(
        self,
        file: h5py.File,
        check: Callable[[], None],
        *,
        label: str,
        role: Role,
        columns: Sequence[str],
        splits: SplitConfig,
        has_vertex: bool,
        baselines: Sequence[str],
    ) -> None:
        self._check = check
        self._label = label
        self._role = role
        self._splits = splits
        self._has_vertex = has_vertex
        self._baselines = tuple(baselines)
        self.n_events = 0
        self._zero_truths = 0
        self.counts: Counter[str] = Counter()
        self.content = ContentHash()
        group = file.create_group("candidates")
        self._columns = {
            name: ChunkWriter(create_dataset(group, name, (N_CANDIDATES,), "<i2"))
            for name in columns
        }
        rows = PER_EVENT | ({VERTEX: ((), "<f4")} if has_vertex else {})
        rows |= {f"{BASELINES}/{name}{BASELINE_SUFFIX}": ((2,), "<f4") for name in baselines}
        self._rows = {
            name: ChunkWriter(create_dataset(file, name, shape, dtype))
            for name, (shape, dtype) in rows.items()
        }

    def append(self, batch: EventBatch) -> None:
        """Add events; at most 128 candidates each, with the columns and baselines of the store."""
        batch = self._of_this_store(batch)
        self.content.add(batch)
        filled = batch.filled()
        for name, writer in self._columns.items():
            writer.append(batch.padded(name, filled=filled))
        parts = assign_parts(
            batch.event_id, self._label, seed=self._splits.seed, fractions=self._splits.fractions
        )
        rows: dict[str, npt.NDArray[Any]] = {
            "n_candidates": batch.n_candidates,
            "event_id": batch.event_id,
            "part": parts,
            "gen_met_xy_gev": batch.gen_met_xy_gev,
            "puppi_met_xy_gev": batch.puppi_met_xy_gev,
        }
        if batch.vertex_z0_cm is not None:
            rows[VERTEX] = batch.vertex_z0_cm
        for name, met in batch.baselines.items():
            rows[f"{BASELINES}/{name}{BASELINE_SUFFIX}"] = met
        for name, values in rows.items():
            self._rows[name].append(values)
        self.n_events += batch.n_events
        self._check()

    def _of_this_store(self, batch: EventBatch) -> EventBatch:
        """Leave out what the store does not keep; the true MET of background events is zero."""
        z0 = batch.vertex_z0_cm
        if self._has_vertex and z0 is None:
            z0 = np.full(batch.n_events, np.nan)
        gen = batch.gen_met_xy_gev
        if self._role == "background":
            self.counts["background_gen_met"] += int((np.hypot(*gen.T) > 0).sum())
            gen = np.zeros_like(gen)
        else:
            self._zero_truths += int((gen == 0).all(axis=1).sum())
        self.counts["gen_met_missing"] += int((~np.isfinite(gen).all(axis=1)).sum())
        return replace(
            batch,
            columns={name: batch.columns[name] for name in self._columns},
            gen_met_xy_gev=gen,
            vertex_z0_cm=z0 if self._has_vertex else None,
            baselines={name: batch.baselines[name] for name in self._baselines},
        )

    def finish(self) -> None:
        """Write what waits in memory."""
        if 2 * self._zero_truths > self.n_events - self.counts["gen_met_missing"]:
            self.counts["gen_met_mostly_zero"] = self._zero_truths
        for writer in (*self._columns.values(), *self._rows.values()):
            writer.finish()


@contextmanager
def create_store(
    path: Path,
    *,
    label: str,
    order: str,
    role: Role | None = None,
    z0: str = "beam",
    columns: Sequence[str] = REQUIRED_COLUMNS,
    splits: SplitConfig | None = None,
    has_vertex: bool = False,
    baselines: Sequence[str] = (),
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
        columns: Candidate columns of every batch, the required ones among them.
        splits: Division that is saved with the events.
        has_vertex: Whether to keep the z of the primary vertex.
        baselines: Names of the MET of other algorithms in every batch.
        sources: Records of the input files.
        counts: What happened to how many events or candidates; a dict that is filled in the
            block is written with its final content. What the writer counts itself is added.

    Raises:
        DataError: If there is no room for the file, a required column is missing, or a baseline
            has a name that is no identifier.
    """
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise DataError(f"cannot make a store without the columns {', '.join(missing)}")
    for name in baselines:
        if not _BASELINE_NAME.fullmatch(name):
            raise DataError(
                f"baseline {name!r} needs a name of letters, digits and _ that begins with a letter"
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
                    has_vertex=has_vertex,
                    baselines=baselines,
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
                    "order": order,
                    "sources": json.dumps([dict(source) for source in sources]),
                    "counts": json.dumps(total),
                    "software": json.dumps(software_versions()),
                    "split_seed": splits.seed,
                    "split_fractions": np.array(splits.fractions),
                    "units": json.dumps({name: _unit(name, z0) for name in columns}),
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
    gen_met_xy_gev: npt.NDArray[np.float64] | None = None,
    puppi_met_xy_gev: npt.NDArray[np.float64] | None = None,
    event_id: npt.NDArray[np.uint64] | None = None,
    baselines: Mapping[str, npt.NDArray[np.float64]] | None = None,
    label: str = "sample",
    role: Role | None = None,
    order: str = "as_is",
    splits: SplitConfig | None = None,
) -> None:
    """Write padded columns as a store.

    Args:
        path: File to make or replace.
        candidates: int16, shape (n_events, 128), by column name; filled slots come first.
        gen_met_xy_gev: Generator MET, shape (n_events, 2).
        puppi_met_xy_gev: PUPPI MET, same layout.
        event_id: Identity; run 1, luminosity block 1, event 0, 1, ... when left out.
        baselines: MET of other algorithms by name, shape (n_events, 2), GeV.
        label: Sample label.
        role: What the sample is for; what its label suggests if not given.
        order: Order policy that the candidates follow.
        splits: Division that is saved with the events.

    Raises:
        DataError: If a filled slot follows an empty one, or the file cannot be written.
    """
    filled = candidates["pt"] > 0
    counts = filled.sum(axis=1, dtype=np.int64)
    if not np.array_equal(filled, np.arange(filled.shape[1]) < counts[:, None]):
        raise DataError("an empty slot (pt = 0) lies before a filled one; pack the slots first")
    n_events = len(counts)
    if event_id is None:
        event_id = np.ones((n_events, 3), np.uint64)
        event_id[:, 2] = np.arange(n_events)
    batch = EventBatch(
        counts=counts,
        columns={name: values[filled] for name, values in candidates.items()},
        n_candidates=counts,
        event_id=event_id,
        gen_met_xy_gev=no_met(n_events) if gen_met_xy_gev is None else gen_met_xy_gev,
        puppi_met_xy_gev=no_met(n_events) if puppi_met_xy_gev is None else puppi_met_xy_gev,
        baselines=dict(baselines or {}),
    )
    with create_store(
        path,
        label=label,
        order=order,
        role=role,
        columns=tuple(candidates),
        splits=splits,
        baselines=tuple(batch.baselines),
    ) as writer:
        writer.append(batch)


def software_versions() -> dict[str, str]:
    """Return the versions of what writes a store."""
    return {"python": platform.python_version()} | {name: version(name) for name in _SOFTWARE}


def _unit(name: str, z0: str) -> str:
    unit = COLUMNS[name].count_unit
    return f"{unit} from the {z0}" if name == "z0" and z0 != "beam" else unit
