"""Figures of classes: areas by counting pairs, errors by drawing again, the rest by hand."""

import itertools

import numpy as np
import pytest

from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.classes import (
    against_rest,
    area,
    confusion,
    difference,
    efficiency_at_mistag,
    roc_points,
    threshold_at_mistag,
)


def counted(score, chosen):
    """Share of pairs in which the one of the class is above; ties count half."""
    pairs = list(itertools.product(score[chosen], score[~chosen]))
    return np.mean([(a > b) + 0.5 * (a == b) for a, b in pairs])


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_the_area_is_the_share_of_ordered_pairs(digits):
    rng = np.random.default_rng(digits)
    chosen = rng.random(60) < 0.4
    score = np.round(rng.normal(0, 1, 60) + chosen, digits)
    assert area(score, chosen).value == pytest.approx(counted(score, chosen), abs=1e-12)


def test_errors_are_the_spread_of_repeated_experiments():
    rng = np.random.default_rng(1)

    def experiment():
        chosen = np.arange(400) < 150
        one = rng.normal(0, 1, 400) + chosen
        other = one + rng.normal(0, 1, 400)  # the same examples, measured worse
        return area(one, chosen), area(other, chosen)

    drawn = [experiment() for _ in range(300)]
    for k in range(2):
        spread = np.std([pair[k].value for pair in drawn])
        assert np.mean([pair[k].error for pair in drawn]) == pytest.approx(spread, rel=0.12)
    differences, errors = zip(*(difference(*pair) for pair in drawn), strict=True)
    assert np.mean(errors) == pytest.approx(np.std(differences), rel=0.12)
    apart = np.hypot(*(np.mean([pair[k].error for pair in drawn]) for k in range(2)))
    assert np.mean(errors) < 0.8 * apart  # what is common cancels


def test_an_area_of_one_kind_only_is_none():
    found = area(np.arange(3.0), np.ones(3, bool))
    assert np.isnan(found.value)
    assert np.isnan(found.error)


def test_against_the_rest_is_the_odds_of_the_softmax():
    logits = np.random.default_rng(2).normal(0, 3, (20, 4))
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for k in range(4):
        np.testing.assert_allclose(against_rest(logits, k), np.log(share[:, k] / (1 - share[:, k])))


def test_confusion_by_hand():
    logits = np.array([[2.0, 1, 0], [0, 2, 1], [0, 1, 2], [3, 1, 2]])
    np.testing.assert_array_equal(
        confusion(logits, np.array([0, 0, 0, 1])), [[1 / 3, 1 / 3, 1 / 3], [1, 0, 0], [np.nan] * 3]
    )


def test_efficiency_at_equal_mistag_by_hand():
    score = np.arange(20.0)
    chosen = score % 2 == 1
    cut = threshold_at_mistag(score, chosen, 0.2)  # between the two highest of the rest and others
    assert 14 < cut < 16
    size = np.where(score < 16, 20.0, 40.0)
    tagged, rest = efficiency_at_mistag(score, chosen, size, mistag=0.2, bins=Bins.of([10, 30, 50]))
    assert tagged.passed.tolist() == [1, 2]  # 15; 17 and 19
    assert tagged.total.tolist() == [8, 2]
    assert rest.passed.tolist() == [0, 2]  # 16 and 18
    assert rest.total.tolist() == [8, 2]


def test_the_roc_curve_has_the_area():
    rng = np.random.default_rng(3)
    chosen = np.arange(4000) < 2000
    score = rng.normal(0, 1, 4000) + chosen
    efficiencies, mistags = roc_points(score, chosen)
    integral = np.trapezoid(1 - np.append(0, mistags), np.append(0, efficiencies))
    assert integral == pytest.approx(area(score, chosen).value, abs=0.005)
