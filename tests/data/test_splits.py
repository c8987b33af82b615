import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.data.splits import Part, assign_parts, mix64
from l1met_fpga.errors import ConfigError

FRACTIONS = (0.7, 0.1, 0.2)
PINNED = "000200202000010012001100100000"


def ids(n):
    result = np.ones((n, 3), np.uint64)
    result[:, 2] = np.arange(n)
    return result


def test_mix64_is_the_published_generator():
    # First outputs of SplitMix64 seeded with 1234567 (Vigna's reference implementation).
    gamma = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + k * gamma) % 2**64 for k in range(3)], np.uint64)
    want = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    np.testing.assert_array_equal(mix64(states), np.array(want, np.uint64))


def test_fractions_are_met():
    parts = assign_parts(ids(100_000), "x", seed=1, fractions=FRACTIONS)
    share = np.bincount(parts) / len(parts)
    np.testing.assert_allclose(share, FRACTIONS, atol=0.005)


@given(st.permutations(range(50)), st.integers(1, 49))
def test_an_event_keeps_its_part_in_any_company(order, n):
    events = ids(50)
    alone = assign_parts(events, "x", seed=1, fractions=FRACTIONS)
    chosen = np.array(order[:n])
    np.testing.assert_array_equal(
        assign_parts(events[chosen], "x", seed=1, fractions=FRACTIONS), alone[chosen]
    )


def test_seed_and_label_give_independent_parts():
    first = assign_parts(ids(20_000), "x", seed=1, fractions=FRACTIONS)
    for label, seed in (("x", 2), ("y", 1)):
        other = assign_parts(ids(20_000), label, seed=seed, fractions=FRACTIONS)
        # Independent: the chance to agree is the sum of squares, 0.54.
        assert abs((first == other).mean() - 0.54) < 0.015


def test_known_parts_never_change():
    """A change here would move events between the parts of every store that exists."""
    parts = assign_parts(ids(30), "ttbar", seed=1, fractions=FRACTIONS)
    assert "".join(str(part) for part in parts) == PINNED
    assert {Part.TRAIN, Part.VALIDATION, Part.TEST} == set(parts)


def test_wrong_fractions_are_refused():
    with pytest.raises(ConfigError, match="sum 1"):
        assign_parts(ids(1), "x", seed=1, fractions=(0.7, 0.7, 0.2))
