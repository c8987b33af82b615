"""Which generated jet, lepton or tau a jet belongs to."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PT_LSB_GEV
from l1met_fpga.puppi.jets import Jets

__all__ = ["GEN_JET_RADIUS", "LEPTON_RADIUS", "nearest_generated"]

GEN_JET_RADIUS: Final = 0.4
LEPTON_RADIUS: Final = 0.2
MIN_SHARE: Final = 0.1
"""Of the generated pt, that a jet must have more than."""

Floats = npt.NDArray[np.floating]


def nearest_generated(
    jets: Jets,
    pt_gev: Floats,
    eta: Floats,
    phi_rad: Floats,
    *,
    radius: float = GEN_JET_RADIUS,
    min_share: float = MIN_SHARE,
) -> npt.NDArray[np.int64]:
    """Return the nearest generated object of each jet, as the trainings of the jet tagger do.

    Two jets may get one and the same object: it is no assignment.

    Args:
        jets: Raw ones, shape (n_events, n_jets).
        pt_gev: Of the generated objects, shape (n_events, n_objects), 0 or NaN in empty slots.
        eta: Same shape.
        phi_rad: Same shape.
        radius: The distance in eta and phi must be below it.
        min_share: The jet's pt must be above this share of the object's.

    Returns:
        Slot of the object, of equally near ones the first, -1 for none, shape (n_events, n_jets).
    """
    nearest = np.full(jets.pt.shape, -1)
    best = np.full(jets.pt.shape, radius)
    jet_pt_gev = jets.pt * PT_LSB_GEV
    for slot in range(pt_gev.shape[1]):
        object_pt = pt_gev[:, slot, None]
        deta = jets.eta * ANGLE_LSB_RAD - eta[:, slot, None]
        dphi = jets.phi * ANGLE_LSB_RAD - phi_rad[:, slot, None]
        distance = np.hypot(deta, (dphi + math.pi) % (2 * math.pi) - math.pi)
        is_nearer = (distance < best) & (object_pt > 0) & (jet_pt_gev > min_share * object_pt)
        is_nearer &= jets.pt > 0
        nearest[is_nearer], best[is_nearer] = slot, distance[is_nearer]
    return nearest
