"""Examples: what a network learns from and is measured on, ragged, with truth by name.

An example is an event (or a jet) with any number of rows, its candidates. Rows of all examples lie
one after the other; fixed slots exist only where somebody asks for them (:meth:`Examples.padded`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import Candidates

__all__ = ["Examples", "in_slots", "rows_between"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples with their rows.

    Attributes:
        columns: Hardware integers by column name, int16, shape (n_rows,), ``pt > 0``.
        row_splits: Borders between examples, int64, shape (n_examples + 1,), from 0 to n_rows.
        truth: What a network is to give, by name (:data:`~l1met_fpga.data.truth.TRUTHS`); float64,
            first axis the examples, NaN where unknown.
        ids: Run, luminosity block and event number, uint64, shape (n_examples, 3).
        besides: What else is known of each example: by the name of its dataset
            (:mod:`l1met_fpga.data.layout`) where it comes from a source or a store.
    """

    columns: dict[str, npt.NDArray[np.int16]]
    row_splits: Rows
    truth: dict[str, npt.NDArray[np.float64]]
    ids: npt.NDArray[np.uint64]
    besides: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        counts: npt.NDArray[Any],
        columns: Mapping[str, npt.NDArray[np.int16]],
        *,
        truth: Mapping[str, npt.NDArray[np.float64]] | None = None,
        ids: npt.NDArray[np.uint64] | None = None,
        besides: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> "Examples":
        """Put together what is known; examples without ``ids`` have zeros there.

        Args:
            counts: Rows of each example, shape (n_examples,).
            columns: As the attribute.
            truth: As the attribute.
            ids: As the attribute.
            besides: As the attribute.
        """
        ids = np.zeros((len(counts), 3), np.uint64) if ids is None else ids
        return cls(dict(columns), _splits(counts), dict(truth or {}), ids, dict(besides or {}))

    @classmethod
    def from_padded(
        cls,
        candidates: Candidates,
        *,
        columns: Sequence[str],
        truth: Mapping[str, npt.NDArray[np.float64]],
        ids: npt.NDArray[np.uint64],
        besides: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> "Examples":
        """Drop the empty slots of fixed ones.

        Args:
            candidates: Columns, shape (n_examples, n_slots), ``pt`` among them.
            columns: Columns to keep.
            truth: As the attribute.
            ids: As the attribute.
            besides: As the attribute.
        """
        filled = np.asarray(candidates["pt"]) > 0
        flat = {name: np.asarray(candidates[name])[filled] for name in columns}
        return cls.of(filled.sum(axis=1), flat, truth=truth, ids=ids, besides=besides)

    @staticmethod
    def concatenate(parts: Sequence["Examples"]) -> "Examples":
        """Put examples with the same names behind one another."""
        first = parts[0]
        return Examples(
            {
                name: np.concatenate([part.columns[name] for part in parts])
                for name in first.columns
            },
            _splits(np.concatenate([part.counts for part in parts])),
            {name: np.concatenate([part.truth[name] for part in parts]) for name in first.truth},
            np.concatenate([part.ids for part in parts]),
            {
                name: np.concatenate([part.besides[name] for part in parts])
                for name in first.besides
            },
        )

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    @property
    def n_rows(self) -> int:
        """Rows of all examples."""
        return int(self.row_splits[-1])

    @property
    def counts(self) -> Rows:
        """Rows of each example."""
        return np.diff(self.row_splits)

    @property
    def example_of_rows(self) -> Rows:
        """Example of each row."""
        return np.repeat(np.arange(len(self)), self.counts)

    def select_rows(self, chosen: npt.NDArray[np.bool_]) -> "Examples":
        """Keep the rows where ``chosen``, shape (n_rows,), is true."""
        kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(chosen)])
        return replace(
            self,
            columns={name: codes[chosen] for name, codes in self.columns.items()},
            row_splits=kept[self.row_splits],
        )

    def rows_of(self, examples: npt.NDArray[np.int64]) -> tuple[Rows, Rows]:
        """Return the rows of some examples, in that order, and the borders between them."""
        return rows_between(self.row_splits, examples)

    def take(self, examples: npt.NDArray[np.int64]) -> "Examples":
        """Return some examples, in that order."""
        rows, splits = self.rows_of(examples)
        return Examples(
            {name: codes[rows] for name, codes in self.columns.items()},
            splits,
            {name: values[examples] for name, values in self.truth.items()},
            self.ids[examples],
            {name: values[examples] for name, values in self.besides.items()},
        )

    def first_rows(self, n_slots: int) -> "Examples":
        """Return what a network of so many slots sees: the first rows of each example."""
        place = np.arange(self.n_rows) - np.repeat(self.row_splits[:-1], self.counts)
        return self.select_rows(place < n_slots)

    def padded(self, n_slots: int) -> dict[str, npt.NDArray[np.int16]]:
        """Return the columns in fixed slots, zero behind the last row, shape (n, n_slots).

        Raises:
            ValueError: If an example has more rows.
        """
        if len(self) and int(self.counts.max()) > n_slots:
            raise ValueError(f"an example has {int(self.counts.max())} rows, more than {n_slots}")
        return in_slots(self.columns, self.counts, n_slots)


def rows_between(row_splits: Rows, chosen: npt.NDArray[Any]) -> tuple[Rows, Rows]:
    """Return the rows of some examples of ragged columns, in that order, and the borders between them.

    Args:
        row_splits: Borders between all examples, shape (n + 1,).
        chosen: Numbers of examples.
    """
    first, counts = row_splits[chosen], np.diff(row_splits)[chosen]
    splits = _splits(counts)
    return np.arange(splits[-1]) + np.repeat(first - splits[:-1], counts), splits


def in_slots(
    columns: Mapping[str, npt.NDArray[Any]], counts: npt.NDArray[Any], n_slots: int
) -> dict[str, npt.NDArray[Any]]:
    """Put ragged columns into fixed slots, zero behind the last row.

    Args:
        columns: Shape (n_rows,).
        counts: Rows of each example, shape (n,), none of them more than ``n_slots``.
        n_slots: Slots of each example.

    Returns:
        The columns, shape (n, n_slots), each of its own type.
    """
    filled = np.arange(n_slots) < counts[:, None]
    found = {name: np.zeros(filled.shape, values.dtype) for name, values in columns.items()}
    for name, slots in found.items():
        slots[filled] = columns[name]
    return found


def _splits(counts: npt.NDArray[Any]) -> Rows:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
