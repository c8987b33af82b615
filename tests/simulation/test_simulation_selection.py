import numpy as np
import pytest

from l1met_fpga.simulation.selection import Order, region, select


def _candidates(rows):
    return np.array(rows, np.int16).reshape(-1, 3)


def test_pt_order_is_stable_and_cut():
    found = select(
        _candidates([(4, 0, 1), (9, 0, 2), (4, 0, 3), (7, 0, 4)]), order=Order.PT, max_candidates=3
    )
    assert found[:, 2].tolist() == [2, 4, 1]


def test_each_region_hands_on_its_hardest():
    # 30 candidates in one HF region (eta 4 is 917 counts): ten may leave it.
    crowd = _candidates([(10 + i, 917, 10) for i in range(30)])
    found = select(crowd, order=Order.REGION, max_candidates=128)
    assert found[:, 0].tolist() == list(range(39, 29, -1))


def test_region_order_is_barrel_hgcal_no_tracks_hf():
    rows = [(99, 917, 0), (50, 630, 0), (20, 460, 0), (8, 0, 0)]  # eta 4.0, 2.75, 2.0, 0.0
    found = select(_candidates(rows), order=Order.REGION, max_candidates=128)
    assert found[:, 0].tolist() == [8, 20, 50, 99]


@pytest.mark.parametrize(
    ("eta", "phi", "want"),
    [
        (-340, 0, 0),  # eta -1.48: first barrel slice
        (-340, 160, 1),  # 40 degrees on
        (-340, -1, 8),  # just below zero is the last slice
        (340, 0, 5 * 9),
        (-350, 0, 54),  # eta -1.53: HGCal
        (350, 0, 54 + 9),
        (600, 0, 72 + 9),
        (-700, 0, 90),
        (700, 720, 90 + 9 + 4),
    ],
)
def test_region_numbers(eta, phi, want):
    assert region(np.array([eta], np.int16), np.array([phi], np.int16)).tolist() == [want]


def test_every_direction_has_one_of_108_regions():
    eta, phi = np.meshgrid(np.arange(-1100, 1101, 7), np.arange(-720, 721, 5))
    numbers = region(eta.ravel().astype(np.int16), phi.ravel().astype(np.int16))
    assert set(numbers.tolist()) == set(range(108))
