"""The regions of the layer-1 correlator as CMSSW sets them up, written as it does: with loops.

``L1TCorrelatorLayer1Producer`` goes through the regions of ``l1ctLayer1_cff.py`` (barrel, HGCal, HGCal
without tracks, HF), for each through eta boundaries and then ``iphi``, with ``phiCenter = iphi *
phiWidth`` brought into -pi to pi and a width of ``2 pi / phiSlices``.
"""

import itertools
import math

BOUNDARIES = (
    ((-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5),),
    ((-2.5, -1.5), (1.5, 2.5)),
    ((-3.0, -2.5), (2.5, 3.0)),
    ((-5.5, -3.0), (3.0, 5.5)),
)
PHI_SLICES = 9
N_FINAL_SORT = (18, 18, 12, 10)


def cmssw_regions():
    """Return (kind, lowest eta, highest eta, centre in phi) of every region, in order."""
    width = 2 * math.pi / PHI_SLICES
    return [
        (kind, low, high, math.remainder(iphi * width, 2 * math.pi))
        for kind, groups in enumerate(BOUNDARIES)
        for edges in groups
        for low, high in itertools.pairwise(edges)
        for iphi in range(PHI_SLICES)
    ]


REGIONS = cmssw_regions()


def region_of_cmssw(eta: int, phi: int) -> int:
    """Return the number of the region that holds a candidate (counts of pi/720)."""
    eta_value, phi_rad = eta * math.pi / 720, phi * math.pi / 720
    half = math.pi / PHI_SLICES
    for number, (_, low, high, centre) in enumerate(REGIONS):
        distance = math.remainder(phi_rad - centre, 2 * math.pi)
        if low <= eta_value < high and -half - 1e-9 <= distance < half - 1e-9:
            return number
    raise ValueError(f"no region holds eta {eta}, phi {phi}")
