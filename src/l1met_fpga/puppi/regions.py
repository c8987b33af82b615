"""Regions of the layer-1 correlator: where candidates are sorted and how many leave.

Source: CMSSW ``L1Trigger/Phase2L1ParticleFlow/python/l1ctLayer1_cff.py`` (borders in eta, slices in
phi, ``nFinalSort``) and ``L1TCorrelatorLayer1Producer`` (slice ``i`` is centred at ``i * width``), in
the order of the merged collection ``l1tLayer1:Puppi``.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN

__all__ = ["N_REGIONS", "outputs_of", "region_of"]

Numbers = npt.NDArray[np.int64]

N_REGIONS: Final = 108
_PHI_SLICES: Final = 9
_SLICE_COUNTS: Final = PHI_COUNTS_PER_TURN // _PHI_SLICES
"""40 degrees."""
_ETA_EDGES: Final = np.array([-3, -2.5, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2.5, 3]) / ANGLE_LSB_RAD
_FIRST_REGION: Final = np.array([90, 72, 54, 0, 9, 18, 27, 36, 45, 63, 81, 99])
"""Number of phi slice 0 in each eta range between the edges (forward, ..., forward)."""
_KINDS: Final = np.array([0, 54, 72, 90])
"""First region of each kind: barrel, HGCal, HGCal without tracks, HF."""
_OUTPUTS: Final = np.array([18, 18, 12, 10])


def region_of(eta: npt.NDArray[np.int16], phi: npt.NDArray[np.int16]) -> Numbers:
    """Return the number of the region that each candidate lies in.

    Barrel 0-53 (6 ranges of eta, -1.5 to 1.5, times 9 slices of phi), HGCal with tracks 54-71, HGCal
    without tracks 72-89, HF 90-107 (negative eta first). Slice 0 is centred at phi = 0.

    Args:
        eta: Counts, any shape.
        phi: Counts, same shape.
    """
    phi_slice = (phi.astype(np.int64) + _SLICE_COUNTS // 2) // _SLICE_COUNTS % _PHI_SLICES
    return _FIRST_REGION[np.searchsorted(_ETA_EDGES, eta, side="right")] + phi_slice


def outputs_of(region: Numbers) -> Numbers:
    """Return how many candidates each of these regions hands on."""
    return _OUTPUTS[np.searchsorted(_KINDS, region, side="right") - 1].astype(np.int64)
