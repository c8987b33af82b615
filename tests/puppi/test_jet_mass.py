"""Mass of jets by hand and against exact arithmetic; its bits are checked with those of the jets."""

import numpy as np
import pytest
from jet_lists import random_lists

from l1met_fpga.puppi.jet_constituents import constituents
from l1met_fpga.puppi.jet_mass import jet_mass2
from l1met_fpga.puppi.jets import WIDE_RADIUS, seeded_cone_jets

LSB = np.pi / 720


def columns(**codes: object):
    return {name: np.array(code, np.int16) for name, code in codes.items()}


def test_two_candidates_by_hand():
    # 100 and 60 GeV, 0.4 apart in eta: m^2 = 2 pt pt (cosh 0.4 - 1) = 973
    lists = columns(pt=[[400, 240, 0]], eta=[[50, 142, 0]], phi=[[7, 7, 0]])
    mass2 = jet_mass2(lists, seeded_cone_jets(lists, WIDE_RADIUS))
    want = 2 * 100 * 60 * (np.cosh(92 * LSB) - 1)
    assert mass2[0, 0] / 4 == pytest.approx(want, rel=0.01)
    assert (mass2[0, 1:] == 0).all()


def test_one_candidate_has_no_mass():
    lists = columns(pt=[[16383]], eta=[[800]], phi=[[-720]])
    assert jet_mass2(lists, seeded_cone_jets(lists, WIDE_RADIUS))[0, 0] == 0


def test_order_of_the_jets_does_not_matter():
    lists = random_lists(200, np.random.default_rng(0))
    jets = seeded_cone_jets(lists, WIDE_RADIUS)
    falling = jets.in_falling_pt()
    one = np.sort(jet_mass2(lists, jets), axis=1)
    np.testing.assert_array_equal(np.sort(jet_mass2(lists, falling), axis=1), one)


def test_mass_follows_exact_arithmetic():
    lists = {
        name: codes[:, :32] for name, codes in random_lists(2000, np.random.default_rng(1)).items()
    }
    jets = seeded_cone_jets(lists, WIDE_RADIUS)
    inside = constituents(lists, jets, n_slots=32)
    pt_gev, eta, phi = (
        inside[n] * scale for n, scale in (("pt", 0.25), ("eta", LSB), ("phi", LSB))
    )
    energy, beam = (pt_gev * np.cosh(eta)).sum(-1), (pt_gev * np.sinh(eta)).sum(-1)
    x, y = (pt_gev * np.cos(phi)).sum(-1), (pt_gev * np.sin(phi)).sum(-1)
    exact = np.sqrt(np.maximum(energy**2 - beam**2 - x**2 - y**2, 0))
    # sums are cut by up to 1/256 GeV per candidate, which counts by E/m
    sure = (jets.pt > 200) & (exact / (jets.pt / 4 + 1) > 0.1) & (exact < 170)
    assert sure.sum() > 400
    mass = np.sqrt(jet_mass2(lists, jets)[sure] / 4)
    np.testing.assert_allclose(mass, exact[sure], rtol=0.03)
