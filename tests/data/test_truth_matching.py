"""Which particle an element stands for, on events made by hand."""

import numpy as np
import pytest

from l1met_fpga.data.element_kinds import ElementKind, ParticleClass
from l1met_fpga.data.truth_matching import match

TRACK, ECAL, HCAL = ElementKind.TRACK, ElementKind.ECAL, ElementKind.HCAL
CHARGED, NEUTRAL, PHOTON = (
    ParticleClass.CHARGED_HADRON, ParticleClass.NEUTRAL_HADRON, ParticleClass.PHOTON,
)  # fmt: skip
ELECTRON = ParticleClass.ELECTRON


def matched(kinds, particles, links):
    """Particles are (pt, class, is_hard), links (element, particle, energy)."""
    pt, code, hard = np.array(particles, float).reshape(-1, 3).T
    element, particle, gev = np.array(links, float).reshape(-1, 3).T
    return match(
        np.array(kinds),
        particle_pt_gev=pt,
        particle_class=code.astype(int),
        is_hard=hard.astype(int),
        link_element=element.astype(int),
        link_particle=particle.astype(int),
        link_gev=gev,
    )


def test_each_takes_the_strongest_element_that_no_harder_one_has():
    found = matched(
        [TRACK, ECAL, HCAL],
        [(10, CHARGED, 1), (6, NEUTRAL, 0), (4, PHOTON, 1)],
        [(0, 0, 10), (2, 0, 12), (2, 1, 5), (1, 1, 1), (2, 2, 3), (1, 2, 1)],
    )
    assert found.element.tolist() == [0, 2, 1]
    assert found.particle_class.tolist() == [CHARGED, PHOTON, NEUTRAL]
    assert found.pt_gev.tolist() == [10, 4, 6]
    assert found.hard_pt_gev.tolist() == [10, 4, 0]


def test_who_finds_none_free_joins_the_strongest_and_the_hardest_gives_the_class():
    found = matched(
        [ECAL, HCAL],
        [(3, PHOTON, 0), (9, NEUTRAL, 1), (8, PHOTON, 0)],
        [(0, 0, 1), (1, 0, 2), (1, 1, 9), (0, 1, 1), (0, 2, 8)],
    )
    assert found.element.tolist() == [1, 1, 0]
    assert found.pt_gev.tolist() == [8, 12]
    assert found.hard_pt_gev.tolist() == [0, 9]
    assert found.particle_class.tolist() == [PHOTON, NEUTRAL]


def test_a_charged_particle_without_a_track_looks_neutral():
    found = matched(
        [HCAL, ECAL, TRACK],
        [(5, CHARGED, 0), (7, ELECTRON, 0), (2, ELECTRON, 0)],
        [(0, 0, 4), (1, 1, 7), (2, 2, 2)],
    )
    assert found.particle_class.tolist() == [NEUTRAL, PHOTON, ELECTRON]


def test_particles_without_a_link_are_lost_and_elements_without_one_are_none():
    found = matched([TRACK, HCAL], [(5, CHARGED, 1), (3, NEUTRAL, 1)], [(0, 0, 5)])
    assert found.element.tolist() == [0, -1]
    assert found.pt_gev.tolist() == [5, 0]
    assert found.particle_class.tolist() == [CHARGED, ParticleClass.NONE]


@pytest.mark.parametrize("n_elements", [0, 3])
def test_events_without_particles(n_elements):
    found = matched([HCAL] * n_elements, [], [])
    assert found.pt_gev.tolist() == [0] * n_elements
    assert found.particle_class.tolist() == [ParticleClass.NONE] * n_elements


def test_no_momentum_is_lost_or_counted_twice():
    rng = np.random.default_rng(3)
    n, m, links = 30, 80, 300
    pt = rng.exponential(3, m)
    found = match(
        rng.integers(0, 4, n),
        particle_pt_gev=pt,
        particle_class=rng.integers(1, 6, m),
        is_hard=rng.integers(0, 2, m),
        link_element=rng.integers(0, n, links),
        link_particle=rng.integers(0, m, links),
        link_gev=rng.exponential(1, links),
    )
    assert found.pt_gev.sum() == pytest.approx(pt[found.element >= 0].sum())
    taken = np.bincount(found.element[found.element >= 0], minlength=n) > 0
    np.testing.assert_array_equal(taken, found.particle_class != ParticleClass.NONE)
