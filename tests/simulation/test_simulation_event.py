import numpy as np
import pytest
from simulation_events import collision, perfect_detector, random_collisions

from l1met_fpga.puppi.columns import STORED_COLUMNS
from l1met_fpga.simulation.calorimeter import TOWER, Towers, add, ring_means
from l1met_fpga.simulation.crossings import simulate_crossings
from l1met_fpga.simulation.deposits import bend, make_lists
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.particles import ParticleEvents, Species
from l1met_fpga.simulation.pool import Pool, empty_pool
from l1met_fpga.simulation.shares import BeforeSubtraction, hard_share

HADRON, PHOTON, NEUTRAL = Species.CHARGED_HADRON, Species.PHOTON, Species.NEUTRAL_HADRON


def _pool(detector, *, mean=50.0):
    rng = np.random.default_rng(5)
    lists = make_lists(random_collisions(60, rng), detector.tracks, detector.calorimeter, rng)
    means = ring_means(lists, mean)
    return Pool(lists, np.array([0]), np.array([60]), np.array([mean]), *means)


def test_met_is_gen_met_without_detector_pileup_and_puppi():
    detector = perfect_detector()
    rng = np.random.default_rng(1)
    events = []
    for _ in range(50):
        n = 8
        # In the middle of towers, six towers apart: no cluster is shared, no position is off.
        eta = (np.arange(n) * 6 - 21 + 0.5) * TOWER
        pt, phi = rng.uniform(5, 80, n), (rng.integers(-36, 36, n) + 0.5) * TOWER
        species = rng.choice([HADRON, PHOTON, NEUTRAL], n)
        charge = np.where(species == HADRON, rng.choice([-1, 1], n), 0)
        met = -(pt * np.cos(phi)).sum(), -(pt * np.sin(phi)).sum()
        events.append(collision(*zip(pt, eta, phi, species, charge, strict=True), gen_met=met))
    hard = ParticleEvents.concatenate(events)
    seen = simulate_crossings(hard, empty_pool(detector), detector, seed=(1,))
    assert seen.counts.tolist() == [8] * 50
    # Each pt is rounded to 0.25 GeV and each angle to pi/720 (0.17 GeV at 80 GeV at most).
    difference = seen.puppi_met_xy_gev() - hard.gen_met_xy_gev
    assert np.abs(difference).max() < 8 * np.hypot(0.125, 0.18)
    assert difference.std() < 0.5


def test_charged_candidates_lie_within_acceptance():
    detector = load_detector()
    hard = random_collisions(40, np.random.default_rng(2), mean_pt_gev=4.0)
    seen = simulate_crossings(hard, empty_pool(detector), detector, seed=(2,))
    charged = seen.columns["pid"] >= 2
    assert charged.sum() > 100
    eta = np.abs(seen.columns["eta"][charged]) * np.pi / 720
    assert eta.max() <= 2.4 + np.pi / 1440
    assert seen.columns["pt"][charged].min() >= 8  # 2 GeV
    assert (seen.columns["puppi_weight"][charged] == 256).all()


def test_all_columns_stay_within_their_types():
    detector = load_detector()
    hard = random_collisions(40, np.random.default_rng(3), mean_pt_gev=300.0)
    seen = simulate_crossings(hard, _pool(detector), detector, seed=(3,))
    for name, codes in seen.columns.items():
        column = STORED_COLUMNS[name]
        assert codes.min() >= column.low, name
        assert codes.max() <= column.high, name
    assert (seen.columns["z0"][seen.columns["pid"] < 2] == 0).all()


def test_same_seed_same_events_and_parts_equal_the_whole():
    detector = load_detector()
    pool, hard = _pool(detector), random_collisions(12, np.random.default_rng(4))
    whole = simulate_crossings(hard, pool, detector, seed=(4,))
    part = simulate_crossings(hard, pool, detector, seed=(4,), events=np.arange(5, 9))
    begin, end = whole.counts[:5].sum(), whole.counts[:9].sum()
    for name, codes in part.columns.items():
        np.testing.assert_array_equal(codes, whole.columns[name][begin:end])
    assert part.event.tolist() == [6, 7, 8, 9]
    other = simulate_crossings(hard, pool, detector, seed=(5,))
    assert other.columns["phi"].tolist() != whole.columns["phi"].tolist()


def test_pileup_number_is_poisson():
    detector = load_detector()
    seen = simulate_crossings(ParticleEvents.empty(400), _pool(detector), detector, seed=(6,))
    assert seen.n_pileup.mean() == pytest.approx(50, abs=4 * np.sqrt(50 / 400))
    assert seen.n_pileup.var() == pytest.approx(50, rel=0.3)


def test_candidates_are_hardest_first_and_cut():
    detector = load_detector()
    hard = random_collisions(3, np.random.default_rng(7), mean_pt_gev=10.0)
    seen = simulate_crossings(hard, _pool(detector), detector, seed=(7,), max_candidates=10)
    assert seen.counts.tolist() == [10] * 3
    assert (np.diff(seen.columns["pt"][:10]) <= 0).all()


def test_bending_by_hand():
    p = load_detector().calorimeter
    # 2 GeV in 3.8 T: radius 2 / (0.3 * 3.8) = 1.754 m; half turn asin(1.29 / 3.509).
    eta, phi = bend(2.0, 0.0, 0.0, 1, p)
    assert eta == pytest.approx(0, abs=1e-6)
    assert phi == pytest.approx(-np.arcsin(1.29 / (2 * 2 / (0.3 * 3.8))), rel=1e-9)
    assert bend(2.0, 0.0, 0.0, -1, p)[1] == pytest.approx(-phi)
    assert bend(2.0, 1.0, 0.5, 0, p) == (1.0, 0.5)
    # A 0.3 GeV particle curls up before the barrel and ends in the endcap, at higher eta.
    assert bend(0.3, 1.0, 0.0, 1, p)[0] > 1.5
    # Mirror symmetry along the beam, which the pool's reflections rely on.
    assert bend(0.8, -0.7, 0.2, 1, p) == pytest.approx(
        (-bend(0.8, 0.7, 0.2, 1, p)[0], bend(0.8, 0.7, 0.2, 1, p)[1])
    )


def test_the_share_of_the_hard_collision_is_that_of_the_energy():
    """One photon and one neutral hadron each lie on a pile-up particle of known energy."""
    detector = perfect_detector()
    places = [
        (-10.5 * TOWER, 4.5 * TOWER),
        (12.5 * TOWER, -6.5 * TOWER),
        (2.5 * TOWER, 20.5 * TOWER),
    ]
    kinds, hard_gev, pileup_gev = (PHOTON, NEUTRAL, PHOTON), (30.0, 60.0, 0.0), (10.0, 20.0, 25.0)

    def at(energies, events):
        found = [
            (pt, eta, phi, kind, 0)
            for pt, (eta, phi), kind in zip(energies, places, kinds, strict=True)
            if pt
        ]
        return ParticleEvents.concatenate([collision(*found)] * events)

    rng = np.random.default_rng(1)
    # Pool collisions are turned and reflected at random: the pile-up is put in as one collision.
    both = [hard + pileup for hard, pileup in zip(hard_gev, pileup_gev, strict=True)]
    alone = simulate_crossings(at(hard_gev, 1), empty_pool(detector), detector, seed=(1,))
    assert alone.columns["hard_share"].tolist() == [256, 256]
    towers = [Towers.empty() for _ in range(2)]
    for grid, energies in zip(towers, (hard_gev, both), strict=True):
        lists = make_lists(at(energies, 1), detector.tracks, detector.calorimeter, rng)
        add(grid, lists, 0, 0.0, 1)
    before = BeforeSubtraction(
        towers[1].em_gev, towers[1].had_gev, towers[0].em_gev, towers[0].had_gev
    )
    found = [
        hard_share(before, eta, phi, kind == PHOTON)
        for (eta, phi), kind in zip(places, kinds, strict=True)
    ]
    np.testing.assert_allclose(found, [0.75, 0.75, 0.0], atol=0.02)


def test_tracks_know_their_collision():
    detector = load_detector()
    hard = random_collisions(20, np.random.default_rng(6), mean_pt_gev=5.0)
    with_pileup = simulate_crossings(hard, _pool(detector), detector, seed=(6,))
    nothing = simulate_crossings(ParticleEvents.empty(20), _pool(detector), detector, seed=(6,))
    charged = with_pileup.columns["pid"] >= 2
    assert set(with_pileup.columns["hard_share"][charged].tolist()) == {0, 256}
    assert not nothing.columns["hard_share"].any()
