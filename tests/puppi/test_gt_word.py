"""The global-trigger word of a sum."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.gt_word import GtSum, pack, unpack


def sums(valid: bool, pt: int, phi: int, scalar: int) -> GtSum:
    return GtSum(np.array([valid]), np.array([pt]), np.array([phi]), np.array([scalar]))


@given(
    valid=st.booleans(),
    pt=st.integers(0, 65535),
    phi=st.integers(-4096, 4095),
    scalar=st.integers(0, 65535),
)
def test_every_field_round_trips_over_its_range(
    valid: bool, pt: int, phi: int, scalar: int
) -> None:
    word = pack(sums(valid, pt, phi, scalar))
    assert int(word[0]) == valid | pt << 1 | (phi % 8192) << 17 | scalar << 30
    back = unpack(word)
    assert (back.valid[0], back.vector_pt[0], back.vector_phi[0], back.scalar_pt[0]) == (
        valid,
        pt,
        phi,
        scalar,
    )


def test_puppi_counts_become_global_trigger_counts() -> None:
    # 100 GeV at pi/2; 5.6889 counts per count, rounded half to even; pi wraps to -pi.
    got = GtSum.from_puppi_counts(
        np.array([400, 4, 16383, 0]), np.array([360, 1, 720, -720]), np.array([0, 0, 0, 800])
    )
    assert got.vector_pt.tolist() == [3200, 32, 65535, 0]
    assert got.vector_phi.tolist() == [2048, 6, -4096, -4096]
    assert got.scalar_pt.tolist() == [0, 0, 0, 6400]
    assert got.valid.tolist() == [True, True, True, True]


def test_met_is_rounded_to_the_nearest_codes() -> None:
    rng = np.random.default_rng(6)
    met_xy_gev = rng.normal(scale=100, size=(1000, 2))
    back = unpack(pack(GtSum.from_met_xy_gev(met_xy_gev, 321.0)))
    np.testing.assert_allclose(back.vector_pt / 32, np.hypot(*met_xy_gev.T), atol=1 / 64)
    turn = back.vector_phi * math.pi / 4096 - np.arctan2(met_xy_gev[:, 1], met_xy_gev[:, 0])
    assert np.abs((turn + math.pi) % (2 * math.pi) - math.pi).max() <= math.pi / 8192 + 1e-12
    assert set(back.scalar_pt.tolist()) == {321 * 32}
    np.testing.assert_allclose(
        back.met_xy_gev, met_xy_gev, atol=1 / 64 + np.hypot(*met_xy_gev.T).max() * math.pi / 8192
    )


def test_met_beyond_the_field_saturates_and_none_is_not_valid() -> None:
    got = GtSum.from_met_xy_gev(np.array([[5000.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]))
    assert got.vector_pt.tolist() == [65535, 0, 32]
    assert got.vector_phi.tolist() == [0, 0, -4096]
    assert got.valid.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (sums(True, 65536, 0, 0), "vector_pt of a global-trigger word is 65536"),
        (sums(True, 0, 4096, 0), "vector_phi .* is 4096; allowed are -4096 to 4095"),
        (sums(True, 0, 0, -1), "scalar_pt .* is -1"),
    ],
)
def test_pack_wrong(made: GtSum, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pack(made)


def test_unpack_wrong() -> None:
    with pytest.raises(DataError, match=r"0x0000400000000000 has bits above bit 45"):
        unpack(np.array([1 << 46], np.uint64))
