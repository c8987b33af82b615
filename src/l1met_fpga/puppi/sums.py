"""Sums over the candidates of an event: PUPPI MET from hardware integers, in floating point.

The ``pt`` of an L1 PUPPI candidate is already weighted, so the PUPPI weight does not enter.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN, PT_LSB_GEV, Candidates

__all__ = [
    "event_of_rows",
    "event_sums",
    "momentum_xy_gev",
    "puppi_met_xy_gev",
    "ragged_met_xy_gev",
    "sum_by_event",
    "unit_vectors",
]


def _unit_table() -> npt.NDArray[np.float64]:
    counts = np.arange(PHI_COUNTS_PER_TURN)
    angle = np.where(counts > PHI_COUNTS_PER_TURN // 2, counts - PHI_COUNTS_PER_TURN, counts)
    return np.stack([np.cos(angle * ANGLE_LSB_RAD), np.sin(angle * ANGLE_LSB_RAD)], axis=-1)


_UNIT_VECTORS: Final = _unit_table()


def unit_vectors(phi: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Return cos and sin of phi counts (taken modulo 1440), shape (..., 2)."""
    return _UNIT_VECTORS[phi.astype(np.int64) % PHI_COUNTS_PER_TURN]


def momentum_xy_gev(candidates: Candidates) -> npt.NDArray[np.float64]:
    """Return px, py of every candidate, GeV: the columns' shape and an axis of 2 behind it."""
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


def event_of_rows(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the event of every row, for rows of events one after the other."""
    return np.repeat(np.arange(len(counts)), counts)


def sum_by_event(
    values: npt.NDArray[Any], event: npt.NDArray[np.integer[Any]], n_events: int
) -> npt.NDArray[np.float64]:
    """Add up rows of ragged events.

    Args:
        values: Shape (n_rows, n_values).
        event: Event of each row, shape (n_rows,).
        n_events: Events in all; one without rows sums to zero.

    Returns:
        Shape (n_events, n_values).
    """
    sums = [np.bincount(event, weights=column, minlength=n_events) for column in values.T]
    return np.stack(sums, axis=1).astype(np.float64)


def ragged_met_xy_gev(
    columns: Mapping[str, npt.NDArray[np.int16]], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the PUPPI MET of events whose candidates lie one after the other.

    Args:
        columns: ``pt`` and ``phi`` counts, shape (n_rows,).
        counts: Candidates per event.

    Returns:
        px, py in GeV, shape (n_events, 2).
    """
    return -sum_by_event(momentum_xy_gev(columns), event_of_rows(counts), len(counts))


def event_sums(
    columns: Mapping[str, npt.NDArray[np.int16]], counts: npt.NDArray[np.int64]
) -> dict[Literal["vector", "scalar"], npt.NDArray[np.float64]]:
    """Return what the candidates of events add up to, GeV.

    Args:
        columns: ``pt`` and ``phi`` counts of events one after the other, shape (n_rows,).
        counts: Candidates per event.

    Returns:
        Minus the vector sum, shape (n_events, 2), and the sum of pt, shape (n_events,).
    """
    pt_gev = (columns["pt"] * PT_LSB_GEV)[:, None]
    scalar = sum_by_event(pt_gev, event_of_rows(counts), len(counts))
    return {"vector": ragged_met_xy_gev(columns, counts), "scalar": scalar[:, 0]}
