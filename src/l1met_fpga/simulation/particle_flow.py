"""Particle flow: share the energy between tracks and clusters, as CMSSW's pfalgo3 does.

The regions of the firmware are left out here: linking needs neighbours only, and the overlap of
regions makes the result the same. Limits per region are applied to the output on request.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.angles import band
from l1met_fpga.simulation.calorimeter import Clusters, nearest
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.detector import FlowParameters
from l1met_fpga.simulation.tracks import Tracks

__all__ = ["DROPPED", "ELECTRON", "HADRON", "MUON", "Flow", "flow"]

DROPPED: Final = 0
HADRON: Final = 1
ELECTRON: Final = 2
MUON: Final = 3

TRACKER_EDGE: Final = 2.5
HGCAL_START: Final = 1.5
FORWARD_START: Final = 3.0
RESIDUAL_PART: Final = 1 / 16
"""A cluster with less than this left after its photons is used up (pfalgo3)."""


class Flow(NamedTuple):
    """Particles of one crossing.

    Attributes:
        kind: What each track is, shape (n_tracks,): DROPPED, HADRON, ELECTRON, MUON.
        pt_gev: Neutral particles, shape (n_neutrals,), as all below.
        eta: Pseudorapidity.
        phi_rad: Azimuth.
        is_photon: Else a neutral hadron.
        cluster: What each was made of: the number of its EM cluster or, behind all of those, of its
            combined cluster.
    """

    kind: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    is_photon: npt.NDArray[np.bool_]
    cluster: npt.NDArray[np.int64]


@compiled
def em_sigma(pt_gev: float, eta: float, p: FlowParameters) -> float:
    """Return the resolution that the linking assumes for an EM cluster, GeV."""
    where = band(abs(eta), p.eta_edges)
    return min(pt_gev, p.em_scale[where] * pt_gev + p.em_offset_gev[where])


@compiled
def had_sigma(pt_gev: float, eta: float, p: FlowParameters) -> float:
    """Return the resolution that the linking assumes for a hadronic cluster, GeV."""
    where = band(abs(eta), p.eta_edges)
    return min(pt_gev, max(0.0, p.had_scale[where] * pt_gev + p.had_offset_gev[where]))


@compiled
def _link_em(tracks: Tracks, em: Clusters, p: FlowParameters):  # type: ignore[no-untyped-def]
    """Link tracks to EM clusters and decide which clusters are electrons or photons."""
    to_em = np.full(len(tracks.pt_gev), -1)
    track_sum, variance = np.zeros(len(em.pt_gev)), np.zeros(len(em.pt_gev))
    for i in range(len(tracks.pt_gev)):
        if tracks.is_muon[i]:
            continue
        k = nearest(em, tracks.impact_eta[i], tracks.impact_phi_rad[i], p.track_em_dr)
        to_em[i] = k
        if k >= 0:
            track_sum[k] += tracks.pt_gev[i]
            variance[k] += em_sigma(tracks.pt_gev[i], tracks.impact_eta[i], p) ** 2
    photon = np.zeros(len(em.pt_gev))
    is_em = np.zeros(len(em.pt_gev), np.bool_)
    for k in range(len(em.pt_gev)):
        excess = em.pt_gev[k] - track_sum[k]
        if track_sum[k] == 0:
            photon[k], is_em[k] = em.pt_gev[k], True
        elif excess * excess <= p.photon_sigmas**2 * variance[k]:
            is_em[k] = True  # an electron
        elif excess > 0:
            photon[k], is_em[k] = excess, True
    return to_em, photon, is_em


@compiled
def _residuals(em: Clusters, calo: Clusters, is_em, p: FlowParameters):  # type: ignore[no-untyped-def]
    """Take the electrons and photons off the combined clusters."""
    left = calo.pt_gev.copy()
    for k in range(len(em.pt_gev)):
        if is_em[k]:
            c = nearest(calo, em.eta[k], em.phi_rad[k], p.em_calo_dr)
            if c >= 0:
                left[c] -= em.pt_gev[k]
    for c in range(len(left)):
        if left[c] < RESIDUAL_PART * calo.pt_gev[c]:
            left[c] = 0.0
    return left


@compiled
def _link_hadrons(tracks: Tracks, to_em, is_em, calo: Clusters, left, p: FlowParameters):  # type: ignore[no-untyped-def]
    """Name the tracks and sum those linked to each combined cluster."""
    kind = np.full(len(tracks.pt_gev), DROPPED)
    track_sum, variance = np.zeros(len(left)), np.zeros(len(left))
    for i in range(len(tracks.pt_gev)):
        if tracks.is_muon[i]:
            kind[i] = MUON
            continue
        if to_em[i] >= 0 and is_em[to_em[i]]:
            kind[i] = ELECTRON if tracks.is_electron[i] else HADRON
            continue
        eta = tracks.impact_eta[i]
        radius = p.track_calo_dr[0 if abs(eta) < HGCAL_START else 1]
        c = nearest(calo, eta, tracks.impact_phi_rad[i], radius)
        sigma = had_sigma(tracks.pt_gev[i], eta, p)
        if c >= 0 and left[c] + 2 * sigma > tracks.pt_gev[i]:
            track_sum[c] += tracks.pt_gev[i]
            variance[c] += sigma**2
            kind[i] = HADRON
        elif tracks.pt_gev[i] < p.max_invisible_pt_gev:
            kind[i] = HADRON
    return kind, track_sum, variance


@compiled
def _zone(abs_eta: float) -> int:
    """Return 0 barrel, 1 HGCal, 2 HGCal without tracks, 3 forward."""
    if abs_eta < HGCAL_START:
        return 0
    if abs_eta < TRACKER_EDGE:
        return 1
    return 2 if abs_eta < FORWARD_START else 3


@compiled
def _calibrated(pt, eta, is_photon, p, rng):  # type: ignore[no-untyped-def]
    zone = _zone(abs(eta))
    shift = p.photon_pt_shift_gev[zone] if is_photon else p.hadron_pt_shift_gev[zone]
    return max(0.0, pt + shift) * max(0.0, 1 + p.neutral_pt_smear * rng.normal())


@compiled
def flow(
    tracks: Tracks, em: Clusters, calo: Clusters, p: FlowParameters, rng: np.random.Generator
) -> Flow:
    """Run particle flow on one crossing.

    Args:
        tracks: Reconstructed tracks.
        em: EM clusters (``|eta|`` below 3).
        calo: Combined clusters.
        p: Parameters.
        rng: Source of the calibration spread.

    Returns:
        The kind of each track, and the neutral particles.
    """
    to_em, photon, is_em = _link_em(tracks, em, p)
    left = _residuals(em, calo, is_em, p)
    kind, track_sum, variance = _link_hadrons(tracks, to_em, is_em, calo, left, p)
    size = len(photon) + len(left)
    pt, eta, phi = np.empty(size), np.empty(size), np.empty(size)
    is_photon = np.empty(size, np.bool_)
    cluster = np.empty(size, np.int64)
    n = 0
    for k in range(len(photon)):
        if photon[k] > 0 and abs(em.eta[k]) < TRACKER_EDGE:
            pt[n] = _calibrated(photon[k], em.eta[k], True, p, rng)
            eta[n], phi[n], is_photon[n] = em.eta[k], em.phi_rad[k], True
            cluster[n] = k
            n += 1
    for c in range(len(left)):
        tracked = abs(calo.eta[c]) < TRACKER_EDGE
        energy = left[c] - track_sum[c] if tracked else calo.pt_gev[c]
        if energy <= 0 or (tracked and energy * energy <= p.neutral_sigmas**2 * variance[c]):
            continue
        em_like = calo.em_gev[c] > p.forward_em_fraction * calo.pt_gev[c]
        is_photon[n] = not tracked and abs(calo.eta[c]) < FORWARD_START and em_like
        pt[n] = _calibrated(energy, calo.eta[c], is_photon[n], p, rng)
        eta[n], phi[n] = calo.eta[c], calo.phi_rad[c]
        cluster[n] = len(photon) + c
        n += 1
    return Flow(kind, pt[:n], eta[:n], phi[:n], is_photon[:n], cluster[:n])
