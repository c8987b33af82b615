"""Two cuts at one rate, by hand and with scores that are put in."""

import numpy as np
import pytest

from l1met_fpga.metrics.paired import Change
from l1met_fpga.metrics.trigger import BUNCH_CROSSING_RATE_KHZ
from l1met_fpga.metrics.two_cuts import (
    FAILS,
    CutPair,
    Trigger,
    best_pair,
    efficiency,
    gain,
    halves,
    mean_of,
)

TENTH = 0.1 * BUNCH_CROSSING_RATE_KHZ


def cut_scores(size, score, cuts):
    return np.stack([np.where(size > cut, score, FAILS) for cut in cuts])


def test_the_best_pair_is_chosen_at_equal_rate():
    n = 1000
    size, score = np.tile(np.arange(100.0), 10), np.repeat(np.arange(10.0), 100)
    background = cut_scores(size, score, (-1, 49, 95))
    # without a cut a tenth has the score 9; of the larger half a tenth of all has 8 or more
    points = [best_pair(background[[k]], background[[k]], TENTH) for k in range(3)]
    assert [p.threshold for p in points[:2]] == pytest.approx([9, 8])
    assert points[2].passes(background[[2]]).mean() == pytest.approx(0.04)  # below the rate
    signal = cut_scores(np.full(n, 60.0), np.full(n, 8.5), (-1, 49, 95))
    assert best_pair(background, signal, TENTH) == CutPair(1, pytest.approx(8))


def test_a_gain_is_zero_against_itself_and_its_error_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)
    blind, seeing = rng.normal(size=(2, 1, 4000)), []
    for k in range(40):
        signal = np.random.default_rng(k + 1).normal(size=(1, 400))
        triggers = [
            Trigger(b[None], signal + s, CutPair(0, 0))
            for b, s in zip(blind[:, 0], (0, 1), strict=True)
        ]
        seeing.append(gain(triggers[1], triggers[0], TENTH, 20, rng))
    one = Trigger(blind[0], blind[1], CutPair(0, 0.0))
    assert gain(one, one, TENTH, 5, rng) == Change(0.0, 0.0)
    found = np.mean([g.value for g in seeing])
    assert found == pytest.approx(0.389 - 0.1, abs=0.03)  # 1 - Phi(1.2816 - 1) minus a tenth
    assert np.mean([g.error for g in seeing]) >= np.std([g.value for g in seeing]) * 0.7


def test_what_is_chosen_on_a_half_is_quoted_of_the_other():
    """Twenty cuts that say nothing: chosen on the quoted events, they would seem to gain."""
    found, chosen = [], []
    for k in range(20):
        rng = np.random.default_rng(k)
        background, signal = rng.normal(size=(20, 2000)), rng.normal(size=(20, 400))
        found += [
            one.efficiency(*everything(one), TENTH) for one in halves(background, signal, TENTH)
        ]
        one = Trigger(background, signal, best_pair(background, signal, TENTH))
        chosen.append(one.efficiency(*everything(one), TENTH))
    assert np.mean(found) == pytest.approx(0.1, abs=0.01)
    assert np.mean(chosen) > 0.12


def everything(one):
    return np.arange(one.background.shape[1]), np.arange(one.signal.shape[1])


def test_an_efficiency_has_the_error_of_crossings_and_events():
    rng = np.random.default_rng(2)
    one = Trigger(rng.normal(size=(1, 4000)), rng.normal(size=(1, 900)), CutPair(0, 0.0))
    found = efficiency(one, TENTH, 100, rng)
    assert found.value == pytest.approx(0.1, abs=0.03)
    # of 900 events and of a threshold from 400 crossings
    assert found.error == pytest.approx(np.sqrt(0.09 / 900 + 0.09 / 4000), rel=0.3)
    assert mean_of([Change(1.0, 3.0), Change(2.0, 4.0)]) == Change(1.5, 2.5)
