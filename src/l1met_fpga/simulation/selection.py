"""Order of the candidates and the limits on their number."""

from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN

__all__ = ["Order", "region", "select"]

REGION_EDGES: Final = np.array([1.5, 2.5, 3.0])
"""``|eta|`` where barrel, HGCal, HGCal without tracks and HF regions meet."""
REGION_OUTPUTS: Final = np.array([18, 18, 12, 10])
"""Candidates that a region of each kind hands on (nFinalSort, CMSSW l1ctLayer1_cff d536c12)."""
BARREL_ETA_SLICES: Final = 6
PHI_SLICES: Final = 9
FIRST_REGION: Final = np.array([0, 54, 72, 90])
"""Number of the first region of each kind: 6 x 9 barrel, then 2 x 9 of each other kind."""


class Order(StrEnum):
    """How the candidates of an event are ordered before the list is cut.

    ``pt`` is hardest first. ``region`` is the order of CMSSW's software merge: barrel, HGCal,
    HGCal without tracks, HF, region by region, each sorted by pt and cut to what its firmware
    hands on.
    """

    PT = "pt"
    REGION = "region"


def region(eta: npt.NDArray[np.int16], phi: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Return the number of the correlator region that each candidate (in counts) lies in."""
    eta_value = eta * ANGLE_LSB_RAD
    kind = np.searchsorted(REGION_EDGES, np.abs(eta_value), side="right")
    turn = np.mod(phi.astype(np.int64), PHI_COUNTS_PER_TURN)
    phi_slice = turn * PHI_SLICES // PHI_COUNTS_PER_TURN
    barrel = np.clip(np.floor((eta_value + 1.5) / 0.5), 0, BARREL_ETA_SLICES - 1)
    eta_slice = np.where(kind == 0, barrel, eta_value >= 0).astype(np.int64)
    return FIRST_REGION[kind] + eta_slice * PHI_SLICES + phi_slice


def select(
    candidates: npt.NDArray[np.int16], *, order: Order, max_candidates: int
) -> npt.NDArray[np.int16]:
    """Sort the candidates of one event and cut the list.

    Args:
        candidates: Shape (n, n_columns); columns 0, 1, 2 are pt, eta, phi in counts.
        order: Which order, and whether regions have limits.
        max_candidates: Length at which the list is cut.
    """
    hardest_first = np.argsort(-candidates[:, 0].astype(np.int64), kind="stable")
    ordered = candidates[hardest_first]
    if order is Order.REGION:
        number = region(ordered[:, 1], ordered[:, 2])
        by_region = np.argsort(number, kind="stable")
        number, ordered = number[by_region], ordered[by_region]
        place = np.arange(len(number)) - np.searchsorted(number, number)
        kind = np.searchsorted(FIRST_REGION, number, side="right") - 1
        ordered = ordered[place < REGION_OUTPUTS[kind]]
    return ordered[:max_candidates]
