"""How much of a neutral candidate comes from the hard collision: a second grid of towers knows.

The hard collision fills the towers first, so a copy of them at that moment holds its energy alone.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.calorimeter import N_ETA, N_PHI, TOWER
from l1met_fpga.simulation.compiled import compiled

__all__ = ["BeforeSubtraction", "hard_share"]


class BeforeSubtraction(NamedTuple):
    """Towers as they are before the mean pile-up is taken off, shape (N_ETA, N_PHI), GeV.

    Attributes:
        em_gev: Electromagnetic part, of all collisions.
        had_gev: Hadronic part.
        hard_em_gev: Electromagnetic part, of the hard collision.
        hard_had_gev: Hadronic part.
    """

    em_gev: npt.NDArray[np.float32]
    had_gev: npt.NDArray[np.float32]
    hard_em_gev: npt.NDArray[np.float32]
    hard_had_gev: npt.NDArray[np.float32]


@compiled
def hard_share(towers: BeforeSubtraction, eta: float, phi_rad: float, is_photon: bool) -> float:
    """Return the hard collision's part of the energy that a neutral candidate is made of, 0 to 1.

    Of a photon that is the electromagnetic energy of its tower, of a hadron all energy of the 3 x 3
    towers around it, as the clusters of :mod:`.calorimeter`.

    Args:
        towers: The towers.
        eta: Of the candidate.
        phi_rad: Of the candidate.
        is_photon: Else a hadron.
    """
    centre = min(max(int(eta / TOWER + N_ETA / 2), 0), N_ETA - 1)
    column = int(phi_rad / TOWER + N_PHI)
    reach = 0 if is_photon else 1
    hard = total = 0.0
    for row in range(max(0, centre - reach), min(N_ETA, centre + reach + 1)):
        for near in range(column - reach, column + reach + 1):
            at = near % N_PHI
            hard += towers.hard_em_gev[row, at]
            total += towers.em_gev[row, at]
            if not is_photon:
                hard += towers.hard_had_gev[row, at]
                total += towers.had_gev[row, at]
    return min(hard / total, 1.0) if total > 0 else 0.0
