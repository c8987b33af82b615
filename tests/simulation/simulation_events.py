"""Hand-made collisions for the tests of the simulation (no generator needed)."""

import numpy as np

from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.objects import Objects
from l1met_fpga.simulation.particles import ParticleEvents, Species
from l1met_fpga.simulation.tracks import Tracks


def collision(*particles, gen_met=(0.0, 0.0)):
    """One collision; each particle is (pt, eta, phi, species, charge)."""
    columns = np.array(particles, float).reshape(-1, 5).T
    return ParticleEvents(
        np.array([0, len(particles)]),
        *(column.astype(np.float32) for column in columns[:3]),
        *(column.astype(np.int8) for column in columns[3:]),
        np.zeros(len(particles), np.float32),
        np.array([gen_met], float),
        np.zeros(1, np.float32),
        Objects.none(1),
    )


def random_collisions(n, rng, *, mean_particles=60, mean_pt_gev=1.0):
    """Collisions with soft particles everywhere."""
    parts = []
    for _ in range(n):
        m = rng.poisson(mean_particles)
        species = rng.choice([Species.CHARGED_HADRON, Species.PHOTON, Species.NEUTRAL_HADRON], m)
        charge = np.where(species == Species.CHARGED_HADRON, rng.choice([-1, 1], m), 0)
        pt = 0.1 + rng.exponential(mean_pt_gev, m)
        eta, phi = rng.uniform(-5, 5, m), rng.uniform(-np.pi, np.pi, m)
        parts.append(collision(*zip(pt, eta, phi, species, charge, strict=True)))
    return ParticleEvents.concatenate(parts)


def perfect_detector():
    """Parameters without losses, smearing, thresholds or fakes; PUPPI keeps everything."""
    d = load_detector()
    tracks = d.tracks._replace(
        efficiency=(1.0, 1.0), electron_factor=1.0, muon_factor=1.0, fakes_mean=0.0,
        pt_resolution_offset=(0.0,) * 5, pt_resolution_per_tev=(0.0,) * 5,
        z0_sigma_cm=0.0, z0_sigma_eta2_cm=0.0, z0_tail_fraction=0.0, core_max_loss=0.0,
    )  # fmt: skip
    calorimeter = d.calorimeter._replace(
        field_t=1e-9, em_stochastic=(0.0,) * 3, em_constant=(0.0,) * 3,
        had_stochastic=(0.0,) * 3, had_constant=(0.0,) * 3, had_nonlinearity=0.0,
        shower_em_max=0.0, mip_energy_gev=0.0, muon_energy_gev=0.0, em_zero_suppression_gev=0.0,
        had_zero_suppression_gev=0.0, had_scale=(1.0,) * 3, em_seed_gev=0.0, had_seed_gev=0.0,
    )  # fmt: skip
    flow = d.particle_flow._replace(
        neutral_pt_smear=0.0, photon_pt_shift_gev=(0.0,) * 3, hadron_pt_shift_gev=(0.0,) * 4,
        max_invisible_pt_gev=1e6,
    )  # fmt: skip
    puppi = d.puppi._replace(
        prior=(-1e3,) * 5, prior_photon=(-1e3,) * 5, cut_pt_gev=(0.0,) * 5,
        min_photon_pt_gev=0.0, min_hadron_pt_gev=(0.0,) * 5,
    )  # fmt: skip
    return d._replace(tracks=tracks, calorimeter=calorimeter, particle_flow=flow, puppi=puppi)


def tracks_from(rows, *, muon=False):
    """Tracks from (pt, eta, phi, z0) rows."""
    pt, eta, phi, z0 = np.array(rows, float).T
    n = len(pt)
    no = np.zeros(n, bool)
    return Tracks(
        pt,
        eta,
        phi,
        z0,
        np.ones(n, np.int64),
        np.full(n, muon),
        no,
        no,
        eta.copy(),
        phi.copy(),
        np.zeros(n),
        np.arange(n),
    )
