"""Tables of weights on candidates, fitted by least squares: what a network must beat.

An estimate is ``sum_i w(cell of i) x_i``, where x_i is what candidate i gives: its momentum with the
opposite sign for MET, its pt for HT. One cell for all candidates is the best constant, one per
particle type the per-type constants, one per pt x |eta| x type the table. A small pull towards
weight 1 (a prior of width 1) keeps cells without data at the plain sum.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray, check_same_length
from l1met_fpga.puppi.columns import COLUMNS, PARTICLE_KINDS, PT_LSB_GEV, Candidates, ParticleId

__all__ = [
    "ABS_ETA_EDGES",
    "GRIDS",
    "PT_EDGES_GEV",
    "TABLE",
    "CellGrid",
    "Summand",
    "WeightTable",
    "fit_weights",
    "weighted_sum",
]

Summand = Callable[[Candidates], FloatArray]
"""What every slot adds with weight 1, shape (n_events, n_slots, size); 0 in empty ones."""

PT_EDGES_GEV: Final = (0.0, 2.5, 4.0, 7.0, 15.0, 40.0, float("inf"))
ABS_ETA_EDGES: Final = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, float("inf"))
EVENTS_PER_STEP: Final = 4096


@dataclass(frozen=True, slots=True)
class CellGrid:
    """Cells in particle type x |eta| x pt.

    Attributes:
        types: Particle ids of each type; one tuple with all ids ignores the type.
        abs_eta_edges: Edges of |eta|, the last infinite.
        pt_edges_gev: Edges of pt, the last infinite.
    """

    types: tuple[tuple[ParticleId, ...], ...]
    abs_eta_edges: tuple[float, ...] = (0.0, float("inf"))
    pt_edges_gev: tuple[float, ...] = (0.0, float("inf"))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of types, |eta| bins and pt bins."""
        return len(self.types), len(self.abs_eta_edges) - 1, len(self.pt_edges_gev) - 1

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def cell(self, candidates: Candidates) -> npt.NDArray[np.int64]:
        """Return the cell of every slot, shape (n_events, n_slots); empty slots get one too."""
        type_of = np.zeros(len(ParticleId), dtype=np.int64)
        for index, ids in enumerate(self.types):
            type_of[list(ids)] = index
        abs_eta = np.abs(candidates["eta"].astype(np.float64)) * COLUMNS["eta"].lsb
        pt_gev = candidates["pt"] * PT_LSB_GEV
        eta_bin = np.searchsorted(self.abs_eta_edges[1:-1], abs_eta, side="right")
        pt_bin = np.searchsorted(self.pt_edges_gev[1:-1], pt_gev, side="right")
        return np.ravel_multi_index((type_of[candidates["pid"]], eta_bin, pt_bin), self.shape)


ALL: Final = CellGrid((tuple(ParticleId),))
TYPES: Final = CellGrid(tuple(PARTICLE_KINDS.values()))
TABLE: Final = CellGrid(tuple(PARTICLE_KINDS.values()), ABS_ETA_EDGES, PT_EDGES_GEV)
GRIDS: Final = {"scaled_puppi": ALL, "per_type": TYPES, "table": TABLE}
"""Grids by the name of the baseline that is fitted with them, coarse to fine."""


@dataclass(frozen=True, slots=True)
class WeightTable:
    """Weights per cell.

    Attributes:
        grid: The cells.
        weights: Shape ``grid.shape``.
        candidates: Candidates seen per cell during the fit, same shape.
    """

    grid: CellGrid
    weights: FloatArray
    candidates: npt.NDArray[np.int64]

    def weighted_sum(self, candidates: Candidates, summand: Summand) -> FloatArray:
        """Return the weighted sum of what candidates give, shape (n_events, size)."""
        flat = self.weights.ravel()
        return weighted_sum(candidates, lambda some: flat[self.grid.cell(some)], summand)

    def to_json(self) -> dict[str, Any]:
        """Return edges and weights for ``metrics.json``."""
        return {
            "types": [[p.name.lower() for p in ids] for ids in self.grid.types],
            "abs_eta_edges": [None if np.isinf(e) else e for e in self.grid.abs_eta_edges],
            "pt_edges_gev": [None if np.isinf(e) else e for e in self.grid.pt_edges_gev],
            "weights": self.weights.round(6).tolist(),
        }


def weighted_sum(
    candidates: Candidates, weights: Callable[[Candidates], FloatArray], summand: Summand
) -> FloatArray:
    """Return the sum of what candidates give, each with its weight, shape (n_events, size).

    Args:
        candidates: Columns, shape (n_events, n_slots).
        weights: Gives the weight of every slot of some events, shape (n, n_slots).
        summand: What every slot gives.
    """
    parts = [
        np.einsum("es,esd->ed", weights(chunk), summand(chunk)) for chunk, _ in _steps(candidates)
    ]
    return np.concatenate(parts) if parts else summand(candidates).sum(axis=1)


def _steps(candidates: Candidates) -> Iterator[tuple[dict[str, npt.NDArray[np.int16]], slice]]:
    """Yield a few thousand events at a time."""
    n_events = len(candidates["pt"])
    for start in range(0, n_events, EVENTS_PER_STEP):
        part = slice(start, min(start + EVENTS_PER_STEP, n_events))
        yield {name: column[part] for name, column in candidates.items()}, part


def _pools(
    candidates: Candidates, grid: CellGrid, summand: Summand
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return sums per event and cell, shape (n, size, n_cells), and the candidates per cell."""
    cell, n_events = grid.cell(candidates), len(candidates["pt"])
    flat = (cell + np.arange(n_events)[:, None] * len(grid)).ravel()
    given = summand(candidates)
    pools = np.stack(
        [
            np.bincount(flat, given[..., k].ravel(), minlength=n_events * len(grid))
            for k in range(given.shape[-1])
        ]
    )
    seen = np.bincount(cell[candidates["pt"] > 0], minlength=len(grid)).astype(np.int64)
    by_event = pools.reshape(-1, n_events, len(grid)).swapaxes(0, 1)
    return np.asarray(by_event, np.float64), seen


def fit_weights(
    candidates: Candidates,
    target: FloatArray,
    grid: CellGrid,
    *,
    summand: Summand,
    plain: FloatArray,
) -> WeightTable:
    """Fit one weight per cell so that the weighted sum is close to a target.

    The target is the truth for a baseline, or a network's own output: then the weights are the
    network's mean weight per cell, whatever its architecture.

    Args:
        candidates: Columns ``pt``, ``eta``, ``phi``, ``pid``.
        target: Shape (n, size).
        grid: The cells.
        summand: What every slot gives.
        plain: The sum with every weight 1, shape (n, size).

    Raises:
        DataError: If there is no event or lengths differ.
    """
    check_same_length({"candidates": candidates["pt"], "target": target})
    if len(target) == 0:
        raise DataError("cannot fit weights on no event; give a training sample")
    gram, right = np.zeros((len(grid), len(grid))), np.zeros(len(grid))
    seen = np.zeros(len(grid), dtype=np.int64)
    variance = float(np.mean((target - plain) ** 2))
    for chunk, part in _steps(candidates):
        pools, counts = _pools(chunk, grid, summand)
        flat = pools.reshape(-1, len(grid))
        gram += flat.T @ flat
        right += flat.T @ target[part].ravel()
        seen += counts
    prior = max(variance, 1e-6) * np.eye(len(grid))
    weights = np.linalg.solve(gram + prior, right + prior.sum(axis=1))
    return WeightTable(grid, weights.reshape(grid.shape), seen.reshape(grid.shape))
