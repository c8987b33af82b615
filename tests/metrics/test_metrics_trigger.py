"""Rates, thresholds, efficiencies and turn-ons against hand-made events."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.binomial import clopper_pearson, efficiency
from l1met_fpga.metrics.trigger import (
    BUNCH_CROSSING_RATE_KHZ,
    binned_efficiency,
    lowest_supported_rate_khz,
    passes,
    rate_curve,
    reaches_rate,
    roc_area,
    roc_curve,
    roc_error,
    threshold_at_rate,
    threshold_within_rate,
)
from l1met_fpga.metrics.turn_on import TURN_ON_BINS, turn_on

HUNDRED = np.arange(1.0, 101.0)  # |MET| of 100 pile-up-only events
PER_EVENT_KHZ = BUNCH_CROSSING_RATE_KHZ / 100


def test_rate_uses_filled_bunches():
    assert pytest.approx(31038.96) == BUNCH_CROSSING_RATE_KHZ
    found = rate_curve(HUNDRED, [0.0, 80.5, 81.0, 101.0]).rate_khz
    assert found == pytest.approx([31038.96, 20 * PER_EVENT_KHZ, 20 * PER_EVENT_KHZ, 0.0])


def test_threshold_falls_with_rate_and_interpolates():
    assert threshold_at_rate(HUNDRED, 20 * PER_EVENT_KHZ) == pytest.approx(81.0)
    assert threshold_at_rate(HUNDRED, 20.5 * PER_EVENT_KHZ) == pytest.approx(80.5)
    assert threshold_at_rate(HUNDRED[::-1], 50 * PER_EVENT_KHZ) == pytest.approx(51.0)


def test_threshold_with_ties():
    met = np.repeat([10.0, 20.0, 30.0], [60, 25, 15])
    assert threshold_at_rate(met, 15 * PER_EVENT_KHZ) == 30.0
    assert threshold_at_rate(met, 27.5 * PER_EVENT_KHZ) == 25.0


def test_the_last_digit_does_not_break_ties():
    # 100 events: 60 at 10, 25 at 20 with the rounding of hypot, 15 at 30
    rounding = np.linspace(-3e-14, 3e-14, 25)
    met = np.concatenate([np.full(60, 10.0), 20 + rounding, np.full(15, 30.0)])
    assert threshold_at_rate(met, 27.5 * PER_EVENT_KHZ) == pytest.approx(25.0, abs=1e-12)
    assert threshold_at_rate(met, 40 * PER_EVENT_KHZ) == pytest.approx(20.0, abs=1e-12)
    cut = threshold_at_rate(met, 40 * PER_EVENT_KHZ)
    assert rate_curve(met, [cut]).rate_khz == pytest.approx([40 * PER_EVENT_KHZ])
    assert rate_curve(met, [10.0, 20.0, 30.0]).passing.passed.tolist() == [100, 40, 15]
    signal = binned_efficiency(20 + rounding, np.full(25, 120.0), 20.0, bins=Bins((100, 150)))
    assert signal.passed.tolist() == [25]


def capped(largest, dtype=np.float64):
    """1000 events, 40 of them at the largest value, in directions that make hypot round."""
    size = np.minimum(np.concatenate([np.arange(960) / 960 * largest, np.full(40, 1e9)]), largest)
    phi = np.linspace(0, 6, 1000)
    x, y = (size * np.cos(phi)).astype(dtype), (size * np.sin(phi)).astype(dtype)
    return np.hypot(x.astype(float), y.astype(float))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n_wanted", "reached"), [(10, False), (20, False), (35, False), (45, True), (100, True)]
)
def test_a_largest_value_puts_lower_rates_out_of_reach(dtype, n_wanted, reached):
    met = capped(63.75, dtype)
    assert len(set(met[-40:])) > 1  # the last digit would break the ties
    rate = n_wanted * BUNCH_CROSSING_RATE_KHZ / 1000
    assert reaches_rate(met, threshold_at_rate(met, rate), rate) == reached


@pytest.mark.parametrize(("n_wanted", "passing"), [(10, 0), (20, 0), (35, 0), (45, 45)])
def test_where_no_cut_gives_the_rate_no_more_pass(n_wanted, passing):
    met = capped(63.75, np.float32)
    cut = threshold_within_rate(met, n_wanted * BUNCH_CROSSING_RATE_KHZ / 1000)
    assert np.sum(passes(met, cut)) == passing
    steps = np.repeat([10.0, 20.0, 30.0], [60, 25, 15])
    assert threshold_within_rate(steps, 27.5 * PER_EVENT_KHZ) == 30.0


@pytest.mark.parametrize("n_wanted", [10, 11.5, 20, 64, 99.9])
def test_values_that_differ_reach_every_rate(n_wanted):
    rate = n_wanted * PER_EVENT_KHZ
    assert reaches_rate(HUNDRED, threshold_at_rate(HUNDRED, rate), rate)


def test_a_rate_between_the_steps_of_a_coarse_met_is_out_of_reach():
    met = np.repeat([10.0, 20.0, 30.0], [60, 25, 15])
    cut = threshold_at_rate(met, 27.5 * PER_EVENT_KHZ)
    assert cut == 25.0  # 15 events pass, not 27.5
    assert not reaches_rate(met, cut, 27.5 * PER_EVENT_KHZ)


def test_without_a_threshold_nothing_is_measured():
    found = binned_efficiency([50, 90], [110, 120], np.nan, bins=Bins((100, 150)))
    assert found.total.tolist() == [2]
    assert np.isnan([found.value, found.low, found.high]).all()
    curve = turn_on(np.arange(300.0), np.arange(300.0), np.nan)
    assert curve.fit is None
    assert np.isnan(curve.offline)


def test_unsupported_rate_wrong():
    with pytest.raises(DataError, match=r"lowest rate that this sample supports is 3104 kHz"):
        threshold_at_rate(HUNDRED, 18.0)
    with pytest.raises(DataError, match="more than all crossings"):
        threshold_at_rate(HUNDRED, 40_000.0)
    assert lowest_supported_rate_khz(100) == pytest.approx(10 * PER_EVENT_KHZ)


def test_no_background_wrong():
    for call in (lambda: rate_curve([]), lambda: threshold_at_rate([], 18.0)):
        with pytest.raises(DataError, match="pile-up-only events, got none"):
            call()
    with pytest.raises(DataError, match="NaN"):
        rate_curve([1.0, np.nan])


def test_rate_curve_marks_what_the_sample_supports():
    curve = rate_curve(HUNDRED)
    assert curve.rate_khz[0] == pytest.approx(BUNCH_CROSSING_RATE_KHZ)
    assert (np.diff(curve.rate_khz) <= 0).all()
    assert curve.thresholds[curve.supported][-1] == 91.0
    assert (curve.low_khz <= curve.rate_khz).all()
    assert (curve.high_khz >= curve.rate_khz).all()


def test_clopper_pearson_by_its_definition():
    low, high = clopper_pearson(7, 40, coverage=0.9)
    assert binom.sf(6, 40, low) == pytest.approx(0.05)
    assert binom.cdf(7, 40, high) == pytest.approx(0.05)


def test_clopper_pearson_at_the_ends():
    low, high = clopper_pearson([0, 20, 0], [20, 20, 0])
    assert (low[0], high[1]) == (0.0, 1.0)
    assert 0 < high[0] < 0.1
    assert 0.9 < low[1] < 1
    assert np.isnan([low[2], high[2]]).all()
    with pytest.raises(DataError, match="passed"):
        efficiency(3, 2)


def test_efficiency_in_bins():
    got = binned_efficiency(
        [50, 90, 120, 10], [110, 120, 160, 20], 90, bins=Bins((100, 150, np.inf))
    )
    assert got.passed.tolist() == [1, 1]
    assert got.total.tolist() == [2, 1]


def test_monotone_change_of_scale_keeps_efficiency_at_equal_rate():
    rng = np.random.default_rng(1)
    background, signal = rng.gamma(2, 20, 50_000), rng.gamma(4, 30, 20_000)
    found = []
    for change in (lambda m: m, lambda m: 0.7 * m, lambda m: 60 + 0.01 * m):
        threshold = threshold_at_rate(change(background), 30.0)
        found.append(np.mean(change(signal) >= threshold))
    assert found[1] == found[0]
    assert found[2] == pytest.approx(found[0], abs=2 / 20_000)


def test_error_of_a_roc_curve_is_how_far_repeated_ones_scatter():
    rng = np.random.default_rng(4)
    rates_khz = np.array([400.0, 3_000.0])
    found, errors = [], []
    for _ in range(300):
        rate, selected = roc_curve(rng.normal(2, 1, 400), rng.normal(0, 1, 3000))
        error = roc_error(rate, selected, n_signal=400, n_background=3000)
        found.append(np.interp(rates_khz, rate, selected))
        errors.append(np.interp(rates_khz, rate, error))
    assert np.mean(errors, axis=0) == pytest.approx(np.std(found, axis=0), rel=0.15)


def test_roc_is_rising_and_area_is_probability():
    rng = np.random.default_rng(2)
    background, signal = rng.normal(0, 1, 20_000), rng.normal(1, 1, 20_000)
    rate, selected = roc_curve(signal, background)
    assert (np.diff(rate) > 0).all()
    assert (np.diff(selected) >= 0).all()
    assert rate[0] == pytest.approx(lowest_supported_rate_khz(20_000))
    assert roc_area(signal, background) == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.005)
    assert roc_area([1.0, 1.0], [1.0]) == 0.5
    assert np.isnan(roc_area([], [1.0]))
    with pytest.raises(DataError, match="signal events, got none"):
        roc_curve([], background)


def test_turn_on_of_gaussian_smearing():
    rng = np.random.default_rng(4)
    gen = rng.uniform(0, 400, 40_000)
    found = turn_on(gen + rng.normal(0, 30, len(gen)), gen, 120.0)
    assert found.fit is not None
    assert found.fit.middle == pytest.approx(120, abs=2)
    assert found.fit.width == pytest.approx(30, rel=0.1)
    assert found.fit.plateau == pytest.approx(1, abs=0.01)
    assert 0.3 < found.fit.chi2_per_dof < 2.5
    assert found.offline == pytest.approx(120 + 30 * norm.ppf(0.9), abs=3)
    np.testing.assert_allclose(found.fit(found.mean_truth), found.efficiency.value, atol=0.03)


@pytest.mark.parametrize("n_events", [0, 1, 5])
def test_turn_on_with_hardly_any_event(n_events):
    found = turn_on(np.full(n_events, 50.0), np.full(n_events, 70.0), 100.0)
    assert found.fit is None
    assert np.isnan(found.offline)
    assert found.efficiency.total.sum() == n_events
    assert len(found.efficiency.value) == len(TURN_ON_BINS)


def test_turn_on_never_reached_has_no_offline_threshold():
    rng = np.random.default_rng(5)
    gen = rng.uniform(0, 100, 5000)
    found = turn_on(gen, gen, 500.0)
    assert found.efficiency.passed.sum() == 0
    assert found.fit is None
    assert np.isnan(found.offline)


def test_any_scalar_score_will_do():
    """A shift and a positive factor of the score, a logit below zero, move thresholds alone."""
    rng = np.random.default_rng(4)
    background, signal = rng.gamma(3, 10, 5000), rng.gamma(9, 10, 400)
    truth, rate = np.full(400, 120.0), 100 * PER_EVENT_KHZ / 50
    bins = Bins((100, 150))
    cut = threshold_at_rate(background, rate)
    moved = threshold_at_rate(background / 64 - 5, rate)
    assert moved == pytest.approx(cut / 64 - 5)
    assert moved < 0
    assert reaches_rate(background / 64 - 5, moved, rate)
    want = binned_efficiency(signal, truth, cut, bins=bins)
    found = binned_efficiency(signal / 64 - 5, truth, moved, bins=bins)
    assert found.passed.tolist() == want.passed.tolist()
    assert roc_area(signal / 64 - 5, background / 64 - 5) == roc_area(signal, background)
