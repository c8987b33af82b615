"""Write a store, batch by batch; it appears under its name when the last event is in."""

import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import SplitConfig
from l1met_fpga.data.batch import EventBatch, no_met
from l1met_fpga.data.chunks import ChunkWriter, create_dataset
from l1met_fpga.data.guarded_file import GuardedFile
from l1met_fpga.data.splits import assign_parts
from l1met_fpga.data.store import FORMAT, PER_EVENT, SCHEMA_VERSION, VERTEX, checksum
from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, REQUIRED_COLUMNS

__all__ = ["StoreWriter", "create_store", "software_versions", "write_store"]

_SOFTWARE: Final = ("l1met_fpga", "numpy", "h5py", "uproot", "awkward")


class StoreWriter:
    """Appends batches to an open, still nameless store (see :func:`create_store`)."""

    def __init__(
        self,
        file: h5py.File,
        check: Callable[[], None],
        *,
        label: str,
        columns: Sequence[str],
        splits: SplitConfig,
        has_vertex: bool,
    ) -> None:
        self._check = check
        self._label = label
        self._splits = splits
        self._has_vertex = has_vertex
        self.n_events = 0
        group = file.create_group("candidates")
        self._columns = {
            name: ChunkWriter(create_dataset(group, name, (N_CANDIDATES,), "<i2"))
            for name in columns
        }
        rows = PER_EVENT | ({VERTEX: ((), "<f4")} if has_vertex else {})
        self._rows = {
            name: ChunkWriter(create_dataset(file, name, shape, dtype))
            for name, (shape, dtype) in rows.items()
        }

    def append(self, batch: EventBatch) -> None:
        """Add events; at most 128 candidates each."""
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
        if self._has_vertex:
            z0 = batch.vertex_z0_cm
            rows[VERTEX] = np.full(batch.n_events, np.nan) if z0 is None else z0
        for name, values in rows.items():
            self._rows[name].append(values)
        self.n_events += batch.n_events
        self._check()

    def finish(self) -> None:
        """Write what waits in memory."""
        for writer in (*self._columns.values(), *self._rows.values()):
            writer.finish()


@contextmanager
def create_store(
    path: Path,
    *,
    label: str,
    order: str,
    z0: str = "beam",
    columns: Sequence[str] = REQUIRED_COLUMNS,
    splits: SplitConfig | None = None,
    has_vertex: bool = False,
    sources: Sequence[Mapping[str, Any]] = (),
    counts: Mapping[str, int] | None = None,
) -> Iterator[StoreWriter]:
    """Make a store; the file gets its name when the block ends well.

    Args:
        path: File to make or replace.
        label: Sample label.
        order: Order policy that the candidates follow already.
        z0: Where z0 is counted from (``beam`` or ``vertex``); noted with its unit.
        columns: Candidate columns of every batch, the required ones among them.
        splits: Division that is saved with the events.
        has_vertex: Whether to keep the z of the primary vertex.
        sources: Records of the input files.
        counts: What happened to how many events or candidates; a dict that is filled in the
            block is written with its final content.

    Raises:
        DataError: If there is no room for the file, or a required column is missing.
    """
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise DataError(f"cannot make a store without the columns {', '.join(missing)}")
    splits = splits or SplitConfig()
    try:
        with atomic_path(path) as temporary, GuardedFile(temporary) as target:
            # The newest file format has checksums in all metadata, so damage is seen.
            with h5py.File(target, "w", libver="latest") as file:
                writer = StoreWriter(
                    file,
                    target.check,
                    label=label,
                    columns=columns,
                    splits=splits,
                    has_vertex=has_vertex,
                )
                yield writer
                writer.finish()
                attributes = {
                    "format": FORMAT,
                    "schema_version": SCHEMA_VERSION,
                    "label": label,
                    "order": order,
                    "sources": json.dumps([dict(source) for source in sources]),
                    "counts": json.dumps(dict(counts or {})),
                    "software": json.dumps(software_versions()),
                    "split_seed": splits.seed,
                    "split_fractions": np.array(splits.fractions),
                    "units": json.dumps({name: _unit(name, z0) for name in columns}),
                    "n_events": writer.n_events,
                }
                file.attrs.update(attributes, checksum=checksum(attributes))
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
    label: str = "sample",
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
        label: Sample label.
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
    )
    with create_store(
        path, label=label, order=order, columns=tuple(candidates), splits=splits
    ) as writer:
        writer.append(batch)


def software_versions() -> dict[str, str]:
    """Return the versions of what writes a store."""
    return {"python": platform.python_version()} | {name: version(name) for name in _SOFTWARE}


def _unit(name: str, z0: str) -> str:
    column = COLUMNS[name]
    unit = f"{column.lsb:.10g} {column.unit}".strip()
    return f"{unit} from the {z0}" if name == "z0" and z0 != "beam" else unit
