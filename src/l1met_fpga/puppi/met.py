"""PUPPI MET from hardware integers, in floating point.

The ``pt`` of an L1 PUPPI candidate is already weighted, so the PUPPI weight does not enter.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN, PT_LSB_GEV, Candidates

__all__ = ["momentum_xy_gev", "puppi_met_xy_gev", "unit_vectors"]


def _unit_table() -> npt.NDArray[np.float64]:
    counts = np.arange(PHI_COUNTS_PER_TURN)
    angle = np.where(counts > PHI_COUNTS_PER_TURN // 2, counts - PHI_COUNTS_PER_TURN, counts)
    return np.stack([np.cos(angle * ANGLE_LSB_RAD), np.sin(angle * ANGLE_LSB_RAD)], axis=-1)


_UNIT_VECTORS: Final = _unit_table()


def unit_vectors(phi: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Return cos and sin of phi counts (taken modulo 1440), shape (..., 2)."""
    return _UNIT_VECTORS[phi.astype(np.int64) % PHI_COUNTS_PER_TURN]


def momentum_xy_gev(candidates: Candidates) -> npt.NDArray[np.float64]:
    """Return px, py of every candidate, GeV, shape (n_events, n_slots, 2)."""
    return (candidates["pt"] * PT_LSB_GEV)[..., None] * unit_vectors(candidates["phi"])


def puppi_met_xy_gev(candidates: Candidates) -> npt.NDArray[np.float64]:
    """Return the PUPPI MET, minus the sum of the candidates' momenta.

    Args:
        candidates: ``pt`` and ``phi`` counts, shape (n_events, n_slots).

    Returns:
        px, py in GeV, float64, shape (n_events, 2).
    """
    pt_gev = candidates["pt"] * PT_LSB_GEV
    index = candidates["phi"].astype(np.int64) % PHI_COUNTS_PER_TURN
    cos, sin = _UNIT_VECTORS[:, 0][index], _UNIT_VECTORS[:, 1][index]
    return -np.stack(
        [np.einsum("ij,ij->i", pt_gev, cos), np.einsum("ij,ij->i", pt_gev, sin)], axis=-1
    )
