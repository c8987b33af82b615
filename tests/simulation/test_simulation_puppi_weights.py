import math

import numpy as np
import pytest
from simulation_events import tracks_from

from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.particle_flow import DROPPED, HADRON, MUON, Flow
from l1met_fpga.simulation.puppi_weights import keep_charged, neutral_weights, puppi_region

PUPPI = load_detector().puppi


def _neutrals(*rows):
    pt, eta, phi, photon = np.array(rows, float).T
    return Flow(np.zeros(0, np.int64), pt, eta, phi, photon.astype(bool), np.arange(len(pt)))


def test_barrel_photon_and_hadron_by_hand():
    # Tracks of 10 and 60 GeV (counted as 50) at dR 0.1 and 0.05 (taken as 0.07); a third is too far.
    tracks = tracks_from([(10, 0.1, 0.0, 0.0), (60, 0.0, 0.05, 0.0), (30, 0.0, 0.5, 0.0)])
    keep = np.ones(3, bool)
    neutrals = _neutrals((6.0, 0.0, 0.0, 1), (6.0, 0.0, 0.0, 0))
    alpha = math.log(10**2 / 0.1**2 + 50**2 / 0.07**2)
    from_alpha = min(0.7 * (alpha - 6.0), 4.0)
    photon = 1 / (1 + math.exp(-(from_alpha + 0.3 * (6.0 - 2.5) - 1.0)))
    hadron = 1 / (1 + math.exp(-(from_alpha + 0.3 * (6.0 - 4.0) - 5.0)))
    weight = neutral_weights(tracks, keep, neutrals, PUPPI)
    assert weight == pytest.approx([photon, hadron], rel=1e-12)


def test_barrel_hadron_without_neighbours_is_cropped_at_minus_four():
    tracks = tracks_from([(10, 2.0, 3.0, 0.0)])
    weight = neutral_weights(tracks, np.ones(1, bool), _neutrals((40.0, 0.0, 0.0, 0)), PUPPI)
    assert weight[0] == pytest.approx(1 / (1 + math.exp(-(-4 + 0.3 * (40 - 4) - 5))))


def test_forward_neighbours_are_other_clusters_not_the_candidate_itself():
    tracks = tracks_from([(10, 0.0, 0.0, 0.0)])
    neutrals = _neutrals((60.0, 4.0, 0.0, 0), (30.0, 4.2, 0.0, 0))
    alpha = math.log(30**2 / 0.2**2)
    x2 = np.clip(0.6 * (alpha - 9.0), -4, 4) + 0.25 * (60 - 14) - 6.0
    weight = neutral_weights(tracks, np.ones(1, bool), neutrals, PUPPI)
    assert weight[0] == pytest.approx(1 / (1 + math.exp(-x2)))


def test_weighted_pt_below_the_cut_is_not_accepted():
    tracks = tracks_from([(10, 2.0, 3.0, 0.0)])
    weight = neutral_weights(tracks, np.ones(1, bool), _neutrals((3.0, 0.0, 0.0, 0)), PUPPI)
    assert weight[0] == 0


def test_charged_window_is_half_a_centimetre_in_the_barrel_and_wider_in_hgcal():
    tracks = tracks_from([(5, 0.1, 0, 1.4), (5, 0.1, 0, 1.6), (5, 2.0, 0, 2.3), (5, 2.0, 0, 2.4)])
    kind = np.full(4, HADRON)
    assert keep_charged(tracks, kind, 1.0, PUPPI).tolist() == [True, False, True, False]


def test_muons_stay_wherever_they_come_from_and_dropped_tracks_go():
    far = tracks_from([(5, 0.1, 0, 9.0), (5, 0.1, 0, 0.0)])
    assert keep_charged(far, np.array([MUON, DROPPED]), 0.0, PUPPI).tolist() == [True, False]


@pytest.mark.parametrize(
    ("eta", "want"), [(0, 0), (1.49, 0), (1.5, 1), (2.0, 2), (2.5, 3), (3.0, 4), (5.0, 4)]
)
def test_region_edges(eta, want):
    assert puppi_region(eta) == want
