"""Primary vertex from a histogram of track z0, as the L1 trigger's FastHisto does it."""

import numpy as np

from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.detector import VertexParameters
from l1met_fpga.simulation.tracks import Tracks

__all__ = ["find_vertex"]


@compiled
def find_vertex(tracks: Tracks, p: VertexParameters) -> float:
    """Return z of the three neighbouring bins with most track pt, in cm.

    z is the pt-weighted mean of the bin centres. With no track at all it is 0. Nothing
    guarantees that it is the hard collision's vertex; where it is not, PUPPI follows the
    wrong one, as in the trigger.
    """
    bins = round(2 * p.half_range_cm / p.bin_cm)
    sums = np.zeros(bins)
    for i in range(len(tracks.pt_gev)):
        at = int(np.floor((tracks.z0_cm[i] + p.half_range_cm) / p.bin_cm))
        if 0 <= at < bins:
            sums[at] += min(tracks.pt_gev[i], p.max_track_pt_gev)
    best, best_sum = 0, -1.0
    for at in range(bins - 2):
        window = sums[at] + sums[at + 1] + sums[at + 2]
        if window > best_sum:
            best, best_sum = at, window
    if best_sum <= 0:
        return 0.0
    mean = 0.0
    for k in range(3):
        mean += sums[best + k] * ((best + k + 0.5) * p.bin_cm - p.half_range_cm)
    return mean / best_sum
