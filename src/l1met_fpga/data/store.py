"""The store: one HDF5 file with the integers that the firmware sees, truth and baselines.

``docs/formats.md`` describes the file. It appears under its name only when it is complete.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role
from l1met_fpga.data.attributes import (
    CONVERSION_VERSION,
    FORMAT,
    SCHEMA_VERSION,
    Attributes,
    checksum,
    convert_again,
    read_attributes,
    stored_text,
)
from l1met_fpga.data.chunks import CHUNK_EVENTS, ChunkReader, Events, read_events
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.hdf5 import open_hdf5
from l1met_fpga.data.splits import Part
from l1met_fpga.data.truth import TRUTHS
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, REQUIRED_COLUMNS

__all__ = [
    "CONVERSION_VERSION",
    "FORMAT",
    "SCHEMA_VERSION",
    "Attributes",
    "Events",
    "Store",
    "is_store",
]

PER_EVENT: Final[dict[str, tuple[tuple[int, ...], str]]] = {
    "n_candidates": ((), "<i4"),
    "event_id": ((3,), "<u8"),
    "part": ((), "|i1"),
    "gen_met_xy_gev": ((2,), "<f4"),
    "puppi_met_xy_gev": ((2,), "<f4"),
}
"""Datasets beside the candidate columns: shape of one row, type."""
VERTEX: Final = "vertex_z0_cm"
BASELINES: Final = "baselines"
BASELINE_SUFFIX: Final = "_xy_gev"


class Store:
    """An open store; use it as a context manager.

    ``events`` arguments are slices or arrays of event numbers; results follow their order.
    """

    def __init__(self, file: h5py.File, path: Path) -> None:
        self.path = path
        self._file = file
        self._readers = self._check()
        self.attributes = read_attributes(file.attrs, path)

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open a store for reading.

        Raises:
            DataError: If the file is missing, no store, of another schema version, or damaged.
        """
        try:
            file = open_hdf5(Path(path))
        except FileNotFoundError:
            raise DataError(
                f"no store {path}; make one with `l1met convert` or `l1met simulate`"
            ) from None
        except OSError as err:
            raise DataError(_unreadable(path, err)) from None
        try:
            with _damage(path):
                return cls(file, Path(path))
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self._readers["n_candidates"].n_rows

    @property
    def label(self) -> str:
        """Sample label."""
        return self.attributes.label

    @property
    def role(self) -> Role:
        """Whether the sample is signal or pile-up-only background."""
        return self.attributes.role

    @property
    def is_background(self) -> bool:
        """Whether the events are pile-up only: rates come from them and their true MET is zero."""
        return self.role == "background"

    @property
    def identity(self) -> dict[str, Any]:
        """What this store is, for :func:`l1met_fpga.identity.require_same`; JSON values.

        ``content`` is the same in two stores that hold the same events in other parts.
        """
        about = self.attributes
        return {
            "label": about.label,
            "role": about.role,
            "order": about.order,
            "split_seed": about.split_seed,
            "split_fractions": list(about.split_fractions),
            "content": about.content,
            "schema_version": SCHEMA_VERSION,
            "conversion_version": about.conversion_version,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the candidate columns in the file, the required ones first."""
        return tuple(name for name in COLUMNS if f"candidates/{name}" in self._readers)

    def candidates(
        self, events: Events = slice(None), columns: Sequence[str] = REQUIRED_COLUMNS
    ) -> dict[str, npt.NDArray[np.int16]]:
        """Read candidate columns.

        Returns:
            int16, shape (n, 128), by column name; zero in empty slots.

        Raises:
            DataError: If the store has no such column, or is damaged.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            raise DataError(
                f"{self.path} has no column {', '.join(missing)}; it has {', '.join(self.columns)}"
            )
        return {name: self._read(f"candidates/{name}", events) for name in columns}

    @property
    def truths(self) -> tuple[str, ...]:
        """Names of the truths that the events have; a background sample has all of them."""
        return tuple(name for name in TRUTHS if self.is_background or name in self._readers)

    def truth(self, name: str, events: Events = slice(None)) -> npt.NDArray[np.float64]:
        """Read a truth: float64, first axis the events.

        NaN where the source had none; zero in all events of a background sample.

        Args:
            name: One of :data:`~l1met_fpga.data.truth.TRUTHS`.
            events: Which events.

        Raises:
            DataError: If the store has no such truth; says how to make one that has.
        """
        if name not in self.truths:
            title = TRUTHS[name].title if name in TRUTHS else "truth"
            raise DataError(
                f"{self.path} has no {title} ({name}); it has {', '.join(self.truths) or 'none'}. "
                "Convert files that hold it, and say where with --branch-map if the packaged maps "
                "do not know its branch; `l1met simulate` makes files with every truth"
            )
        if self.is_background:
            n = self.n_events if isinstance(events, slice) else len(events)
            n = len(range(*events.indices(n))) if isinstance(events, slice) else n
            return np.zeros((n, *TRUTHS[name].shape))
        return self._read(name, events).astype(np.float64)

    def examples(
        self,
        events: Events = slice(None),
        columns: Sequence[str] = REQUIRED_COLUMNS,
        *,
        truths: Sequence[str] = (),
    ) -> Examples:
        """Read events with all their candidates.

        Args:
            events: Which events.
            columns: Candidate columns, ``pt`` among them.
            truths: Names of the truths to read.

        Raises:
            DataError: If the store has no such column or truth, or is damaged.
        """
        return Examples.from_padded(
            self.candidates(events, columns),
            columns=columns,
            truth={name: self.truth(name, events) for name in truths},
            ids=self.event_id(events),
        )

    def puppi_met_xy_gev(self, events: Events = slice(None)) -> npt.NDArray[np.float64]:
        """Read the source's PUPPI MET, shape (n, 2); NaN where the source had none."""
        return self._read("puppi_met_xy_gev", events).astype(np.float64)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the MET of other algorithms that the source held."""
        prefix = f"{BASELINES}/"
        return tuple(
            name.removeprefix(prefix).removesuffix(BASELINE_SUFFIX)
            for name in self._readers
            if name.startswith(prefix)
        )

    def baseline_met_xy_gev(
        self, name: str, events: Events = slice(None)
    ) -> npt.NDArray[np.float64]:
        """Read the MET of another algorithm, shape (n, 2); NaN where the source had none.

        Raises:
            DataError: If the store has no such baseline.
        """
        if name not in self.baselines:
            has = ", ".join(self.baselines) or "none"
            raise DataError(f"{self.path} has no baseline {name}; it has {has}")
        return self._read(f"{BASELINES}/{name}{BASELINE_SUFFIX}", events).astype(np.float64)

    def n_candidates(self, events: Events = slice(None)) -> npt.NDArray[np.int64]:
        """Read the number of candidates before truncation, shape (n,)."""
        return self._read("n_candidates", events).astype(np.int64)

    def event_id(self, events: Events = slice(None)) -> npt.NDArray[np.uint64]:
        """Read run, luminosity block and event number, uint64, shape (n, 3)."""
        return self._read("event_id", events)

    def parts(self, events: Events = slice(None)) -> npt.NDArray[np.int8]:
        """Read the saved division into :class:`~l1met_fpga.data.splits.Part`, int8, shape (n,)."""
        return self._read("part", events)

    def events_of(self, part: Part) -> npt.NDArray[np.int64]:
        """Return the numbers of the events of one part, in file order."""
        return np.flatnonzero(self.parts() == part)

    @property
    def has_vertex(self) -> bool:
        """Whether the store has the z of the primary vertex."""
        return VERTEX in self._readers

    def vertex_z0_cm(self, events: Events = slice(None)) -> npt.NDArray[np.float64]:
        """Read the z of the primary vertex in cm, shape (n,); NaN where unknown.

        Raises:
            DataError: If the store has none.
        """
        if not self.has_vertex:
            raise DataError(f"{self.path} has no primary vertex; its sources had no such branch")
        return self._read(VERTEX, events).astype(np.float64)

    def _read(self, name: str, events: Events) -> npt.NDArray[Any]:
        return read_events(self._readers[name], events)

    def _check(self) -> dict[str, ChunkReader]:
        """Refuse anything but a whole store of this schema version; return its datasets."""
        kind = stored_text(self._file.attrs.get("format"))
        if kind != FORMAT:
            raise DataError(
                f"{self.path} is an HDF5 file but no store (no attribute format = {FORMAT!r}); "
                "convert it with `l1met convert`"
            )
        version = int(self._file.attrs["schema_version"])
        if version != SCHEMA_VERSION:
            again = convert_again(self._file.attrs, self.path)
            raise DataError(
                f"{self.path} has schema version {version}, this program reads version "
                f"{SCHEMA_VERSION}; {again}"
            )
        columns = [name for name in COLUMNS if name in self._file["candidates"]]
        wanted = dict(PER_EVENT)
        for name in {*REQUIRED_COLUMNS, *columns}:
            wanted[f"candidates/{name}"] = ((N_CANDIDATES,), "<i2")
        if VERTEX in self._file:
            wanted[VERTEX] = ((), "<f4")
        for name in self._file.get(BASELINES, ()):
            wanted[f"{BASELINES}/{name}"] = ((2,), "<f4")
        if int(self._file.attrs["checksum"]) != checksum(self._file.attrs):
            raise DataError(
                f"{self.path}: the attributes do not match their checksum; the file is damaged or "
                "was changed, copy it again or make it again"
            )
        n_events = int(self._file.attrs["n_events"])
        return {
            name: ChunkReader(self._check_dataset(name, (n_events, *row_shape), dtype))
            for name, (row_shape, dtype) in wanted.items()
        }

    def _check_dataset(self, name: str, shape: tuple[int, ...], dtype: str) -> h5py.Dataset:
        dataset = self._file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise DataError(f"{self.path} has no dataset {name}; it was not made by this program")
        if dataset.shape != shape or dataset.dtype != np.dtype(dtype):
            raise DataError(
                f"{self.path}: dataset {name} is {dataset.dtype} {dataset.shape}, expected {dtype} "
                f"{shape}; the file was changed after it was made"
            )
        if dataset.chunks != (CHUNK_EVENTS, *shape[1:]) or not dataset.shuffle:
            raise DataError(
                f"{self.path}: dataset {name} was repacked with other chunks or filters; use the "
                "file as it was made"
            )
        return dataset


def is_store(path: Path) -> bool:
    """Tell a store, also one of another version, from other files by its content."""
    try:
        with open_hdf5(path) as file:
            return bool(stored_text(file.attrs.get("format")) == FORMAT)
    except OSError:
        return False
    except (KeyError, RuntimeError, ValueError):  # damaged, which opening it as a store says
        return True


def _unreadable(path: Path, err: OSError) -> str:
    """Say what the system refuses, or else that the file is damaged."""
    if err.errno is not None:
        return f"cannot read {path}: {os.strerror(err.errno)}; check its permissions and the disk"
    return (
        f"{path} is not a readable HDF5 file ({err}); it is no store, or it was cut while it was "
        "copied"
    )


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what HDF5 and JSON say about a damaged file into one sentence."""
    try:
        yield
    except OSError as err:
        raise DataError(_unreadable(path, err)) from err
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as err:
        raise DataError(f"{path} is damaged ({err}); copy the file again or make it again") from err
