"""What one input file became: the events of a finished per-file task, not padded yet.

A part lives in a folder beside the store until the store is complete; it appears under its name
only when it is whole, so a conversion that was interrupted, or a worker that died, leaves either
a finished part or none.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from l1met_fpga.data.batch import EventBatch
from l1met_fpga.errors import DataError
from l1met_fpga.run_folder import atomic_path

__all__ = ["PartRecord", "PartWriter", "create_part", "read_part", "read_part_record"]

_PER_EVENT: Final = ("counts", "n_candidates", "event_id", "gen_met_xy_gev", "puppi_met_xy_gev")
_VERTEX: Final = "vertex_z0_cm"


@dataclass(frozen=True, slots=True)
class PartRecord:
    """Summary of a part.

    Attributes:
        fingerprint: What the part was made from and how; equal means it can be used again.
        source: Record of the input file (path, size, checksum, events).
        counts: What happened to how many events or candidates.
        n_events: Number of events.
        columns: Candidate columns.
        has_vertex: Whether there is a primary vertex.
    """

    fingerprint: str
    source: dict[str, Any]
    counts: dict[str, int]
    n_events: int
    columns: list[str]
    has_vertex: bool


class PartWriter:
    """Appends batches to an open part, one HDF5 group each."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._n_batches = 0
        self.n_events = 0
        self.columns: list[str] = []
        self.has_vertex = False

    def append(self, batch: EventBatch) -> None:
        """Add events."""
        group = self._file.create_group(f"{self._n_batches:08d}")
        for name in _PER_EVENT:
            group[name] = getattr(batch, name)
        for name, values in batch.columns.items():
            group[f"columns/{name}"] = values
        if batch.vertex_z0_cm is not None:
            group[_VERTEX] = batch.vertex_z0_cm
            self.has_vertex = True
        self.columns = list(batch.columns)
        self._n_batches += 1
        self.n_events += batch.n_events


@contextmanager
def create_part(
    path: Path, fingerprint: str, source: dict[str, Any], counts: Mapping[str, int]
) -> Iterator[PartWriter]:
    """Make a part; it gets its name when the block ends well.

    Args:
        path: File to make or replace.
        fingerprint: What it is made from and how.
        source: Record of the input file; the number of events is added.
        counts: Written as it is at the end of the block.

    Raises:
        DataError: If the file cannot be written.
    """
    try:
        with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
            writer = PartWriter(file)
            yield writer
            record = {
                "fingerprint": fingerprint,
                "source": source | {"events": writer.n_events},
                "counts": dict(counts),
                "n_events": writer.n_events,
                "columns": writer.columns,
                "has_vertex": writer.has_vertex,
            }
            file.attrs["record"] = json.dumps(record)
    except OSError as err:
        raise DataError(
            f"cannot write {path}: {err.strerror or err}; nothing was left behind, check the free "
            "space and the permissions of its folder"
        ) from err


def read_part_record(path: Path) -> PartRecord | None:
    """Return the summary of a part, None if there is no whole part of this name."""
    if not path.is_file():
        return None
    try:
        with h5py.File(path, "r") as file:
            return PartRecord(**json.loads(file.attrs["record"]))
    except (OSError, KeyError, ValueError, TypeError):
        return None  # damaged: make it again


def read_part(path: Path) -> Iterator[EventBatch]:
    """Read the batches of a part.

    Raises:
        DataError: If the part was damaged after it was made.
    """
    try:
        with h5py.File(path, "r") as file:
            for name in sorted(file):
                group = file[name]
                yield EventBatch(
                    **{field: group[field][()] for field in _PER_EVENT},
                    columns={column: group["columns"][column][()] for column in group["columns"]},
                    vertex_z0_cm=np.asarray(group[_VERTEX]) if _VERTEX in group else None,
                )
    except (OSError, KeyError) as err:
        raise DataError(f"part {path} is damaged ({err}); remove it and convert again") from err
