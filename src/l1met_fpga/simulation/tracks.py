"""Tracks of the L1 track trigger: efficiency, resolution, dense jets, fakes."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.angles import band, wrap
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.deposits import ELECTRON, MUON
from l1met_fpga.simulation.detector import TrackParameters

__all__ = ["ChargedParticles", "Tracks", "reconstruct"]

MAX_TRACKS: Final = 2048
MAX_TRACK_PT_GEV: Final = 1000.0
IMPACT_RADIUS_TURN: Final = 0.735
"""Half turn of a 1 GeV particle on its way to the calorimeter (0.15 x 3.8 T x 1.29 m)."""


class ChargedParticles(NamedTuple):
    """True charged particles of one crossing, each of shape (capacity,)."""

    pt_gev: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    z0_cm: npt.NDArray[np.float64]
    charge: npt.NDArray[np.int64]
    species: npt.NDArray[np.int64]
    impact_eta: npt.NDArray[np.float64]
    impact_phi_rad: npt.NDArray[np.float64]
    d0_cm: npt.NDArray[np.float64]

    @staticmethod
    def empty() -> "ChargedParticles":
        """Return room for one crossing."""
        kinds = (float,) * 4 + (np.int64,) * 2 + (float,) * 3
        return ChargedParticles(*(np.zeros(MAX_TRACKS, kind) for kind in kinds))


class Tracks(NamedTuple):
    """Reconstructed tracks of one crossing, each of shape (n,); ``d0_cm`` is the true one.

    ``particle`` is the number of the true particle, -1 of a fake.
    """

    pt_gev: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    z0_cm: npt.NDArray[np.float64]
    charge: npt.NDArray[np.int64]
    is_muon: npt.NDArray[np.bool_]
    is_electron: npt.NDArray[np.bool_]
    is_fake: npt.NDArray[np.bool_]
    impact_eta: npt.NDArray[np.float64]
    impact_phi_rad: npt.NDArray[np.float64]
    d0_cm: npt.NDArray[np.float64]
    particle: npt.NDArray[np.int64]


@compiled
def _crowding(true: ChargedParticles, n: int, i: int, radius: float) -> int:
    count = 0
    for j in range(n):
        d_eta = true.eta[i] - true.eta[j]
        if abs(d_eta) < radius and j != i:
            d_phi = wrap(true.phi_rad[i] - true.phi_rad[j])
            if d_eta * d_eta + d_phi * d_phi < radius * radius:
                count += 1
    return count


@compiled
def efficiency(true: ChargedParticles, n: int, i: int, p: TrackParameters) -> float:
    """Return the probability that charged particle ``i`` of ``n`` becomes a track."""
    value = p.efficiency[0 if abs(true.eta[i]) < p.efficiency_edge_abs_eta else 1]
    if true.species[i] == ELECTRON:
        value *= p.electron_factor
    elif true.species[i] == MUON:
        value *= p.muon_factor
    crowd = _crowding(true, n, i, p.core_radius) - p.core_free_tracks
    full = p.core_full_tracks - p.core_free_tracks
    return value * (1 - p.core_max_loss * min(max(crowd / full, 0.0), 1.0))


@compiled
def z0_sigma(pt_gev: float, abs_eta: float, p: TrackParameters) -> float:
    """Return the z0 resolution in cm; multiple scattering widens it below a few GeV."""
    plateau = p.z0_sigma_cm + p.z0_sigma_eta2_cm * (abs_eta / 2.4) ** 2
    return plateau * math.sqrt(1 + (2 / pt_gev) ** 2) / 1.2


@compiled
def _called_electron(species: int, p: TrackParameters, rng: np.random.Generator) -> bool:
    """Draw the electron identification; it decides the code of a candidate, not its momentum."""
    if species == ELECTRON:
        return rng.random() < p.electron_id_efficiency
    return rng.random() < p.hadron_as_electron


@compiled
def reconstruct(
    true: ChargedParticles, n: int, p: TrackParameters, rng: np.random.Generator
) -> Tracks:
    """Turn the first ``n`` true particles into tracks and add fakes.

    Tracks lie within the acceptance: pt at least ``min_pt_gev``, ``|eta|`` below ``max_abs_eta``.
    """
    fakes = rng.poisson(p.fakes_mean)
    size = n + fakes
    out = Tracks(
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size, np.int64),
        np.empty(size, np.bool_),
        np.empty(size, np.bool_),
        np.empty(size, np.bool_),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size, np.int64),
    )
    m = 0
    for i in range(n):
        if rng.random() >= efficiency(true, n, i, p):
            continue
        abs_eta = abs(true.eta[i])
        where = band(abs_eta, p.eta_edges)
        pt = true.pt_gev[i]
        width = math.hypot(
            p.pt_resolution_per_tev[where] * 1e-3 * pt, p.pt_resolution_offset[where]
        )
        pt *= max(1 + min(width, 1.0) * rng.normal(), 0.05)
        sigma = z0_sigma(true.pt_gev[i], abs_eta, p)
        if rng.random() < p.z0_tail_fraction:
            sigma *= p.z0_tail_factor
        z0 = true.z0_cm[i] + sigma * rng.normal()
        if pt < p.min_pt_gev or abs_eta >= p.max_abs_eta:
            continue
        out.pt_gev[m] = min(pt, MAX_TRACK_PT_GEV)
        out.eta[m] = true.eta[i]
        out.phi_rad[m] = true.phi_rad[i]
        out.z0_cm[m] = z0
        out.charge[m] = true.charge[i]
        out.is_muon[m] = true.species[i] == MUON
        out.is_electron[m] = _called_electron(true.species[i], p, rng)
        out.is_fake[m] = False
        out.impact_eta[m] = true.impact_eta[i]
        out.impact_phi_rad[m] = true.impact_phi_rad[i]
        out.d0_cm[m] = true.d0_cm[i]
        out.particle[m] = i
        m += 1
    for _ in range(fakes):
        _fake(out, m, p, rng)
        m += 1
    return Tracks(
        out.pt_gev[:m],
        out.eta[:m],
        out.phi_rad[:m],
        out.z0_cm[:m],
        out.charge[:m],
        out.is_muon[:m],
        out.is_electron[:m],
        out.is_fake[:m],
        out.impact_eta[:m],
        out.impact_phi_rad[:m],
        out.d0_cm[:m],
        out.particle[:m],
    )


@compiled
def _fake(out: Tracks, m: int, p: TrackParameters, rng: np.random.Generator) -> None:
    """Write one combination of unrelated stubs: falling pt, any direction, wide in z."""
    pt = p.min_pt_gev * (1 - rng.random()) ** (-1 / (p.fakes_pt_power - 1))
    out.pt_gev[m] = min(pt, MAX_TRACK_PT_GEV)
    out.eta[m] = p.max_abs_eta * (2 * rng.random() - 1)
    out.phi_rad[m] = math.pi * (2 * rng.random() - 1)
    out.z0_cm[m] = p.fakes_sigma_z_cm * rng.normal()
    out.charge[m] = 1 if rng.random() < 0.5 else -1
    out.is_muon[m] = False
    out.is_electron[m] = False
    out.is_fake[m] = True
    out.impact_eta[m] = out.eta[m]
    out.d0_cm[m] = 0
    out.particle[m] = -1
    turn = math.asin(min(IMPACT_RADIUS_TURN / out.pt_gev[m], 1.0))
    out.impact_phi_rad[m] = wrap(out.phi_rad[m] - out.charge[m] * turn)
