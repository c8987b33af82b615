"""Digest of what a store holds, made while events go by."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.batch import EventBatch
from l1met_fpga.identity import content_digest

__all__ = ["ContentHash"]

_DTYPES: Final[Mapping[str, str]] = {
    "counts": "<i4",
    "n_candidates": "<i4",
    "event_id": "<u8",
    "gen_met_xy_gev": "<f4",
    "puppi_met_xy_gev": "<f4",
}


class ContentHash:
    """Hash of events in their order, whatever the batches they come in.

    The parts (training, validation, test) are not in it: label, seed and fractions decide them,
    so stores that hold the same events in other parts have the same digest.
    """

    def __init__(self) -> None:
        self._hashes: dict[str, Any] = {}

    def add(self, batch: EventBatch) -> None:
        """Add events, all with the same columns and baselines."""
        for name, dtype in _DTYPES.items():
            self._add(name, getattr(batch, name), dtype)
        for name, column in batch.columns.items():
            self._add(f"candidates/{name}", column, "<i2")
        for name, met in batch.baselines.items():
            self._add(f"baselines/{name}", met, "<f4")
        if batch.vertex_z0_cm is not None:
            self._add("vertex_z0_cm", batch.vertex_z0_cm, "<f4")

    def _add(self, name: str, values: npt.NDArray[Any], dtype: str) -> None:
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.nan, values)  # a NaN has many bit patterns
        plain = np.ascontiguousarray(values, dtype).reshape(-1)
        self._hashes.setdefault(name, hashlib.sha256()).update(plain.data)

    def digest(self) -> str:
        """Return 32 hexadecimal digits for all events added so far."""
        return content_digest({name: h.hexdigest() for name, h in self._hashes.items()})
