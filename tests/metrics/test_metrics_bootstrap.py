"""Bootstrap errors against the spread of repeated experiments and known correlations."""

import numpy as np
import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import met_xy_from_polar
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import bootstrap_resolution, poisson_weights, spread
from l1met_fpga.metrics.bootstrap_trigger import bootstrap_thresholds, bootstrap_trigger
from l1met_fpga.metrics.resolution import FIGURES, binned_resolution
from l1met_fpga.metrics.trigger import BUNCH_CROSSING_RATE_KHZ, threshold_at_rate

BINS = Bins((20.0, 80.0, 150.0))


def experiment(rng: np.random.Generator, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    gen = met_xy_from_polar(rng.uniform(20, 150, n), rng.uniform(-np.pi, np.pi, n))
    return 0.8 * gen + rng.normal(0, 25, gen.shape), gen


def test_poisson_weights_have_mean_and_variance_one():
    weights = poisson_weights(np.random.default_rng(0), 1_000_000)
    assert weights.mean() == pytest.approx(1, abs=0.004)
    assert weights.var() == pytest.approx(1, abs=0.008)
    assert np.mean(weights == 0) == pytest.approx(np.exp(-1), abs=0.002)


def test_errors_are_those_of_repeated_experiments():
    rng = np.random.default_rng(1)
    repeated = [binned_resolution(*experiment(rng), bins=BINS) for _ in range(150)]
    drawn = []
    for _ in range(10):  # the error of one percentile fluctuates: take the mean of ten experiments
        met, gen = experiment(rng)
        drawn.append(bootstrap_resolution({"a": met}, gen, rng=rng, bins=BINS, n_samples=60))
    for figure in FIGURES:
        true_error = np.std([getattr(one, figure) for one in repeated], axis=0)
        found = np.mean([one.error("a", figure) for one in drawn], axis=0)
        np.testing.assert_allclose(found, true_error, rtol=0.25, err_msg=figure)


def test_samples_are_centred_on_the_figures():
    met, gen = experiment(np.random.default_rng(2))
    exact = binned_resolution(met, gen, bins=BINS)
    drawn = bootstrap_resolution(
        {"a": met}, gen, rng=np.random.default_rng(3), bins=BINS, n_samples=100
    )
    for figure in FIGURES:
        pull = (drawn.values("a", figure).mean(axis=0) - getattr(exact, figure)) / drawn.error(
            "a", figure
        )
        assert np.abs(pull).max() < 0.6, figure


def test_differences_are_paired():
    met, gen = experiment(np.random.default_rng(4))
    other = met + np.random.default_rng(5).normal(0, 2, met.shape)
    drawn = bootstrap_resolution(
        {"a": met, "b": other, "c": met}, gen, rng=np.random.default_rng(6), bins=BINS, n_samples=60
    )
    figure = "perpendicular_gev"
    assert (drawn.difference_error("a", "c", figure) == 0).all()
    unpaired = np.hypot(drawn.error("a", figure), drawn.error("b", figure))
    assert (drawn.difference_error("a", "b", figure) < 0.4 * unpaired).all()


def test_same_seed_same_errors():
    met, gen = experiment(np.random.default_rng(7), 500)
    first, second = (
        bootstrap_resolution({"a": met}, gen, rng=np.random.default_rng(8), n_samples=5)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.values("a", "slope"), second.values("a", "slope"))


@pytest.mark.parametrize("n_events", [0, 1, 9])
def test_too_few_events_have_no_error(n_events):
    met, gen = experiment(np.random.default_rng(9), n_events)
    drawn = bootstrap_resolution({"a": met}, gen, rng=np.random.default_rng(0), n_samples=3)
    assert np.isnan(drawn.error("a", "parallel_over_slope_gev")).all()


def test_no_estimate_wrong():
    with pytest.raises(DataError, match="got 0 and 200"):
        bootstrap_resolution({}, np.zeros((3, 2)), rng=np.random.default_rng(0))


def test_spread_needs_most_samples():
    values = np.array([[1.0, 1.0], [3.0, np.nan], [5.0, np.nan]])
    assert spread(values)[0] == pytest.approx(2.0)
    assert np.isnan(spread(values)[1])


def test_threshold_and_efficiency_errors_are_those_of_repeated_experiments():
    rng = np.random.default_rng(10)
    rate = 0.02 * BUNCH_CROSSING_RATE_KHZ
    bins = Bins((0.0, 1000.0))

    def sample() -> tuple[np.ndarray, np.ndarray]:
        return rng.exponential(20, 3000), rng.normal(90, 20, 800)

    repeated = []
    for _ in range(200):
        background, signal = sample()
        cut = threshold_at_rate(background, rate)
        repeated.append((cut, np.mean(signal >= cut)))
    background, signal = sample()
    cuts = bootstrap_thresholds({"a": background, "b": 0.5 * background}, [rate], rng=rng)
    np.testing.assert_allclose(cuts["b"], 0.5 * cuts["a"])
    drawn = bootstrap_trigger(
        {"a": signal, "b": 0.5 * signal}, np.full(800, 90.0), cuts, bins=bins, rng=rng
    )
    cut_error, efficiency_error = np.std(repeated, axis=0)
    assert spread(cuts["a"])[0] == pytest.approx(cut_error, rel=0.4)
    assert spread(drawn.efficiency["a"])[0, 0] == pytest.approx(efficiency_error, rel=0.4)
    np.testing.assert_array_equal(drawn.efficiency["a"], drawn.efficiency["b"])
