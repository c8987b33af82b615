"""Baselines that a network must beat, fitted by least squares on training events only.

All are weights on PUPPI candidates: ``MET = -sum_i w(cell of i) p_i``. One cell for all candidates
is the best constant, one per particle type the per-type constants, one per pt x |eta| x type the
table. A small pull towards weight 1 (a prior of width 1) keeps cells without data at PUPPI MET.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray, check_met_xy, check_same_length
from l1met_fpga.puppi.columns import COLUMNS, PARTICLE_KINDS, PT_LSB_GEV, Candidates, ParticleId
from l1met_fpga.puppi.sums import momentum_xy_gev, puppi_met_xy_gev

__all__ = [
    "ABS_ETA_EDGES",
    "PT_EDGES_GEV",
    "TABLE",
    "CellGrid",
    "WeightTable",
    "fit_baselines",
    "fit_weights",
]

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

    def met_xy_gev(self, candidates: Candidates) -> FloatArray:
        """Return the weighted MET, shape (n_events, 2)."""
        flat = self.weights.ravel()
        parts = [
            -np.einsum("es,esd->ed", flat[self.grid.cell(chunk)], momentum_xy_gev(chunk))
            for chunk, _ in _steps(candidates)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 2))

    def to_json(self) -> dict[str, Any]:
        """Return edges and weights for ``metrics.json``."""
        return {
            "types": [[p.name.lower() for p in ids] for ids in self.grid.types],
            "abs_eta_edges": [None if np.isinf(e) else e for e in self.grid.abs_eta_edges],
            "pt_edges_gev": [None if np.isinf(e) else e for e in self.grid.pt_edges_gev],
            "weights": self.weights.round(6).tolist(),
        }


def _steps(candidates: Candidates) -> Iterator[tuple[dict[str, npt.NDArray[np.int16]], slice]]:
    """Yield a few thousand events at a time."""
    n_events = len(candidates["pt"])
    for start in range(0, n_events, EVENTS_PER_STEP):
        part = slice(start, min(start + EVENTS_PER_STEP, n_events))
        yield {name: column[part] for name, column in candidates.items()}, part


def _pools(candidates: Candidates, grid: CellGrid) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return ``-sum p`` per event and cell, shape (n, 2, n_cells), and the candidates per cell."""
    cell, n_events = grid.cell(candidates), len(candidates["pt"])
    flat = (cell + np.arange(n_events)[:, None] * len(grid)).ravel()
    momentum = momentum_xy_gev(candidates)
    pools = np.stack(
        [
            -np.bincount(flat, momentum[..., axis].ravel(), minlength=n_events * len(grid))
            for axis in range(2)
        ]
    )
    seen = np.bincount(cell[candidates["pt"] > 0], minlength=len(grid)).astype(np.int64)
    by_event = pools.reshape(2, n_events, len(grid)).swapaxes(0, 1)
    return np.asarray(by_event, np.float64), seen


def fit_weights(
    candidates: Candidates, target_met_xy_gev: npt.ArrayLike, grid: CellGrid
) -> WeightTable:
    """Fit one weight per cell so that the weighted MET is close to a target.

    The target is the generator MET for a baseline, or a network's own output: then the weights are
    the network's mean weight per cell, whatever its architecture.

    Args:
        candidates: Columns ``pt``, ``eta``, ``phi``, ``pid``.
        target_met_xy_gev: Shape (n, 2), GeV.
        grid: The cells.

    Raises:
        DataError: If there is no event, lengths differ, or the target is not finite.
    """
    target = check_met_xy(target_met_xy_gev, name="target of the fit")
    check_same_length({"candidates": candidates["pt"], "target": target})
    if len(target) == 0:
        raise DataError("cannot fit weights on no event; give a training sample")
    gram, right = np.zeros((len(grid), len(grid))), np.zeros(len(grid))
    seen = np.zeros(len(grid), dtype=np.int64)
    variance = float(np.mean((target - puppi_met_xy_gev(candidates)) ** 2))
    for chunk, part in _steps(candidates):
        pools, counts = _pools(chunk, grid)
        flat = pools.reshape(-1, len(grid))
        gram += flat.T @ flat
        right += flat.T @ target[part].ravel()
        seen += counts
    prior = max(variance, 1e-6) * np.eye(len(grid))
    weights = np.linalg.solve(gram + prior, right + prior.sum(axis=1))
    return WeightTable(grid, weights.reshape(grid.shape), seen.reshape(grid.shape))


def fit_baselines(candidates: Candidates, gen_met_xy_gev: npt.ArrayLike) -> dict[str, WeightTable]:
    """Fit ``scaled_puppi``, ``per_type`` and ``table`` on training events."""
    grids = {"scaled_puppi": ALL, "per_type": TYPES, "table": TABLE}
    return {name: fit_weights(candidates, gen_met_xy_gev, grid) for name, grid in grids.items()}
