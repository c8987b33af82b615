"""One truth on its way into a store."""

from collections import Counter

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role
from l1met_fpga.data.chunks import ChunkWriter, create_dataset
from l1met_fpga.data.content import ContentHash
from l1met_fpga.data.layout import TRUTH, dataset_of
from l1met_fpga.data.truth import BACKGROUND, Quantity, size_of

__all__ = ["TruthWriter"]

Floats = npt.NDArray[np.float64]


class TruthWriter:
    """Appends the values of one truth.

    A truth that is zero in all events of a file was never filled (a class may be): values wait as
    long as they are, at the end of the file they become unknown. Those of background events are known: zero, and not
    written.

    Args:
        file: Open file.
        quantity: The truth.
        role: What the sample is for.
        counts: Counts ``KEY_missing``, ``KEY_all_zero``, ``KEY_mostly_zero`` (of vectors: a sum may
            well be zero) and ``background_KEY``.
        content: Digest of what is written.
    """

    def __init__(
        self,
        file: h5py.File,
        quantity: Quantity,
        role: Role,
        counts: Counter[str],
        content: ContentHash,
    ) -> None:
        self.name = quantity.name
        self._quantity = quantity
        self._is_background = role == "background"
        self._counts = counts
        self._content = content
        self._dataset = f"{TRUTH}{quantity.name}"
        self._writer = (
            None
            if self._is_background
            else ChunkWriter(create_dataset(file, self._dataset, *dataset_of(self._dataset)))
        )
        self._waiting: list[Floats] = []
        self._is_filled = self._means_by_itself = quantity.unit == "class"
        self._n_known = self._n_zero = 0

    def append(self, values: Floats | None, n: int) -> None:
        """Add the values of ``n`` events, or that none is known."""
        values = self._quantity.unknown(n) if values is None else values
        is_other = bool((np.nan_to_num(values) != BACKGROUND).any())
        if self._is_background:
            other = np.nan_to_num(values).reshape(n, -1) != BACKGROUND
            self._counts[f"background_{self._quantity.key}"] += int(other.any(axis=1).sum())
            return
        self._waiting.append(values)
        self._is_filled |= is_other
        if self._is_filled:
            self._write_waiting()

    def end_of_source(self) -> None:
        """Make what still waits unknown; the events of another file follow."""
        for values in self._waiting:
            zero = self._quantity.is_known(values)
            self._counts[f"{self._quantity.key}_all_zero"] += int(zero.sum())
        self._waiting = [self._quantity.unknown(len(values)) for values in self._waiting]
        self._write_waiting()
        self._is_filled = self._means_by_itself

    def finish(self) -> None:
        """Write what still waits as it is."""
        self._write_waiting()
        if self._quantity.kind == "vector" and 2 * self._n_zero > self._n_known:
            self._counts[f"{self._quantity.key}_mostly_zero"] = self._n_zero
        if self._writer is not None:
            self._writer.finish()

    def _write_waiting(self) -> None:
        for values in self._waiting:
            known = self._quantity.is_known(values)
            self._counts[f"{self._quantity.key}_missing"] += int((~known).sum())
            self._n_known += int(known.sum())
            self._n_zero += int((size_of(values[known]) == 0).sum())
            self._content.add(self._dataset, values)
            if self._writer is not None:
                self._writer.append(values)
        self._waiting = []
