"""Words of class scores: by hand, and against the softmax in double precision."""

import numpy as np
import pytest
from scipy.special import softmax

from l1met_fpga.puppi.score_words import exp_table, score_words


def test_words_by_hand():
    assert score_words(np.array([[5, 5, 5, 5]]), 3).tolist() == [[32, 32, 32, 32]]
    assert score_words(np.array([[2000, -2000]]), 6).tolist() == [[128, 0]]
    # four in sixteen thousand: the last entry that is not zero, and the first that is
    last = len(exp_table(6)) - 1
    assert exp_table(6)[[0, last]].tolist() == [1 << 14, 1]
    assert np.exp(-(last + 1) / 64) * 2**14 < 0.5


def test_half_a_count_goes_to_the_even_word():
    # equal logits of n classes give 128 / n
    halves = {256: 0, 3: 43, 5: 26, 7: 18}
    for n, word in halves.items():
        assert score_words(np.zeros((1, n), int), 4).tolist() == [[word] * n]


@pytest.mark.parametrize("frac_bits", [0, 3, 6, 8])
def test_words_are_those_of_the_softmax_but_for_rounding(frac_bits):
    rng = np.random.default_rng(frac_bits)
    codes = rng.normal(0, 3 * 2**frac_bits, (20_000, 8)).round().astype(int)
    exact = 128 * softmax(codes / 2.0**frac_bits, axis=1)
    words = score_words(codes, frac_bits)
    # half a count of rounding, and what the table loses
    assert np.abs(words - exact).max() < 0.5 + 1 / 60
    assert np.mean(words != np.round(exact)) < 0.01
