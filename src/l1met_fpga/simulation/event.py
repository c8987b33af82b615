"""One bunch crossing through everything: overlay, detector, particle flow, vertex, PUPPI."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import (
    ANGLE_LSB_RAD,
    MAX_PUPPI_WEIGHT,
    PT_LSB_GEV,
    Z0_LSB_CM,
    ParticleId,
)
from l1met_fpga.simulation.angles import wrap
from l1met_fpga.simulation.calorimeter import (
    Clusters,
    Towers,
    add,
    combined_clusters,
    em_clusters,
    subtract,
)
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.deposits import CollisionLists
from l1met_fpga.simulation.detector import Detector
from l1met_fpga.simulation.particle_flow import ELECTRON, MUON, Flow, flow
from l1met_fpga.simulation.pool import Pool
from l1met_fpga.simulation.puppi_weights import keep_charged, neutral_weights
from l1met_fpga.simulation.shares import BeforeSubtraction, hard_share
from l1met_fpga.simulation.tracks import MAX_TRACKS, ChargedParticles, Tracks, reconstruct
from l1met_fpga.simulation.vertex import find_vertex

__all__ = ["COLUMN_NAMES", "Crossing", "Detected", "Overlaid", "detect", "simulate"]

COLUMN_NAMES: Final = ("pt", "eta", "phi", "pid", "puppi_weight", "z0", "quality", "dxy", "hard_share")  # fmt: skip
"""Order of the columns of :attr:`Crossing.candidates`."""
HADRON_MINUS: Final = int(ParticleId.HADRON_MINUS)
ELECTRON_MINUS: Final = int(ParticleId.ELECTRON_MINUS)
MUON_MINUS: Final = int(ParticleId.MUON_MINUS)
PHOTON: Final = int(ParticleId.PHOTON)
MAX_COLLISIONS: Final = 4096
MAX_PT_COUNTS: Final = 2**14 - 1
MAX_Z0_COUNTS: Final = 2**9 - 1
MAX_DXY_COUNTS: Final = 2**7 - 1
SQRT_DXY_LSB: Final = 1 / 64
"""Inside jets ``dxy`` is a root (:mod:`l1met_fpga.data.read_jets`), in sqrt(cm)."""


class Crossing(NamedTuple):
    """Result of one crossing.

    Attributes:
        candidates: Hardware integers, shape (n, 9), columns :data:`COLUMN_NAMES`; in no order.
        vertex_z0_cm: Vertex that the trigger found.
        true_z0_cm: Vertex of the hard collision.
        n_collisions: Pile-up collisions overlaid.
        n_hard: How many of them came from the QCD bins.
    """

    candidates: npt.NDArray[np.int16]
    vertex_z0_cm: float
    true_z0_cm: float
    n_collisions: int
    n_hard: int


class Overlaid(NamedTuple):
    """Pile-up of one crossing, each of shape (n_collisions,).

    Attributes:
        collision: Number in the pool.
        rotation_rad: Angle that it was turned by.
        reflection: -1 where it was reflected along the beam, else 1.
    """

    collision: npt.NDArray[np.int64]
    rotation_rad: npt.NDArray[np.float64]
    reflection: npt.NDArray[np.int64]


class Detected(NamedTuple):
    """What the trigger makes of one crossing, before candidates are written.

    Attributes:
        tracks: Reconstructed tracks.
        em: EM clusters.
        calo: Combined clusters.
        particles: Particle flow.
        keep: Which tracks PUPPI keeps.
        weight: PUPPI weight of each neutral particle.
        before: Towers before the mean pile-up is taken off.
        overlaid: Pile-up.
        vertex_z0_cm: Vertex that the trigger found.
        true_z0_cm: Vertex of the hard collision.
        n_true: Charged particles of the hard collision, the first ones of all.
        n_hard: Pile-up collisions from the QCD bins.
    """

    tracks: Tracks
    em: Clusters
    calo: Clusters
    particles: Flow
    keep: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    before: BeforeSubtraction
    overlaid: Overlaid
    vertex_z0_cm: float
    true_z0_cm: float
    n_true: int
    n_hard: int


@compiled
def _collect(true: ChargedParticles, n: int, lists: CollisionLists, collision: int, rotation: float, reflection: int, z_cm: float) -> int:  # fmt: skip
    """Append the charged particles of one collision; return how many there are now."""
    for i in range(lists.track_offsets[collision], lists.track_offsets[collision + 1]):
        if n == MAX_TRACKS:
            break
        true.pt_gev[n] = lists.pt_gev[i]
        true.eta[n] = reflection * lists.eta[i]
        true.phi_rad[n] = wrap(lists.phi_rad[i] + rotation)
        true.z0_cm[n] = z_cm
        true.charge[n] = lists.charge[i]
        true.species[n] = lists.species[i]
        true.impact_eta[n] = reflection * lists.impact_eta[i]
        true.impact_phi_rad[n] = wrap(lists.impact_phi_rad[i] + rotation)
        true.d0_cm[n] = lists.d0_cm[i]
        n += 1
    return n


@compiled
def _overlay(towers: Towers, true: ChargedParticles, n: int, pool: Pool, sigma_z_cm: float, rng: np.random.Generator) -> tuple[int, int, Overlaid]:  # fmt: skip
    """Add pile-up; return the number of charged particles, that of hard collisions, and what was added."""
    collisions = hard = 0
    room = Overlaid(
        np.empty(MAX_COLLISIONS, np.int64),
        np.empty(MAX_COLLISIONS),
        np.empty(MAX_COLLISIONS, np.int64),
    )
    for component in range(len(pool.mean)):
        count = min(rng.poisson(pool.mean[component]), MAX_COLLISIONS - collisions)
        hard += count if component > 0 else 0
        for _ in range(count):
            span = pool.last[component] - pool.first[component]
            collision = pool.first[component] + int(rng.random() * span)
            rotation = math.pi * (2 * rng.random() - 1)
            reflection = 1 if rng.random() < 0.5 else -1
            z_cm = sigma_z_cm * rng.normal()
            add(towers, pool.lists, collision, rotation, reflection)
            n = _collect(true, n, pool.lists, collision, rotation, reflection, z_cm)
            room.collision[collisions] = collision
            room.rotation_rad[collisions] = rotation
            room.reflection[collisions] = reflection
            collisions += 1
    overlaid = Overlaid(
        room.collision[:collisions], room.rotation_rad[:collisions], room.reflection[:collisions]
    )
    return n, hard, overlaid


@compiled
def _counts(value: float, lsb: float) -> int:
    """Round half away from zero, as ``l1ct::Scales`` does."""
    return math.floor(abs(value) / lsb + 0.5) * (1 if value >= 0 else -1)


@compiled
def _write_charged(out, tracks: Tracks, kind, keep, n_hard: int) -> int:  # type: ignore[no-untyped-def]
    """Write the tracks; the first ``n_hard`` true particles are those of the hard collision."""
    n = 0
    for i in range(len(keep)):
        if not keep[i]:
            continue
        pid = HADRON_MINUS
        if kind[i] == ELECTRON:
            pid = ELECTRON_MINUS
        elif kind[i] == MUON:
            pid = MUON_MINUS
        out[n, 0] = min(_counts(tracks.pt_gev[i], PT_LSB_GEV), MAX_PT_COUNTS)
        out[n, 1] = _counts(tracks.eta[i], ANGLE_LSB_RAD)
        out[n, 2] = _counts(tracks.phi_rad[i], ANGLE_LSB_RAD)
        out[n, 3] = pid + (1 if tracks.charge[i] > 0 else 0)
        out[n, 4] = MAX_PUPPI_WEIGHT
        out[n, 5] = max(-MAX_Z0_COUNTS, min(MAX_Z0_COUNTS, _counts(tracks.z0_cm[i], Z0_LSB_CM)))
        out[n, 6] = 1
        out[n, 7] = 0
        out[n, 8] = MAX_PUPPI_WEIGHT if 0 <= tracks.particle[i] < n_hard else 0
        n += 1
    return n


@compiled
def _write_dxy(out, tracks: Tracks, keep, p, rng) -> None:  # type: ignore[no-untyped-def]
    """Write the root of what is measured of d0; drawn after all else, which so stays as it is."""
    n = 0
    for i in range(len(keep)):
        if not keep[i]:
            continue
        width = math.hypot(p.d0_sigma_cm, p.d0_scattering_cm_gev / tracks.pt_gev[i])
        if tracks.is_fake[i] or rng.random() < p.d0_tail_fraction:
            width *= p.d0_tail_factor
        d0 = abs(tracks.d0_cm[i] + width * rng.normal())
        out[n, 7] = min(_counts(math.sqrt(d0), SQRT_DXY_LSB), MAX_DXY_COUNTS)
        n += 1


@compiled
def _write_neutral(out, n: int, particles: Flow, weight, before: BeforeSubtraction) -> int:  # type: ignore[no-untyped-def]
    for i in range(len(weight)):
        code = round(weight[i] * MAX_PUPPI_WEIGHT)
        # The firmware multiplies the integers and drops the fraction.
        pt = min(_counts(particles.pt_gev[i], PT_LSB_GEV) * code // MAX_PUPPI_WEIGHT, MAX_PT_COUNTS)
        if weight[i] == 0 or pt == 0:
            continue
        out[n, 0] = pt
        out[n, 1] = _counts(particles.eta[i], ANGLE_LSB_RAD)
        out[n, 2] = _counts(particles.phi_rad[i], ANGLE_LSB_RAD)
        out[n, 3] = PHOTON if particles.is_photon[i] else 0
        out[n, 4] = code
        out[n, 5] = 0
        out[n, 6] = 0
        out[n, 7] = 0
        share = hard_share(before, particles.eta[i], particles.phi_rad[i], particles.is_photon[i])
        out[n, 8] = round(share * MAX_PUPPI_WEIGHT)
        n += 1
    return n


@compiled
def detect(
    hard: CollisionLists,
    number: int,
    pool: Pool,
    towers: Towers,
    true: ChargedParticles,
    detector: Detector,
    rng: np.random.Generator,
) -> Detected:
    """Overlay one crossing and reconstruct it; arguments as those of :func:`simulate`."""
    towers.em_gev[:] = 0
    towers.had_gev[:] = 0
    towers.em_eta[:] = 0
    towers.em_phi[:] = 0
    sigma_z_cm = detector.pileup.vertex_sigma_z_cm
    true_z0_cm = sigma_z_cm * rng.normal()
    add(towers, hard, number, 0.0, 1)
    hard_em, hard_had = towers.em_gev.copy(), towers.had_gev.copy()
    n_true = _collect(true, 0, hard, number, 0.0, 1, true_z0_cm)
    n, n_hard, overlaid = _overlay(towers, true, n_true, pool, sigma_z_cm, rng)
    tracks = reconstruct(true, n, detector.tracks, rng)
    before = BeforeSubtraction(towers.em_gev.copy(), towers.had_gev.copy(), hard_em, hard_had)
    subtract(towers, pool.ring_em_gev, pool.ring_had_gev, detector.calorimeter)
    em = em_clusters(before.em_gev, towers, detector.calorimeter)
    calo = combined_clusters(towers, detector.calorimeter)
    particles = flow(tracks, em, calo, detector.particle_flow, rng)
    vertex = find_vertex(tracks, detector.vertex)
    keep = keep_charged(tracks, particles.kind, vertex, detector.puppi)
    weight = neutral_weights(tracks, keep, particles, detector.puppi)
    return Detected(
        tracks, em, calo, particles, keep, weight, before, overlaid,
        vertex, true_z0_cm, n_true, n_hard,
    )  # fmt: skip


@compiled
def simulate(
    hard: CollisionLists,
    number: int,
    pool: Pool,
    towers: Towers,
    true: ChargedParticles,
    detector: Detector,
    rng: np.random.Generator,
) -> Crossing:
    """Simulate one crossing.

    Args:
        hard: Hard collisions (without any deposit for a pile-up-only crossing).
        number: Which of them this crossing holds.
        pool: Pile-up.
        towers: Room for the calorimeter; overwritten.
        true: Room for the charged particles; overwritten.
        detector: Parameters.
        rng: This crossing's own stream of random numbers.
    """
    d = detect(hard, number, pool, towers, true, detector, rng)
    out = np.empty((len(d.keep) + len(d.weight), len(COLUMN_NAMES)), np.int16)
    n = _write_charged(out, d.tracks, d.particles.kind, d.keep, d.n_true)
    n = _write_neutral(out, n, d.particles, d.weight, d.before)
    _write_dxy(out, d.tracks, d.keep, detector.impact, rng)
    collisions = len(d.overlaid.collision)
    return Crossing(out[:n].copy(), d.vertex_z0_cm, d.true_z0_cm, collisions, d.n_hard)
