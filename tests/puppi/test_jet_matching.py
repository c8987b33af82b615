"""Generated partners of jets against a plain loop and by hand."""

import math

import numpy as np
from jet_lists import random_jets

from l1met_fpga.puppi.jet_matching import LEPTON_RADIUS, nearest_generated
from l1met_fpga.puppi.jets import Jets

LSB = math.pi / 720


def jets_of(pt: object, eta: object, phi: object) -> Jets:
    codes = (np.array([codes], np.int16) for codes in (pt, eta, phi))
    return Jets(*codes, np.zeros((1, 0), np.int8))


def generated(*rows: tuple[float, float, float]):
    return (np.array([column], np.float64) for column in zip(*rows, strict=True))


def test_nearest_wins_and_two_jets_may_share_it():
    jets = jets_of([400, 200, 100, 0], [0, 30, 500, 30], [0, 0, 0, 0])
    found = nearest_generated(jets, *generated((90, 20 * LSB, 0), (80, -40 * LSB, 0)))
    assert found.tolist() == [[0, 0, -1, -1]]


def test_distance_goes_over_the_half_turn_and_ends_below_the_radius():
    jets = jets_of([400, 400], [0, 0], [725, -700])
    found = nearest_generated(jets, *generated((90, 0, -715 * LSB), (90, 0, -700 * LSB - 0.4)))
    assert found.tolist() == [[0, 0]]
    alone = nearest_generated(jets, *generated((90, 0, -715 * LSB + 0.41)))
    assert alone.tolist() == [[-1, 0]]


def test_soft_jets_get_no_hard_partner():
    jets = jets_of([40, 41], [0, 0], [0, 0])  # 10 and 10.25 GeV
    assert nearest_generated(jets, *generated((100, 0, 0))).tolist() == [[-1, 0]]
    assert nearest_generated(jets, *generated((100, 0, 0)), min_share=0).tolist() == [[0, 0]]


def test_empty_slots_and_no_objects():
    jets = jets_of([40], [0], [0])
    assert nearest_generated(jets, *generated((0, 0, 0), (np.nan, 0, 0))).tolist() == [[-1]]
    nothing = np.zeros((1, 0))
    assert nearest_generated(jets, nothing, nothing, nothing).tolist() == [[-1]]


def test_a_plain_loop_finds_the_same():
    rng = np.random.default_rng(0)
    jets = random_jets(200, rng)
    pt, eta = rng.exponential(50, (200, 12)), rng.uniform(-5, 5, (200, 12))
    phi = rng.uniform(-math.pi, math.pi, (200, 12))
    pt[rng.random(pt.shape) < 0.3] = 0
    # half of them near a jet
    near = rng.integers(0, 16, (200, 6))
    eta[:, :6] = np.take_along_axis(jets.eta, near, 1) * LSB + rng.normal(0, 0.15, (200, 6))
    phi[:, :6] = np.take_along_axis(jets.phi, near, 1) * LSB + rng.normal(0, 0.15, (200, 6))
    for radius, min_share in ((0.4, 0.1), (LEPTON_RADIUS, 0)):
        found = nearest_generated(jets, pt, eta, phi, radius=radius, min_share=min_share)
        want = np.full(found.shape, -1)
        for event, jet in np.ndindex(found.shape):
            best = radius
            for k in range(12):
                deta = jets.eta[event, jet] * LSB - eta[event, k]
                dphi = math.remainder(jets.phi[event, jet] * LSB - phi[event, k], 2 * math.pi)
                enough = jets.pt[event, jet] / 4 > min_share * pt[event, k]
                is_object = pt[event, k] > 0 and jets.pt[event, jet] > 0
                if is_object and enough and math.hypot(deta, dphi) < best:
                    best, want[event, jet] = math.hypot(deta, dphi), k
        np.testing.assert_array_equal(found, want)
        assert (found >= 0).sum() > 100
