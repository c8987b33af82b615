import numpy as np

from l1met_fpga.firmware.stress import STRESS_KINDS, random_events, stress_events
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS


def test_holds_every_edge(rng):
    events = stress_events(rng, n_random=5)
    pt = events["pt"]
    assert set(events) == set(REQUIRED_COLUMNS)
    assert all(
        codes.shape == (len(pt), 128) and codes.dtype == np.int16 for codes in events.values()
    )
    filled = np.count_nonzero(pt, axis=1)
    assert (filled == 0).any()
    assert (filled == 1).any()
    assert ((pt == COLUMNS["pt"].high).all(axis=1)).any()
    assert set(np.unique(events["pid"])) == set(range(8))
    assert {-720, 719, 720} <= set(np.unique(events["phi"][pt > 0]))
    assert {0, 256} <= set(np.unique(events["puppi_weight"][pt > 0]))
    for name, codes in events.items():
        kind = COLUMNS[name].type
        assert codes.min() == kind.min_code, name
        assert codes.max() == kind.max_code, name


def test_one_candidate_stands_in_first_and_last_slot(rng):
    events = list(STRESS_KINDS["one_candidate"](rng, 0, 128))
    slots = {int(np.flatnonzero(event["pt"])[0]) for event in events}
    assert {0, 127} <= slots


def test_same_seed_same_events():
    first, second = (stress_events(np.random.default_rng(3), n_random=4) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_every_code_of_every_column_occurs():
    events = list(STRESS_KINDS["every_code"](np.random.default_rng(0), 0, 128))
    for name, column in COLUMNS.items():
        seen = np.unique([event[name] for event in events])
        codes = np.arange(column.type.min_code, column.type.max_code + 1)
        assert np.isin(codes, seen).all(), name


def test_opposite_candidates_cancel_but_for_one_count():
    events = list(STRESS_KINDS["cancelling"](np.random.default_rng(0), 0, 128))
    for even, odd in zip(events[::2], events[1::2], strict=True):
        sign = np.where(even["phi"] == even["phi"][0], 1, -1)
        assert (sign * even["pt"]).sum() == 0
        assert (sign * odd["pt"]).sum() == -1
        assert np.ptp(np.unique(even["phi"])) == 720


def test_sums_of_pt_lie_around_every_power_of_two():
    events = list(STRESS_KINDS["sum_edges"](np.random.default_rng(0), 0, 128))
    totals = {int(event["pt"].astype(int).sum()) for event in events}
    assert totals == {2**bits + k for bits in range(4, 21) for k in (-1, 0, 1)}
    assert {1, 128} <= {int(np.count_nonzero(event["pt"])) for event in events}


def test_random_events_fill_and_overrun_types(rng):
    names = ("eta", "phi", "pid", "puppi_weight", "dxy")
    events = random_events(rng, 2000, n_slots=16, columns=names)
    assert set(events) == {"pt", *names}
    empty = events["pt"] == 0
    assert 0.2 < empty.mean() < 0.9
    assert empty.all(axis=1).any()
    for name, codes in events.items():
        kind = COLUMNS[name].type
        assert codes.dtype == np.int16
        assert not codes[empty].any()
        assert kind.min_code <= codes.min() <= codes.max() <= kind.max_code
        near_the_end = np.abs(codes).max(axis=1) > kind.max_code / 2
        assert 0.05 < near_the_end.mean() < 0.999, name
