import numpy as np
import pytest

from l1met_fpga.metrics.seed_pairs import mean_over_seeds


def test_errors_of_a_mean_cover_seeds_and_events():
    """Toy trainings with a known scatter of seeds and of events: the pull has the width one."""
    rng = np.random.default_rng(1)
    n_seeds, n_samples, seeds, events = 5, 200, 0.03, 0.01
    pulls = []
    for _ in range(400):
        shift = events * rng.normal()  # of the events that all trainings are measured on
        values = 0.5 + seeds * rng.normal(size=n_seeds) + shift
        resampled = values + events * rng.normal(size=(n_samples, 1))
        found = mean_over_seeds(values, resampled)
        assert found.error == pytest.approx(np.hypot(found.error_seeds, found.error_events))
        pulls.append((found.value - 0.5) / found.error)
    assert np.mean(np.abs(pulls) < 2) == pytest.approx(0.91, abs=0.04)  # of 5 seeds


def test_what_all_seeds_share_cancels_in_a_difference():
    rng = np.random.default_rng(2)
    one = rng.normal(size=(200, 5))
    found = mean_over_seeds(np.full(5, 0.1), (one + 0.1) - one)
    assert (found.value, found.error_seeds) == (pytest.approx(0.1), pytest.approx(0, abs=1e-12))
    assert found.error_events == pytest.approx(0, abs=1e-12)


def test_a_single_network_has_the_error_of_the_events():
    samples = np.random.default_rng(3).normal(0.4, 0.02, (500, 1))
    found = mean_over_seeds(np.array([0.4]), samples)
    assert (found.error_seeds, found.error) == (0.0, pytest.approx(0.02, rel=0.1))


def test_what_cannot_be_resampled_has_no_error():
    samples = np.full((100, 2), 0.3)
    samples[:20] = np.nan
    assert np.isnan(mean_over_seeds(np.array([0.3, 0.3]), samples).error)
