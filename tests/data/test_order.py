from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l1met_fpga.data.batch import EventBatch, no_met
from l1met_fpga.data.order import order_and_truncate, region_of
from l1met_fpga.errors import ConfigError


def batch_of(counts, seed=0):
    rng = np.random.default_rng(seed)
    n = sum(counts)
    columns = {
        "pt": rng.integers(1, 30, n),
        "eta": rng.integers(-1200, 1200, n),
        "phi": rng.integers(-720, 721, n),
        "pid": np.arange(n) % 8,
    }
    return EventBatch(
        counts=np.array(counts, np.int64),
        columns={name: column.astype(np.int16) for name, column in columns.items()},
        n_candidates=np.array(counts, np.int64),
        event_id=np.zeros((len(counts), 3), np.uint64),
        gen_met_xy_gev=no_met(len(counts)),
        puppi_met_xy_gev=no_met(len(counts)),
    )


def rows(batch, event):
    start = int(batch.counts[:event].sum())
    chosen = slice(start, start + int(batch.counts[event]))
    return list(zip(*(batch.columns[name][chosen].tolist() for name in batch.columns), strict=True))


def region_by_hand(eta, phi):
    """The regions of l1ctLayer1_cff.py, written as a search over their boundaries."""
    eta, sector = eta * np.pi / 720, round((phi % 1440) / 160 + 1e-9) % 9
    groups = [
        [(-1.5, -1.0), (-1.0, -0.5), (-0.5, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.5)],
        [(-2.5, -1.5), (1.5, 2.5)],
        [(-3.0, -2.5), (2.5, 3.0)],
        [(-99, -3.0), (3.0, 99)],
    ]
    flat = [edges for group in groups for edges in group]
    return next(9 * k + sector for k, (low, high) in enumerate(flat) if low <= eta < high)


KEYS = {
    "as_is": lambda row: 0,
    "pt": lambda row: -row[0],
    "region": lambda row: (region_by_hand(row[1], row[2]), -row[0]),
}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=6), st.sampled_from(list(KEYS)))
def test_each_event_is_a_stable_sort_cut_at_128(counts, policy):
    batch, tally = batch_of(counts), Counter()
    got = order_and_truncate(batch, policy, tally)
    for event in range(len(counts)):
        want = sorted(rows(batch, event), key=KEYS[policy])[:128]
        assert rows(got, event) == want
    assert tally["truncated_events"] == sum(count > 128 for count in counts)
    assert tally["truncated_candidates"] == sum(max(count - 128, 0) for count in counts)
    assert got.n_candidates.tolist() == counts


def test_region_numbers():
    eta = np.array([-1400, -600, -500, -344, -343, 0, 343, 344, 573, 688])
    phi = np.zeros_like(eta)
    want = [90, 72, 54, 54, 0, 27, 45, 63, 81, 99]
    assert region_of(eta.astype(np.int16), phi.astype(np.int16)).tolist() == want
    phi = np.array([-80, 79, 80, 720, -720, -81], np.int16)
    assert region_of(np.zeros(6, np.int16), phi).tolist() == [27, 27, 28, 32, 32, 35]


def test_unknown_policy_lists_the_known():
    with pytest.raises(ConfigError, match="unknown order 'hard'; choose from as_is, pt, region"):
        order_and_truncate(batch_of([3]), "hard", Counter())
