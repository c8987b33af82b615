"""The store: one HDF5 file with the integers that the firmware sees, truth and baselines.

``docs/formats.md`` describes the file. It appears under its name only when it is complete.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role
from l1met_fpga.data.attributes import (
    CONVERSION_VERSION,
    FORMAT,
    SCHEMA_VERSION,
    Attributes,
    read_attributes,
)
from l1met_fpga.data.chunks import Events, read_events
from l1met_fpga.data.collection import CollectionReader
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.hdf5 import open_hdf5
from l1met_fpga.data.layout import (
    BASELINES,
    CANDIDATES,
    ELEMENTS,
    EVENT_ID,
    JETS,
    N_BEFORE_CUT,
    N_PILEUP,
    PART,
    TRUTH,
    VERTEX,
)
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store_check import check_attributes, check_collections, check_examples
from l1met_fpga.data.store_file import damage_told, is_store, unreadable
from l1met_fpga.data.truth import BACKGROUND, TRUTHS
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES, REQUIRED_COLUMNS

__all__ = [
    "CONVERSION_VERSION",
    "FORMAT",
    "SCHEMA_VERSION",
    "Attributes",
    "Events",
    "Store",
    "is_store",
]


class Store:
    """An open store; use it as a context manager.

    ``events`` arguments are slices or arrays of event numbers; results follow their order.
    """

    def __init__(self, file: h5py.File, path: Path) -> None:
        self.path = path
        self._file = file
        check_attributes(file, path)
        self._readers = check_examples(file, path, int(file.attrs["n_events"]))
        self._collections = check_collections(file, path, int(file.attrs["n_events"]))
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
            raise DataError(unreadable(path, err)) from None
        try:
            with damage_told(path):
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
        return self._readers[EVENT_ID].n_rows

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
        """Whether the events are pile-up only: rates come from them, their truths are zero."""
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
    def collections(self) -> tuple[str, ...]:
        """Names of the collections of rows; ``candidates`` is one of them."""
        return tuple(self._collections)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the candidate columns in the file, the required ones first."""
        return self._collections[CANDIDATES].columns

    @property
    def truths(self) -> tuple[str, ...]:
        """Names of the truths that the events have; a background sample has all of them."""
        of_rows = [name for name, one in TRUTHS.items() if one.rows == self.attributes.rows]
        return tuple(n for n in of_rows if self.is_background or f"{TRUTH}{n}" in self._readers)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the estimates of other algorithms that the source held, with form and unit."""
        return tuple(
            name.removeprefix(BASELINES) for name in self._readers if name.startswith(BASELINES)
        )

    def examples(
        self,
        events: Events = slice(None),
        columns: Sequence[str] = REQUIRED_COLUMNS,
        *,
        truths: Sequence[str] = (),
        besides: Sequence[str] = (),
        collection: str = CANDIDATES,
    ) -> Examples:
        """Read events with all their rows.

        Args:
            events: Which events.
            columns: Columns of the collection.
            truths: Names of the truths to read.
            besides: Names of what else to read (:mod:`l1met_fpga.data.layout`).
            collection: Collection that the rows come from.

        Raises:
            DataError: If the store has no such column or truth, or is damaged.
        """
        reader = self._collection(collection, columns)
        numbers = self._numbers(events)
        wanted, place = np.unique(numbers, return_inverse=True)
        read, splits = reader.read(wanted, columns)
        found = Examples(
            read,
            splits,
            {name: self.truth(name, wanted) for name in truths},
            self.event_id(wanted),
            {name: self._read(name, wanted) for name in besides},
        )
        return found if np.array_equal(wanted, numbers) else found.take(place)

    def candidates(
        self, events: Events = slice(None), columns: Sequence[str] = REQUIRED_COLUMNS
    ) -> dict[str, npt.NDArray[np.int16]]:
        """Read candidate columns into fixed slots.

        Returns:
            int16, shape (n, 128), by column name; zero in empty slots.

        Raises:
            DataError: If the store has no such column, or is damaged.
        """
        return self.examples(events, columns).padded(N_CANDIDATES)

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
                f"{self.path} has no {title} ({name}); it has {', '.join(self.truths) or 'none'}. Make "
                "a store that has it: `l1met convert` files that hold it (--branch-map says in which "
                "branch, where the packaged maps do not know it), or files of `l1met simulate`"
            )
        if self.is_background:
            return np.full((len(self._numbers(events)), *TRUTHS[name].shape), BACKGROUND)
        return self._read(f"{TRUTH}{name}", events).astype(np.float64)

    def baseline(self, name: str, events: Events = slice(None)) -> npt.NDArray[np.float64]:
        """Read the estimate of another algorithm: float64, NaN where the source had none.

        Raises:
            DataError: If the store has no such baseline.
        """
        if name not in self.baselines:
            has = ", ".join(self.baselines) or "none"
            raise DataError(f"{self.path} has no baseline {name}; it has {has}")
        return self._read(f"{BASELINES}{name}", events).astype(np.float64)

    def n_candidates(self, events: Events = slice(None)) -> npt.NDArray[np.int64]:
        """Read the number of candidates before truncation, shape (n,)."""
        return self._read(N_BEFORE_CUT, events).astype(np.int64)

    def event_id(self, events: Events = slice(None)) -> npt.NDArray[np.uint64]:
        """Read run, luminosity block and event number, uint64, shape (n, 3)."""
        return self._read(EVENT_ID, events)

    def parts(self, events: Events = slice(None)) -> npt.NDArray[np.int8]:
        """Read the saved division into :class:`~l1met_fpga.data.splits.Part`, int8, shape (n,)."""
        return self._read(PART, events)

    def events_of(self, part: Part) -> npt.NDArray[np.int64]:
        """Return the numbers of the events of one part, in file order."""
        return np.flatnonzero(self.parts() == part)

    @property
    def has_n_pileup(self) -> bool:
        """Whether the store has the number of pile-up collisions (:data:`N_PILEUP`)."""
        return N_PILEUP in self._readers

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

    @property
    def jet_besides(self) -> tuple[str, ...]:
        """Names of what is known of jets besides their truth; none where rows are events."""
        return tuple(name for name in JETS if name in self._readers)

    @property
    def element_besides(self) -> tuple[str, ...]:
        """Names of what is known of elements besides their truth; none where rows are others."""
        return tuple(name for name in ELEMENTS if name in self._readers)

    def require_rows(self, rows: str) -> None:
        """Refuse a store whose examples are something else.

        Raises:
            DataError: Says how to get one.
        """
        if self.attributes.rows != rows:
            how = (
                f"`--format {rows}s`"
                if rows != "event"
                else "another `--format` than jets and elements"
            )
            raise DataError(
                f"{self.path}: one entry is one {self.attributes.rows}, this task needs one {rows}; "
                f"`l1met convert` with {how} makes such a store"
            )

    def _collection(self, name: str, columns: Sequence[str]) -> CollectionReader:
        if name not in self._collections:
            raise DataError(
                f"{self.path} has no collection {name}; it has {', '.join(self.collections)}"
            )
        reader = self._collections[name]
        missing = [column for column in columns if column not in reader.columns]
        if missing:
            raise DataError(
                f"{self.path} has no column {', '.join(missing)}; it has {', '.join(reader.columns)}"
            )
        return reader

    def _numbers(self, events: Events) -> npt.NDArray[np.int64]:
        """Return event numbers, none of them outside."""
        if isinstance(events, slice):
            return np.arange(*events.indices(self.n_events))
        numbers = np.asarray(events, np.int64)
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < self.n_events):
            raise IndexError(f"event numbers must lie in 0 to {self.n_events - 1}")
        return numbers

    def _read(self, name: str, events: Events) -> npt.NDArray[Any]:
        return read_events(self._readers[name], events)
