import numpy as np

from l1met_fpga.simulation.selection import Order, select


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


def test_a_region_is_not_cut_at_phi_zero():
    # 20 candidates around phi = 0 lie in one barrel region, which hands on 18.
    around = _candidates([(10 + i, 1, i - 10) for i in range(20)])
    found = select(around, order=Order.REGION, max_candidates=128)
    assert found[:, 0].tolist() == list(range(29, 11, -1))
