"""Bins of the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray

__all__ = ["MIN_EVENTS", "RESOLUTION_BINS", "Bins"]

MIN_EVENTS: Final = 10
"""Bins with fewer events have no widths (NaN): two percentiles of a handful mean nothing."""


@dataclass(frozen=True)
class Bins:
    """Half-open bins ``[low, high)``; the last edge may be infinite (an open bin).

    Attributes:
        edges_gev: Increasing edges, at least two.
    """

    edges_gev: tuple[float, ...]

    def __post_init__(self) -> None:
        edges = np.asarray(self.edges_gev, dtype=np.float64)
        if len(edges) < 2 or np.isnan(edges).any() or (np.diff(edges) <= 0).any():
            raise DataError(f"bin edges must be two or more increasing numbers, got {edges}")

    def __len__(self) -> int:
        return len(self.edges_gev) - 1

    @classmethod
    def of(cls, edges_gev: Sequence[float]) -> "Bins":
        """Make bins from any sequence of edges."""
        return cls(tuple(float(edge) for edge in edges_gev))

    def index(self, values_gev: FloatArray) -> npt.NDArray[np.intp]:
        """Return the bin of each value, -1 outside."""
        index = np.searchsorted(np.asarray(self.edges_gev), values_gev, side="right") - 1
        index[(index >= len(self)) | ~np.isfinite(values_gev)] = -1
        return index

    @property
    def labels(self) -> tuple[str, ...]:
        """``"40-80"`` for closed bins and ``"> 300"`` for the open one."""
        pairs = zip(self.edges_gev[:-1], self.edges_gev[1:], strict=True)
        return tuple(f"{a:g}-{b:g}" if np.isfinite(b) else f"> {a:g}" for a, b in pairs)


RESOLUTION_BINS: Final = Bins.of(EvaluationConfig().resolution_edges_gev)
"""Those of the configuration's defaults."""
