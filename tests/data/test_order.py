from collections import Counter

import numpy as np
import pytest
from cmssw_regions import region_of_cmssw
from hypothesis import given, settings
from hypothesis import strategies as st

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.order import order_and_truncate
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
    return Examples.of(
        np.array(counts, np.int64),
        {name: column.astype(np.int16) for name, column in columns.items()},
        besides={"n_candidates": np.array(counts, np.int64)},
    )


def rows(batch, event):
    start = int(batch.counts[:event].sum())
    chosen = slice(start, start + int(batch.counts[event]))
    return list(zip(*(batch.columns[name][chosen].tolist() for name in batch.columns), strict=True))


KEYS = {
    "as_is": lambda row: 0,
    "pt": lambda row: -row[0],
    "region": lambda row: (region_of_cmssw(row[1], row[2]), -row[0]),
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
    assert got.besides["n_candidates"].tolist() == counts


def test_unknown_policy_lists_the_known():
    with pytest.raises(ConfigError, match="unknown order 'hard'; choose from as_is, pt, region"):
        order_and_truncate(batch_of([3]), "hard", Counter())
