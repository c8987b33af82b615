"""Digest of what a store holds, made while events go by."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.layout import EVENT_ID, dataset_of
from l1met_fpga.identity import content_digest

__all__ = ["ContentHash"]


class ContentHash:
    """Hash of events in their order, whatever the batches they come in.

    The parts (training, validation, test) are not in it: label, seed and fractions decide them,
    so stores that hold the same events in other parts have the same digest.
    """

    def __init__(self) -> None:
        self._hashes: dict[str, Any] = {}

    def add_rows(
        self, collection: str, columns: Mapping[str, npt.NDArray[np.int16]], counts: npt.ArrayLike
    ) -> None:
        """Add the rows of events, and how many each of them has."""
        self._add(f"{collection} of each event", np.asarray(counts), "<i4")
        for name, codes in columns.items():
            self._add(f"{collection}/{name}", codes, "<i2")

    def add_ids(self, ids: npt.NDArray[np.uint64]) -> None:
        """Add run, luminosity block and event number of events."""
        self._add(EVENT_ID, ids, "<u8")

    def add(self, name: str, values: npt.NDArray[Any]) -> None:
        """Add what is known of events under a name of :mod:`l1met_fpga.data.layout`."""
        self._add(name, values, dataset_of(name)[1])

    def _add(self, name: str, values: npt.NDArray[Any], dtype: str) -> None:
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.nan, values)  # a NaN has many bit patterns
        plain = np.ascontiguousarray(values, dtype).reshape(-1)
        self._hashes.setdefault(name, hashlib.sha256()).update(plain.data)

    def digest(self) -> str:
        """Return 32 hexadecimal digits for all events added so far."""
        return content_digest({name: h.hexdigest() for name, h in self._hashes.items()})
