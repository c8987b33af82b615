import math

import numpy as np
import pytest
from simulation_events import tracks_from

from l1met_fpga.simulation.calorimeter import (
    N_ETA,
    N_PHI,
    TOWER,
    Towers,
    combined_clusters,
    em_clusters,
    subtract,
)
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.particle_flow import DROPPED, HADRON, MUON, flow
from l1met_fpga.simulation.tracks import ChargedParticles, reconstruct, z0_sigma
from l1met_fpga.simulation.vertex import find_vertex

DETECTOR = load_detector()
EXACT = DETECTOR.particle_flow._replace(
    neutral_pt_smear=0.0, photon_pt_shift_gev=(0.0,) * 3, hadron_pt_shift_gev=(0.0,) * 4
)
ROW, COLUMN = 58, 10
ETA, PHI = 0.5 * TOWER, 10.5 * TOWER


def _clusters(towers):
    calorimeter = DETECTOR.calorimeter._replace(had_scale=(1.0,) * 3)
    return em_clusters(towers.em_gev.copy(), towers, calorimeter), combined_clusters(
        towers, calorimeter
    )


def _flow(towers, tracks):
    em, calo = _clusters(towers)
    return flow(tracks, em, calo, EXACT, np.random.default_rng(0))


def test_vertex_is_the_window_with_most_pt():
    tracks = tracks_from([(30, 0, 0, 4.0), (20, 0, 0, 4.1), (40, 0, 0, -6.0), (2, 0, 0, 9.0)])
    assert find_vertex(tracks, DETECTOR.vertex) == pytest.approx(4.04, abs=0.09)


def test_vertex_follows_a_hard_fake_only_up_to_the_truncation():
    tracks = tracks_from([(30, 0, 0, 4.0), (30, 0, 0, 4.05), (900, 0, 0, -6.0)])
    assert find_vertex(tracks, DETECTOR.vertex) == pytest.approx(4.0, abs=0.1)


def test_vertex_without_tracks_is_zero():
    none = tracks_from(np.zeros((1, 4)))
    empty = type(none)(*(column[:0] for column in none))
    assert find_vertex(empty, DETECTOR.vertex) == 0.0


def test_tower_between_two_seeds_is_shared_by_their_energy():
    towers = Towers.empty()
    towers.had_gev[50, 10], towers.had_gev[50, 11], towers.had_gev[50, 12] = 30.0, 8.0, 10.0
    _, calo = _clusters(towers)
    assert sorted(calo.pt_gev) == pytest.approx([10 + 8 * 10 / 40, 30 + 8 * 30 / 40])


def test_clusters_hold_all_energy_across_the_phi_border():
    towers = Towers.empty()
    towers.had_gev[50, 0], towers.had_gev[50, N_PHI - 1] = 20.0, 5.0
    _, calo = _clusters(towers)
    assert calo.pt_gev == pytest.approx([25.0])
    assert calo.phi_rad[0] == pytest.approx((0.5 - 5 / 25) * TOWER, abs=1e-6)


def test_subtraction_leaves_no_negative_energy_and_spares_the_forward_part():
    towers = Towers.empty()
    towers.em_gev[:], towers.had_gev[:] = 2.0, 3.0
    subtract(towers, np.full(N_ETA, 1.5), np.full(N_ETA, 4.0), DETECTOR.calorimeter)
    assert towers.em_gev[ROW, 0] == pytest.approx(0.5)
    assert towers.had_gev[ROW, 0] == 0
    assert (towers.em_gev[0, 0], towers.had_gev[0, 0]) == (2.0, 3.0)


def test_photon_without_track_stays_a_photon():
    towers = Towers.empty()
    towers.em_gev[ROW, COLUMN] = 12.0
    found = _flow(towers, tracks_from([(5, 1.5, 2.0, 0)]))
    assert found.pt_gev.tolist() == [12.0]
    assert found.is_photon.tolist() == [True]


def test_hadron_energy_within_resolution_of_its_track_adds_nothing():
    towers = Towers.empty()
    towers.had_gev[ROW, COLUMN] = 22.0  # sigma at 20 GeV: 0.122 * 20 + 2.582 = 5.0
    found = _flow(towers, tracks_from([(20, ETA, PHI, 0)]))
    assert len(found.pt_gev) == 0
    assert found.kind.tolist() == [HADRON]


def test_excess_over_the_track_is_a_neutral_hadron():
    towers = Towers.empty()
    towers.had_gev[ROW, COLUMN] = 40.0
    found = _flow(towers, tracks_from([(20, ETA, PHI, 0)]))
    assert found.pt_gev == pytest.approx([20.0])
    assert found.is_photon.tolist() == [False]


def test_hard_track_without_energy_is_dropped_unless_it_is_a_muon():
    towers = Towers.empty()
    rows = [(50, ETA, PHI, 0), (15, -ETA, -PHI, 0)]
    assert _flow(towers, tracks_from(rows)).kind.tolist() == [DROPPED, HADRON]
    assert _flow(towers, tracks_from(rows, muon=True)).kind.tolist() == [MUON, MUON]


def test_efficiency_and_resolution_of_isolated_tracks():
    n = 1000
    true = ChargedParticles.empty()
    true.pt_gev[:n], true.charge[:n] = 10.0, 1
    # 10 x 30 grid, each particle farther than the core radius from the next.
    eta, phi = np.meshgrid(np.linspace(-1.19, 1.19, 10), np.linspace(-3.1, 3.1, 30))
    kept, z0, ratio = [], [], []
    rng = np.random.default_rng(0)
    parameters = DETECTOR.tracks._replace(fakes_mean=0.0, z0_tail_fraction=0.0)
    for _ in range(20):
        m = eta.size
        true.eta[:m], true.phi_rad[:m] = eta.ravel(), phi.ravel()
        tracks = reconstruct(true, m, parameters, rng)
        kept.append(len(tracks.pt_gev) / m)
        central = np.abs(tracks.eta) < 0.8
        ratio.extend(tracks.pt_gev[central] / 10)
        z0.extend(tracks.z0_cm[np.abs(tracks.eta) < 0.2] / z0_sigma(10.0, 0.13, parameters))
    assert np.mean(kept) == pytest.approx(0.95, abs=0.01)
    assert np.std(ratio) == pytest.approx(math.hypot(0.275e-3 * 10, 0.007), rel=0.05)
    assert np.std(z0) == pytest.approx(1.0, rel=0.1)


def test_fakes_are_poisson_and_within_acceptance():
    true, rng = ChargedParticles.empty(), np.random.default_rng(0)
    counts = []
    for _ in range(400):
        tracks = reconstruct(true, 0, DETECTOR.tracks, rng)
        counts.append(len(tracks.pt_gev))
        assert tracks.is_fake.all()
        assert (tracks.pt_gev >= 2.0).all()
        assert (np.abs(tracks.eta) <= 2.4).all()
    assert np.mean(counts) == pytest.approx(DETECTOR.tracks.fakes_mean, abs=0.35)
