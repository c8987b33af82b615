import numpy as np
import pytest
from require import require_module
from simulation_events import collision, random_collisions

from l1met_fpga.errors import SimulationError
from l1met_fpga.files import write_json
from l1met_fpga.simulation.calorimeter import TOWER, Towers, add, ring_means
from l1met_fpga.simulation.deposits import make_lists
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.generate import checksum, load_card
from l1met_fpga.simulation.particles import Species
from l1met_fpga.simulation.pool import pool_batches, read_pool

# names of generated files hold Pythia's version
require_module("pythia8mc", extra="simulation")

CROSS_SECTIONS_MB = {
    "minimum_bias": 80.0, "qcd_45_80": 0.04, "qcd_80_130": 0.004, "qcd_130_200": 4e-4,
    "qcd_200_inf": 8e-5,
}  # fmt: skip


def _cache(tmp_path, batches, *, hard):
    """Write pool files of soft random collisions; ``hard`` of the minimum-bias ones are hard."""
    rng = np.random.default_rng(0)
    for batch in batches:
        events = random_collisions(batch.events, rng, mean_particles=10)
        if batch.card == "minimum_bias":
            events.pt_hat_gev[:hard] = 45.0
            events.pt_hat_gev[hard:] = 44.9
        stem = checksum(load_card(batch.card), events=batch.events, seed=batch.seed)
        events.save(tmp_path / f"{stem}.npz")
        about = {"cross_section_mb": CROSS_SECTIONS_MB[batch.card]}
        write_json(tmp_path / f"{stem}.json", about)


def test_hard_minimum_bias_is_vetoed_and_put_back_at_its_rate(tmp_path):
    batches = pool_batches(50, (4, 3, 2, 1), seed=1)
    _cache(tmp_path, batches, hard=7)
    pool = read_pool(batches, load_detector(), cache=tmp_path)
    assert pool.first.tolist() == [0, 43, 47, 50, 52]
    assert pool.last.tolist() == [43, 47, 50, 52, 53]
    # 200 collisions x cross section / 80 mb, by hand.
    assert pool.mean[1:] == pytest.approx([0.1, 0.01, 0.001, 0.0002])
    assert pool.mean.sum() == pytest.approx(200)


def test_pool_of_hard_collisions_only_is_refused(tmp_path):
    batches = pool_batches(5, (1, 1, 1, 1), seed=1)
    _cache(tmp_path, batches, hard=5)
    with pytest.raises(SimulationError, match="no minimum-bias collision"):
        read_pool(batches, load_detector(), cache=tmp_path)


def test_batches_are_at_most_five_thousand_and_have_their_own_seeds():
    batches = pool_batches(12_000, (6_000, 1, 1, 1), seed=2)
    minimum_bias = [b for b in batches if b.card == "minimum_bias"]
    assert [b.events for b in minimum_bias] == [5000, 5000, 2000]
    assert [b.seed for b in minimum_bias] == [200_000, 200_001, 200_002]


def _one_photon(eta, phi):
    detector = load_detector()
    calorimeter = detector.calorimeter._replace(em_stochastic=(0,) * 3, em_constant=(0,) * 3)
    events = collision((10, eta, phi, Species.PHOTON, 0))
    return make_lists(events, detector.tracks, calorimeter, np.random.default_rng(0))


@pytest.mark.parametrize(("rotation", "reflection"), [(0.0, 1), (1.0, 1), (-3.0, -1), (3.1, -1)])
def test_overlay_rotates_and_reflects(rotation, reflection):
    towers = Towers.empty()
    add(towers, _one_photon(1.234, 2.0), 0, rotation, reflection)
    row, column = np.unravel_index(np.argmax(towers.em_gev), towers.em_gev.shape)
    assert towers.em_gev.sum() == pytest.approx(10, rel=1e-5)
    assert row == int(np.floor(reflection * 1.234 / TOWER)) + 58
    assert column == int(np.floor((2.0 + rotation) / TOWER)) % 72
    # The centroid remembers where in the tower the photon was.
    eta = (row - 58 + 0.5 + towers.em_eta[row, column] / 10) * TOWER
    assert eta == pytest.approx(reflection * 1.234, abs=1e-4)


def test_ring_means_are_the_average_overlay():
    detector, rng = load_detector(), np.random.default_rng(3)
    lists = make_lists(
        random_collisions(30, rng, mean_particles=200), detector.tracks, detector.calorimeter, rng
    )
    em, had = ring_means(lists, 30.0)
    towers = Towers.empty()
    for number in range(30):
        add(towers, lists, number, 0.0, 1)
    seen = towers.em_gev.sum(axis=1) / 72
    assert em == pytest.approx((seen + seen[::-1]) / 2, rel=1e-3, abs=1e-4)
    seen = towers.had_gev.sum(axis=1) / 72
    assert had == pytest.approx((seen + seen[::-1]) / 2, rel=1e-3, abs=1e-4)
