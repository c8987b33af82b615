"""What one of many input files became: the examples of a finished per-file task, as they are.

A part lives in a folder beside the store until the store is complete; it appears under its name
only when it is whole, so a conversion that was interrupted, or a worker that died, leaves either
a finished part or none.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path

__all__ = ["PartRecord", "PartWriter", "create_part", "read_part", "read_part_record"]

_FOOTER_BYTES: Final = 8
"""The file ends with the record as JSON and the length of it."""


@dataclass(frozen=True, slots=True)
class PartRecord:
    """Summary of a part.

    Attributes:
        fingerprint: What the part was made from and how; equal means it can be used again.
        source: Record of the input file (path, size, checksum, events).
        counts: What happened to how many events or candidates.
        n_events: Number of events.
        n_batches: Number of batches that they lie in.
        columns: Candidate columns.
        truths: Names of the truths.
        besides: Names of what else is known of each event.
    """

    fingerprint: str
    source: dict[str, Any]
    counts: dict[str, int]
    n_events: int
    n_batches: int
    columns: list[str]
    truths: list[str]
    besides: list[str]


class PartWriter:
    """Appends batches to an open part: plain arrays, one behind the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.n_events = 0
        self.n_batches = 0
        self.columns: list[str] = []
        self.truths: list[str] = []
        self.besides: list[str] = []

    def append(self, events: Examples) -> None:
        """Add events; all batches know the same of them."""
        self.columns, self.truths = list(events.columns), list(events.truth)
        self.besides = list(events.besides)
        groups = (events.columns, events.truth, events.besides)
        arrays = [events.row_splits, events.ids, *(a for group in groups for a in group.values())]
        for array in arrays:
            # numpy.save, but with the system's own error when the disk is full.
            plain: npt.NDArray[Any] = np.ascontiguousarray(array)
            header = np.lib.format.header_data_from_array_1_0(plain)
            np.lib.format.write_array_header_1_0(self._file, header)
            self._file.write(plain.data.cast("B") if plain.size else b"")
        self.n_batches += 1
        self.n_events += len(events)


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
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            writer = PartWriter(file)
            yield writer
            record = PartRecord(
                fingerprint=fingerprint,
                source=source | {"events": writer.n_events},
                counts=dict(counts),
                n_events=writer.n_events,
                n_batches=writer.n_batches,
                columns=writer.columns,
                truths=writer.truths,
                besides=writer.besides,
            )
            text = json.dumps(asdict(record)).encode()
            file.write(text + len(text).to_bytes(_FOOTER_BYTES, "little"))
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
        with path.open("rb") as file:
            file.seek(-_FOOTER_BYTES, os.SEEK_END)
            n_bytes = int.from_bytes(file.read(), "little")
            file.seek(-_FOOTER_BYTES - n_bytes, os.SEEK_END)
            return PartRecord(**json.loads(file.read(n_bytes)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None  # damaged: make it again


def read_part(path: Path, record: PartRecord) -> Iterator[Examples]:
    """Read the batches of a part.

    Raises:
        DataError: If the part was damaged after it was made.
    """
    try:
        with path.open("rb") as file:

            def arrays(names: list[str]) -> dict[str, npt.NDArray[Any]]:
                return {name: np.load(file, allow_pickle=False) for name in names}

            for _ in range(record.n_batches):
                splits, ids = arrays(["splits", "ids"]).values()
                columns, truth = arrays(record.columns), arrays(record.truths)
                yield Examples(columns, splits, truth, ids, arrays(record.besides))
    except (OSError, ValueError, EOFError) as err:
        raise DataError(f"part {path} is damaged ({err}); remove it and convert again") from err
