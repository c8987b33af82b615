"""What particle flow starts from: tracks and clusters of a crossing, and the particles behind them.

Energy of a deposit in the EM part belongs to the EM cluster of its tower, where there is one; what
is left belongs to the combined clusters around, in the shares in which they divide the tower.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.element_kinds import ElementKind, ParticleClass
from l1met_fpga.simulation.angles import wrap
from l1met_fpga.simulation.calorimeter import N_ETA, N_PHI, TOWER, Towers, seeds_around
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.deposits import CALORIMETER_EDGES, CollisionLists
from l1met_fpga.simulation.detector import Detector
from l1met_fpga.simulation.event import Detected, detect
from l1met_fpga.simulation.particle_flow import DROPPED, ELECTRON, MUON
from l1met_fpga.simulation.pool import Pool
from l1met_fpga.simulation.tracks import MAX_TRACKS, ChargedParticles

__all__ = ["CANDIDATE", "ELEMENT", "LINK", "PARTICLE", "FlowEvent", "flow_event"]

ELEMENT: Final = (
    "pt",
    "eta",
    "phi",
    "kind",
    "charge",
    "emShare",
    "looks",
    "z0",
    "vertexEta",
    "vertexPhi",
)
"""Columns of elements: GeV, position at the calorimeter, kind, charge, share of the energy in the EM
part, the class that the element looks like by itself, cm, direction at the vertex."""
PARTICLE: Final = ("pt", "eta", "phi", "class", "charge", "hard")
"""Columns of particles: GeV, direction at the vertex, class, charge, whether of the hard collision."""
LINK: Final = ("element", "particle", "energy", "share")
"""Columns of links: numbers in the event, transverse energy in GeV, its share of the element's."""
CANDIDATE: Final = ("pt", "eta", "phi", "class", "charge", "element", "puppiWeight")
"""Columns of the rules' candidates, before PUPPI."""

MIN_SHARE: Final = 0.05
"""Weaker links say nothing about an element."""
MIN_PT_GEV: Final = 1.0
"""Harder particles are written also when no element holds anything of them."""
LINKS_PER_DEPOSIT: Final = 5
"""An EM cluster and the four local maxima that 3 x 3 towers can hold."""

CHARGED_HADRON: Final = int(ParticleClass.CHARGED_HADRON)
NEUTRAL_HADRON: Final = int(ParticleClass.NEUTRAL_HADRON)
PHOTON_CLASS: Final = int(ParticleClass.PHOTON)
ELECTRON_CLASS: Final = int(ParticleClass.ELECTRON)
MUON_CLASS: Final = int(ParticleClass.MUON)
CLASS_OF_SPECIES: Final = (CHARGED_HADRON, ELECTRON_CLASS, MUON_CLASS, PHOTON_CLASS, NEUTRAL_HADRON)
"""By the codes of :class:`.particles.Species`."""
TRACK, ECAL, HCAL, HF = (int(kind) for kind in ElementKind)
FORWARD_ETA: Final = CALORIMETER_EDGES[1]


class FlowEvent(NamedTuple):
    """One crossing; columns are those of the constants above.

    Attributes:
        elements: Shape (n_elements, 10).
        particles: Shape (n_particles, 6).
        links: Shape (n_links, 4).
        candidates: Shape (n_candidates, 7).
        vertex_z0_cm: Vertex that the trigger found.
        true_z0_cm: Vertex of the hard collision.
        n_collisions: Pile-up collisions.
    """

    elements: npt.NDArray[np.float32]
    particles: npt.NDArray[np.float32]
    links: npt.NDArray[np.float32]
    candidates: npt.NDArray[np.float32]
    vertex_z0_cm: float
    true_z0_cm: float
    n_collisions: int


class _Links(NamedTuple):
    element: npt.NDArray[np.int64]
    particle: npt.NDArray[np.int64]
    gev: npt.NDArray[np.float64]


@compiled
def _elements(d: Detected):  # type: ignore[no-untyped-def]
    """Write tracks, EM clusters and combined clusters, in this order."""
    tracks, em, calo = d.tracks, d.em, d.calo
    first_em = len(tracks.pt_gev)
    first_calo = first_em + len(em.pt_gev)
    out = np.zeros((first_calo + len(calo.pt_gev), 10), np.float32)
    for i in range(first_em):
        looks = CHARGED_HADRON
        if tracks.is_muon[i]:
            looks = MUON_CLASS
        elif tracks.is_electron[i]:
            looks = ELECTRON_CLASS
        out[i, 0], out[i, 1] = tracks.pt_gev[i], tracks.impact_eta[i]
        out[i, 2], out[i, 3] = tracks.impact_phi_rad[i], TRACK
        out[i, 4], out[i, 6], out[i, 7] = tracks.charge[i], looks, tracks.z0_cm[i]
        out[i, 8], out[i, 9] = tracks.eta[i], tracks.phi_rad[i]
    for k in range(len(em.pt_gev)):
        i = first_em + k
        out[i, 0], out[i, 1], out[i, 2] = em.pt_gev[k], em.eta[k], em.phi_rad[k]
        out[i, 3], out[i, 5], out[i, 6] = ECAL, 1, PHOTON_CLASS
        out[i, 8], out[i, 9] = em.eta[k], em.phi_rad[k]
    for c in range(len(calo.pt_gev)):
        i = first_calo + c
        out[i, 0], out[i, 1], out[i, 2] = calo.pt_gev[c], calo.eta[c], calo.phi_rad[c]
        out[i, 3] = HF if abs(calo.eta[c]) >= FORWARD_ETA else HCAL
        out[i, 5], out[i, 6] = calo.em_gev[c] / calo.pt_gev[c], NEUTRAL_HADRON
        out[i, 8], out[i, 9] = calo.eta[c], calo.phi_rad[c]
    return out


@compiled
def _candidates(d: Detected):  # type: ignore[no-untyped-def]
    """Write what the rules make of the elements."""
    tracks, particles = d.tracks, d.particles
    n_tracks = len(tracks.pt_gev)
    out = np.zeros((n_tracks + len(particles.pt_gev), 7), np.float32)
    n = 0
    for i in range(n_tracks):
        kind = particles.kind[i]
        if kind == DROPPED:
            continue
        code = CHARGED_HADRON
        if kind == ELECTRON:
            code = ELECTRON_CLASS
        elif kind == MUON:
            code = MUON_CLASS
        out[n, 0], out[n, 1], out[n, 2] = tracks.pt_gev[i], tracks.eta[i], tracks.phi_rad[i]
        out[n, 3], out[n, 4], out[n, 5], out[n, 6] = code, tracks.charge[i], i, d.keep[i]
        n += 1
    for i in range(len(particles.pt_gev)):
        out[n, 0], out[n, 1], out[n, 2] = (
            particles.pt_gev[i],
            particles.eta[i],
            particles.phi_rad[i],
        )
        out[n, 3] = PHOTON_CLASS if particles.is_photon[i] else NEUTRAL_HADRON
        out[n, 5], out[n, 6] = n_tracks + particles.cluster[i], d.weight[i]
        n += 1
    return out[:n].copy()


@compiled
def _put(links: _Links, n: int, element: int, particle: int, gev: float) -> int:
    links.element[n], links.particle[n], links.gev[n] = element, particle, gev
    return n + 1


@compiled
def _link_deposits(lists: CollisionLists, collision: int, rotation_rad: float, reflection: int, base: int, d: Detected, total, seed, links: _Links, n: int) -> int:  # type: ignore[no-untyped-def]  # fmt: skip
    """Link the deposits of one collision, whose particles are numbered from ``base``."""
    first_em = len(d.tracks.pt_gev)
    first_calo = first_em + len(d.em.pt_gev)
    for i in range(lists.deposit_offsets[collision], lists.deposit_offsets[collision + 1]):
        eta_bins = reflection * lists.deposit_eta[i] / TOWER + N_ETA / 2
        if eta_bins < 0 or eta_bins >= N_ETA:
            continue
        row = int(eta_bins)
        column = int((lists.deposit_phi_rad[i] + rotation_rad) / TOWER + 3 * N_PHI) % N_PHI
        particle = base + lists.deposit_particle[i]
        em, rest = lists.em_gev[i], lists.had_gev[i]
        if d.em.seeds[row, column] < 0:
            rest += em
        elif em > 0:
            n = _put(links, n, first_em + d.em.seeds[row, column], particle, em)
        around = seeds_around(seed, row, column)
        if rest <= 0 or around == 0 or total[row, column] == 0:  # suppressed: in no cluster
            continue
        for other in range(max(0, row - 1), min(N_ETA, row + 2)):
            for near in range(column - 1, column + 2):
                c = d.calo.seeds[other, near % N_PHI]
                if c >= 0:
                    part = rest * seed[other, near % N_PHI] / around
                    n = _put(links, n, first_calo + c, particle, part)
    return n


@compiled
def _note_charged(lists: CollisionLists, collision: int, base: int, particle_of, n: int) -> int:  # type: ignore[no-untyped-def]  # fmt: skip
    """Note the particle of each true charged particle, in the order in which they were collected."""
    for i in range(lists.track_offsets[collision], lists.track_offsets[collision + 1]):
        if n == MAX_TRACKS:
            break
        particle_of[n] = base + lists.track_particle[i]
        n += 1
    return n


@compiled
def _note_particles(lists: CollisionLists, collision: int, rotation_rad: float, reflection: int, base: int, is_hard: bool, out) -> int:  # type: ignore[no-untyped-def]  # fmt: skip
    """Write the particles of one collision as they are in the crossing; return the next number."""
    first = lists.particle_offsets[collision]
    for i in range(first, lists.particle_offsets[collision + 1]):
        n = base + i - first
        out[n, 0], out[n, 1] = lists.particle_pt_gev[i], reflection * lists.particle_eta[i]
        out[n, 2] = wrap(lists.particle_phi_rad[i] + rotation_rad)
        out[n, 3] = CLASS_OF_SPECIES[lists.particle_species[i]]
        out[n, 4], out[n, 5] = lists.particle_charge[i], is_hard
    return base + lists.particle_offsets[collision + 1] - first


@compiled
def _room(hard: CollisionLists, number: int, pool: Pool, d: Detected):  # type: ignore[no-untyped-def]
    """Return how many particles and how many deposits a crossing has."""
    particles = hard.particle_offsets[number + 1] - hard.particle_offsets[number]
    deposits = hard.deposit_offsets[number + 1] - hard.deposit_offsets[number]
    for collision in d.overlaid.collision:
        offsets = pool.lists.particle_offsets
        particles += offsets[collision + 1] - offsets[collision]
        offsets = pool.lists.deposit_offsets
        deposits += offsets[collision + 1] - offsets[collision]
    return particles, deposits


@compiled
def _all_links(hard: CollisionLists, number: int, pool: Pool, towers: Towers, d: Detected):  # type: ignore[no-untyped-def]
    """Return all particles and all links, however weak."""
    n_particles, n_deposits = _room(hard, number, pool, d)
    size = LINKS_PER_DEPOSIT * n_deposits + len(d.tracks.pt_gev)
    links = _Links(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size))
    particles = np.empty((n_particles, 6), np.float32)
    total = towers.em_gev + towers.had_gev
    seed = total * (d.calo.seeds >= 0)
    particle_of = np.empty(MAX_TRACKS, np.int64)
    charged = _note_charged(hard, number, 0, particle_of, 0)
    n = _link_deposits(hard, number, 0.0, 1, 0, d, total, seed, links, 0)
    base = _note_particles(hard, number, 0.0, 1, 0, True, particles)
    for k in range(len(d.overlaid.collision)):
        collision = d.overlaid.collision[k]
        rotation, reflection = d.overlaid.rotation_rad[k], d.overlaid.reflection[k]
        charged = _note_charged(pool.lists, collision, base, particle_of, charged)
        n = _link_deposits(
            pool.lists, collision, rotation, reflection, base, d, total, seed, links, n
        )
        base = _note_particles(pool.lists, collision, rotation, reflection, base, False, particles)
    for i in range(len(d.tracks.pt_gev)):
        if d.tracks.particle[i] >= 0:
            particle = particle_of[d.tracks.particle[i]]
            n = _put(links, n, i, particle, particles[particle, 0])
    return particles, _Links(links.element[:n], links.particle[:n], links.gev[:n])


@compiled
def _strong(particles, links: _Links, n_elements: int, max_abs_eta: float):  # type: ignore[no-untyped-def]
    """Keep links that say something, and particles that have one or should have."""
    total = np.zeros(n_elements)
    for i in range(len(links.gev)):
        total[links.element[i]] += links.gev[i]
    number = np.full(len(particles), -1)
    for i in range(len(particles)):
        if particles[i, 0] >= MIN_PT_GEV and abs(particles[i, 1]) < max_abs_eta:
            number[i] = 0
    out = np.empty((len(links.gev), 4), np.float32)
    n = 0
    for i in range(len(links.gev)):
        share = links.gev[i] / total[links.element[i]] if links.gev[i] > 0 else 0.0
        if share >= MIN_SHARE:
            out[n, 0], out[n, 1] = links.element[i], links.particle[i]
            out[n, 2], out[n, 3] = links.gev[i], share
            number[links.particle[i]] = 0
            n += 1
    kept = np.empty_like(particles)
    m = 0
    for i in range(len(particles)):
        if number[i] == 0:
            number[i] = m
            kept[m] = particles[i]
            m += 1
    for i in range(n):
        out[i, 1] = number[int(out[i, 1])]
    return kept[:m].copy(), out[:n].copy()


@compiled
def flow_event(
    hard: CollisionLists,
    number: int,
    pool: Pool,
    towers: Towers,
    true: ChargedParticles,
    detector: Detector,
    rng: np.random.Generator,
) -> FlowEvent:
    """Simulate one crossing up to particle flow; arguments as those of :func:`.event.simulate`."""
    d = detect(hard, number, pool, towers, true, detector, rng)
    elements = _elements(d)
    particles, links = _all_links(hard, number, pool, towers, d)
    edge = N_ETA / 2 * TOWER
    kept, strong = _strong(particles, links, len(elements), edge)
    n = len(d.overlaid.collision)
    return FlowEvent(elements, kept, strong, _candidates(d), d.vertex_z0_cm, d.true_z0_cm, n)
