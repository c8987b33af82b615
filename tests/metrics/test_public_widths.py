import numpy as np
import pytest

from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.public_widths import PUBLIC_BINS, public_widths


def test_of_a_gaussian_estimate():
    """Along the truth sigma; across it the spread of a size, 0.60 sigma; both over the response."""
    rng = np.random.default_rng(1)
    angle = rng.uniform(-np.pi, np.pi, 200_000)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    q = 100 * direction
    v = 0.8 * q + rng.normal(0, 12, (200_000, 1)) * direction
    v += rng.normal(0, 20, (200_000, 1)) * across
    found = public_widths(v, q, bins=Bins.of([80, 120]))
    assert found.response[0] == pytest.approx(0.8, abs=0.002)
    assert found.parallel_gev[0] == pytest.approx(12 / 0.8, rel=0.01)
    # of |x| of a normal x: percentiles 16 and 84 are 0.2019 and 1.4051
    assert found.perpendicular_gev[0] == pytest.approx(20 * (1.4051 - 0.2019) / 2 / 0.8, rel=0.01)


def test_an_estimate_that_points_backward_counts_as_forward():
    q = np.tile([50.0, 0.0], (20, 1))
    found = public_widths(-q, q, bins=Bins.of([40, 60]))
    assert (found.response[0], found.parallel_gev[0]) == (1.0, 0.0)


def test_events_without_direction_and_empty_bins():
    found = public_widths(np.ones((30, 2)), np.zeros((30, 2)))
    assert len(found.response) == len(PUBLIC_BINS) == 19
    assert np.isnan(found.perpendicular_gev).all()
