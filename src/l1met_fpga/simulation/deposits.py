"""What each stable particle does before any trigger reconstruction: bend, shower, leave a track.

A collision becomes two short lists that do not depend on the crossing it ends up in: energy
deposits at the calorimeter's face and charged particles that the track trigger might see.
Pile-up collisions are turned into these lists once and then reused, rotated and reflected.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.angles import wrap
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.detector import CalorimeterParameters, TrackParameters
from l1met_fpga.simulation.particles import ParticleEvents

__all__ = ["CALORIMETER_EDGES", "CollisionLists", "make_lists"]

CALORIMETER_EDGES: Final = (1.5, 3.0)
"""``|eta|`` where barrel becomes endcap, and endcap becomes forward calorimeter."""
MIN_TRUE_PT_GEV: Final = 1.7
"""Softer particles cannot pass the track trigger's 2 GeV by resolution (at most 3 %)."""
GRAVITY_OF_FIELD: Final = 0.3
"""Transverse momentum in GeV is 0.3 x field in T x radius in m."""
CHARGED_HADRON: Final = 0
ELECTRON: Final = 1
MUON: Final = 2
PHOTON: Final = 3


class CollisionLists(NamedTuple):
    """Deposits and charged particles of many collisions (flat, with offsets).

    Attributes:
        deposit_offsets: Collision ``i`` owns deposits ``[i]:[i + 1]``.
        deposit_eta: Pseudorapidity of the impact.
        deposit_phi_rad: Azimuth of the impact.
        em_gev: Transverse energy in the electromagnetic part.
        had_gev: Transverse energy in the hadronic part.
        track_offsets: Collision ``i`` owns charged particles ``[i]:[i + 1]``.
        pt_gev: True transverse momentum of the charged particle.
        eta: Its pseudorapidity at the vertex.
        phi_rad: Its azimuth at the vertex.
        charge: Its charge.
        species: Code of :class:`.particles.Species`.
        impact_eta: Pseudorapidity at the calorimeter.
        impact_phi_rad: Azimuth at the calorimeter.
        d0_cm: Its distance from the collision, across the beam.
        deposit_particle: Number of the particle in its collision that left a deposit.
        track_particle: Number of the charged particle in its collision.
        particle_offsets: Collision ``i`` owns generated particles ``[i]:[i + 1]``.
        particle_pt_gev: Their transverse momentum.
        particle_eta: Their pseudorapidity at the vertex.
        particle_phi_rad: Their azimuth at the vertex.
        particle_species: Codes of :class:`.particles.Species`.
        particle_charge: Their charge.
    """

    deposit_offsets: npt.NDArray[np.int64]
    deposit_eta: npt.NDArray[np.float32]
    deposit_phi_rad: npt.NDArray[np.float32]
    em_gev: npt.NDArray[np.float32]
    had_gev: npt.NDArray[np.float32]
    track_offsets: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float32]
    eta: npt.NDArray[np.float32]
    phi_rad: npt.NDArray[np.float32]
    charge: npt.NDArray[np.int8]
    species: npt.NDArray[np.int8]
    impact_eta: npt.NDArray[np.float32]
    impact_phi_rad: npt.NDArray[np.float32]
    d0_cm: npt.NDArray[np.float32]
    deposit_particle: npt.NDArray[np.int32]
    track_particle: npt.NDArray[np.int32]
    particle_offsets: npt.NDArray[np.int64]
    particle_pt_gev: npt.NDArray[np.float32]
    particle_eta: npt.NDArray[np.float32]
    particle_phi_rad: npt.NDArray[np.float32]
    particle_species: npt.NDArray[np.int8]
    particle_charge: npt.NDArray[np.int8]


def make_lists(
    events: ParticleEvents,
    tracks: TrackParameters,
    calorimeter: CalorimeterParameters,
    rng: np.random.Generator,
) -> CollisionLists:
    """Bend and shower every particle.

    Args:
        events: Generated collisions.
        tracks: Acceptance of the track trigger.
        calorimeter: Geometry and resolution.
        rng: Source of the shower fluctuations.

    Returns:
        The lists, collisions in the same order.
    """
    impact_eta, impact_phi, em, had = _impacts(
        events.pt_gev, events.eta, events.phi_rad, events.species, events.charge, calorimeter, rng
    )
    event = np.repeat(np.arange(len(events)), np.diff(events.offsets))
    number = (np.arange(len(event)) - events.offsets[event]).astype(np.int32)
    hit = (em + had) > 0
    seen = (
        (events.charge != 0)
        & (events.pt_gev > MIN_TRUE_PT_GEV)
        & (np.abs(events.eta) < tracks.max_abs_eta)
    )
    return CollisionLists(
        _offsets(event[hit], len(events)),
        impact_eta[hit],
        impact_phi[hit],
        em[hit],
        had[hit],
        _offsets(event[seen], len(events)),
        events.pt_gev[seen],
        events.eta[seen],
        events.phi_rad[seen],
        events.charge[seen],
        events.species[seen],
        impact_eta[seen],
        impact_phi[seen],
        events.d0_cm[seen],
        number[hit],
        number[seen],
        events.offsets - events.offsets[0],
        events.pt_gev,
        events.eta,
        events.phi_rad,
        events.species,
        events.charge,
    )


def _offsets(event: npt.NDArray[np.int64], events: int) -> npt.NDArray[np.int64]:
    count = np.bincount(event, minlength=events)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


@compiled
def bend(
    pt_gev: float, eta: float, phi_rad: float, charge: int, p: CalorimeterParameters
) -> tuple[float, float]:
    """Follow a particle from the beam line to the calorimeter's face (helix, no energy loss).

    Returns:
        Pseudorapidity and azimuth of the impact, seen from the centre of the detector.
    """
    if charge == 0:
        return eta, phi_rad
    radius = pt_gev / (GRAVITY_OF_FIELD * p.field_t)  # of curvature, m
    turn = p.half_length_m / (radius * max(abs(math.sinh(eta)), 1e-6))
    if radius * 2 > p.radius_m:
        turn = min(turn, 2 * math.asin(p.radius_m / (2 * radius)))
    length = turn * radius * math.sinh(eta)
    distance = max(abs(2 * radius * math.sin(turn / 2)), 0.05)
    # A positive particle turns clockwise in a field along +z.
    phi = phi_rad - charge * turn / 2
    return math.asinh(length / distance), wrap(phi)


@compiled
def _impacts(pt, eta, phi, species, charge, p, rng):  # type: ignore[no-untyped-def]
    n = len(pt)
    out_eta = np.empty(n, np.float32)
    out_phi = np.empty(n, np.float32)
    em = np.zeros(n, np.float32)
    had = np.zeros(n, np.float32)
    for i in range(n):
        at_eta, at_phi = bend(pt[i], eta[i], phi[i], charge[i], p)
        out_eta[i] = at_eta
        out_phi[i] = at_phi
        energy = pt[i] * math.cosh(eta[i])
        shower_em, shower_had = shower(energy, abs(at_eta), species[i], p, rng)
        # Transverse energy as the calorimeter sees it: by the direction of the impact.
        em[i] = shower_em / math.cosh(at_eta)
        had[i] = shower_had / math.cosh(at_eta)
    return out_eta, out_phi, em, had


@compiled
def shower(
    energy_gev: float,
    abs_eta: float,
    species: int,
    p: CalorimeterParameters,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the energies that one particle leaves in the EM and the hadronic part, GeV."""
    where = 0 if abs_eta < CALORIMETER_EDGES[0] else (1 if abs_eta < CALORIMETER_EDGES[1] else 2)
    if species == MUON:
        return min(p.mip_energy_gev, energy_gev), min(p.muon_energy_gev, energy_gev)
    if species in (ELECTRON, PHOTON):
        width = math.hypot(
            p.em_stochastic[where] * math.sqrt(energy_gev), p.em_constant[where] * energy_gev
        )
        return max(0.0, energy_gev + width * rng.normal()), 0.0
    width = math.hypot(
        p.had_stochastic[where] * math.sqrt(energy_gev), p.had_constant[where] * energy_gev
    )
    response = 1 - p.had_nonlinearity * max(energy_gev, 1.0) ** -p.had_nonlinearity_power
    seen = max(0.0, energy_gev * response + width * rng.normal())
    if rng.random() < p.mip_fraction:
        em = min(p.mip_energy_gev, seen)
    else:
        em = seen * p.shower_em_max * rng.random()
    return em, seen - em
