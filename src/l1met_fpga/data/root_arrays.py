"""The branches of one step of a ROOT file as plain NumPy arrays."""

from collections.abc import Mapping
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError

__all__ = ["EventArrays"]

Flat = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]

_EXACT_FLOAT: Final = {2: 1 << 11, 4: 1 << 24, 8: 1 << 53}
"""Up to here a float of so many bytes holds every integer."""


class EventArrays:
    """Values per event and per candidate.

    Args:
        arrays: By branch.
        pt_branch: Branch that says how many candidates there are.
        count_branch: Branch that says the same; needed where pt is an array of fixed size.
    """

    def __init__(
        self, arrays: Mapping[str, ak.Array], pt_branch: str, count_branch: str | None
    ) -> None:
        self._layouts = {name: ak.to_layout(array) for name, array in arrays.items()}
        self._types = {name: array.type for name, array in arrays.items()}
        self._pt_branch = pt_branch
        self._promised = self.integers(count_branch).astype(np.int64) if count_branch else None
        self.counts = self._counts(pt_branch)
        if count_branch and self._promised is not None:
            self._check_counter(count_branch, self._promised)

    def per_candidate(self, branch: str) -> Flat:
        """Return the values of all candidates, one event after the other.

        Raises:
            DataError: If there is not one value per candidate.
        """
        lengths = self._counts(branch)
        wrong = lengths != self.counts
        if wrong.any():
            first = int(np.argmax(wrong))
            raise DataError(
                f"counts disagree: {branch} has {lengths[first]} entries where {self._pt_branch} "
                f"has {self.counts[first]} (event {first} of these, {int(wrong.sum())} events in "
                "all); the file is damaged"
            )
        table = self._fixed(branch)
        if table is not None:
            return table[np.arange(table.shape[1]) < self.counts[:, None]]
        offsets, content = self._jagged(branch)
        return content[offsets[0] : offsets[-1]]

    def per_event(self, branch: str) -> Flat:
        """Return one number per event.

        Raises:
            DataError: If the branch holds something else.
        """
        layout = self._layouts[branch]
        table = self._fixed(branch)
        if table is not None and table.shape[1] == 1:
            return table[:, 0]
        if not isinstance(layout, ak.contents.NumpyArray) or layout.data.ndim != 1:
            raise DataError(
                f"branch {branch} must hold one number per event, got {self._types[branch]}"
            )
        return _widened(layout.data)

    def integers(self, branch: str) -> npt.NDArray[np.uint64]:
        """Return one integer per event that is not negative, also if it is stored as a float.

        Raises:
            DataError: If a value is something else.
        """
        values = self.per_event(branch)
        if values.dtype.kind == "b":
            values = values.astype(np.uint8)
        good = values >= 0
        if values.dtype.kind == "f":
            # A NaN fails every comparison.
            top = _EXACT_FLOAT[values.dtype.itemsize]
            good &= (values < top) & (values == np.floor(values))
        if not good.all():
            raise DataError(
                f"branch {branch} must hold integers that are not negative, got "
                f"{values[~good][0]} ({values.dtype}, {int((~good).sum())} events)"
            )
        return values.astype(np.uint64)

    def first_per_event(self, branch: str) -> npt.NDArray[np.float64]:
        """Return one number per event, or the first of a list; NaN where the list is empty."""
        if isinstance(self._layouts[branch], ak.contents.NumpyArray):
            table = self._fixed(branch)
            return (self.per_event(branch) if table is None else table[:, 0]).astype(np.float64)
        offsets, content = self._jagged(branch)
        result = np.full(len(offsets) - 1, np.nan)
        filled = np.diff(offsets) > 0
        result[filled] = content[offsets[:-1][filled]]
        return result

    def _counts(self, branch: str) -> Counts:
        """Return how many values of a branch each event has."""
        table = self._fixed(branch)
        if table is None:
            return np.diff(self._jagged(branch)[0]).astype(np.int64)
        if self._promised is None:
            raise DataError(
                f"branch {branch} has {table.shape[1]} slots for every event, and no branch says how "
                "many are filled; name one as `count` in a branch map (--branch-map)"
            )
        if self._promised.size and self._promised.max() > table.shape[1]:
            raise DataError(
                f"branch {branch} has {table.shape[1]} slots for every event, but up to "
                f"{self._promised.max()} are said to be filled; the file is damaged"
            )
        return self._promised

    def _fixed(self, branch: str) -> Flat | None:
        """Return an array of fixed size per event, shape (n_events, n); None if it is none."""
        layout = self._layouts[branch]
        data = getattr(layout, "data", None)
        if isinstance(layout, ak.contents.RegularArray):
            inner = getattr(layout.content, "data", None)
            if inner is not None and inner.ndim == 1:
                data = inner[: len(layout) * layout.size].reshape(len(layout), layout.size)
        return _widened(data) if data is not None and data.ndim == 2 else None

    def _jagged(self, branch: str) -> tuple[Counts, Flat]:
        layout = self._layouts[branch]
        if isinstance(layout, ak.contents.ListArray):
            layout = layout.to_ListOffsetArray64(True)
        if not (
            isinstance(layout, ak.contents.ListOffsetArray)
            and layout.parameter("__array__") is None  # a string is a list of bytes
            and isinstance(layout.content, ak.contents.NumpyArray)
            and layout.content.data.ndim == 1
            and layout.content.data.dtype != np.bool_
        ):
            raise DataError(
                f"branch {branch} must hold a list of numbers per event, got {self._types[branch]}"
            )
        return np.asarray(layout.offsets.data), _widened(layout.content.data)

    def _check_counter(self, branch: str, promised: Counts) -> None:
        wrong = promised != self.counts
        if wrong.any():
            first = int(np.argmax(wrong))
            raise DataError(
                f"counts disagree: {branch} is {promised[first]} where {self._pt_branch} has "
                f"{self.counts[first]} entries (event {first} of these, {int(wrong.sum())} events "
                "in all); the file is damaged"
            )


def _widened(values: Any) -> Flat:
    """Return a NumPy array; half precision becomes single, whose products do not overflow."""
    array = np.asarray(values)
    return array.astype(np.float32) if array.dtype == np.float16 else array
