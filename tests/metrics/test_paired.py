"""Changes between two selections, against drawing the same experiment again and again."""

import numpy as np
import pytest

from l1met_fpga.metrics.paired import Change, change_of_share, growth


def experiments(n_events: int, *, paired: bool, n_times: int = 4000):
    """Selections before and after whose events pass with 0.1 and 0.16, nested when paired."""
    rng = np.random.default_rng(1)
    for _ in range(n_times):
        score = rng.random(n_events)
        yield score < 0.1, (score if paired else rng.random(n_events)) < 0.16


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("figure", "truth"), [(change_of_share, 0.06), (growth, 1.6)])
def test_values_and_errors_are_those_of_repeated_experiments(figure, truth, paired):
    found = [figure(b, a, paired=paired) for b, a in experiments(1000, paired=paired)]
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(truth, rel=0.02)
    assert np.median([one.error for one in found]) == pytest.approx(values.std(), rel=0.06)


def test_no_change_has_no_error_and_no_event_no_figure():
    passing = np.array([True, False, True])
    assert change_of_share(passing, passing, paired=True) == Change(0.0, 0.0)
    assert growth(passing, passing, paired=True).error == 0
    nothing = np.zeros(0, bool)
    assert np.isnan(change_of_share(nothing, nothing, paired=True).value)
    assert np.isnan(growth(np.zeros(3, bool), passing, paired=True).value)


def test_other_samples_may_have_another_length():
    found = growth(np.array([True] * 10 + [False] * 90), np.ones(50, bool), paired=False)
    assert found.value == pytest.approx(10.0)
    # 50 of 50 and 10 of 100 events: relative errors 1 / sqrt(50) and 1 / sqrt(10)
    assert found.error == pytest.approx(10 * np.sqrt(1 / 50 + 1 / 10))
