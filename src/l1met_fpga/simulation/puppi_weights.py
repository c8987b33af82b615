"""The L1 PUPPI weight of a neutral particle (``LinearizedPuppi`` of CMSSW).

Regions: 0 barrel below 1.5, 1 HGCal below 2.0, 2 HGCal below 2.5, 3 HGCal without tracks below
3.0, 4 forward calorimeter.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.angles import wrap
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.detector import PuppiParameters
from l1met_fpga.simulation.particle_flow import DROPPED, MUON, Flow
from l1met_fpga.simulation.tracks import Tracks

__all__ = ["keep_charged", "neutral_weights", "puppi_region", "puppi_weight"]

REGION_EDGES: Final = (1.5, 2.0, 2.5, 3.0)
FIRST_WITHOUT_TRACKS: Final = 3


@compiled
def puppi_region(abs_eta: float) -> int:
    """Return the number of the PUPPI region of a pseudorapidity."""
    for i in range(len(REGION_EDGES)):
        if abs_eta < REGION_EDGES[i]:
            return i
    return len(REGION_EDGES)


@compiled
def keep_charged(
    tracks: Tracks, kind: npt.NDArray[np.int64], vertex_cm: float, p: PuppiParameters
) -> npt.NDArray[np.bool_]:
    """Return which tracks come from the vertex; muons always do."""
    keep = np.zeros(len(kind), np.bool_)
    for i in range(len(kind)):
        region = min(puppi_region(abs(tracks.eta[i])), FIRST_WITHOUT_TRACKS - 1)
        near = abs(tracks.z0_cm[i] - vertex_cm) <= p.max_dz_cm[region]
        keep[i] = kind[i] == MUON or (kind[i] != DROPPED and near)
    return keep


@compiled
def puppi_weight(
    pt_gev: float, neighbours_gev2: float, is_photon: bool, region: int, p: PuppiParameters
) -> float:
    """Return the weight of one neutral particle.

    Args:
        pt_gev: Its transverse momentum.
        neighbours_gev2: Sum of min(pt, max)^2 / max(dR, min)^2 over its neighbours.
        is_photon: Photons have their own slope, zero and prior.
        region: Number of the PUPPI region.
        p: Parameters.
    """
    crop = p.alpha_crop[region]
    from_alpha = -crop
    if neighbours_gev2 > 0:
        alpha = math.log(neighbours_gev2)
        from_alpha = p.alpha_slope[region] * (alpha - p.alpha_zero[region])
        from_alpha = min(max(from_alpha, -crop), crop)
    if is_photon:
        from_pt = p.pt_slope_photon[region] * (pt_gev - p.pt_zero_photon_gev[region])
        prior = p.prior_photon[region]
    else:
        from_pt = p.pt_slope[region] * (pt_gev - p.pt_zero_gev[region])
        prior = p.prior[region]
    return 1 / (1 + math.exp(-(from_alpha + from_pt - prior)))


@compiled
def _sum_over(eta, phi, pt, skip, at_eta, at_phi, region, p):  # type: ignore[no-untyped-def]
    reach, closest = p.max_dr[region], p.min_dr[region]
    total = 0.0
    for j in range(len(pt)):
        d_eta = eta[j] - at_eta
        if j == skip or abs(d_eta) > reach:
            continue
        d_phi = wrap(phi[j] - at_phi)
        dr2 = d_eta * d_eta + d_phi * d_phi
        if dr2 <= reach * reach:
            total += min(pt[j], p.max_pt_gev[region]) ** 2 / max(dr2, closest * closest)
    return total


@compiled
def neutral_weights(
    tracks: Tracks, keep: npt.NDArray[np.bool_], particles: Flow, p: PuppiParameters
) -> npt.NDArray[np.float64]:
    """Return the weight of every neutral particle; 0 where it is not accepted.

    Where there are tracks the neighbours are the tracks from the vertex; elsewhere they are the
    other neutral particles of the tracker-less regions.
    """
    weight = np.zeros(len(particles.pt_gev))
    track_eta, track_phi = tracks.impact_eta[keep], tracks.impact_phi_rad[keep]
    track_pt = tracks.pt_gev[keep]
    forward = np.abs(particles.eta) >= REGION_EDGES[FIRST_WITHOUT_TRACKS - 1]
    number = np.cumsum(forward) - 1
    forward_eta, forward_phi = particles.eta[forward], particles.phi_rad[forward]
    forward_pt = particles.pt_gev[forward]
    for i in range(len(weight)):
        pt, eta, phi = particles.pt_gev[i], particles.eta[i], particles.phi_rad[i]
        region = puppi_region(abs(eta))
        least = p.min_photon_pt_gev if particles.is_photon[i] else p.min_hadron_pt_gev[region]
        if pt < max(least, p.cut_pt_gev[region]):
            continue
        if forward[i]:
            total = _sum_over(forward_eta, forward_phi, forward_pt, number[i], eta, phi, region, p)
        else:
            total = _sum_over(track_eta, track_phi, track_pt, -1, eta, phi, region, p)
        value = puppi_weight(pt, total, particles.is_photon[i], region, p)
        if value * pt >= p.cut_pt_gev[region]:
            weight[i] = value
    return weight
