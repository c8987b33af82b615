"""Words of class scores: by hand, and against the softmax in double precision."""

import numpy as np
import pytest
from scipy.special import softmax

from l1met_fpga.puppi.score_words import ScoreWords


def words(logits, frac_bits):
    codes = np.array(logits)
    return ScoreWords(codes.shape[1], frac_bits).run(codes).tolist()


def test_words_by_hand():
    assert words([[5, 5, 5, 5]], 3) == [[32, 32, 32, 32]]
    assert words([[2000, -2000]], 6) == [[128, 0]]
    # one in sixteen thousand: the last entry that is not zero, and the first that is
    exps = ScoreWords(8, 6).exps
    assert (exps[0], exps[-1]) == (1 << 14, 1)
    assert np.exp(-len(exps) / 64) * 2**14 < 0.5


def test_equal_logits_share_128():
    # three of 42.67, five of 25.6, seven of 18.29; 0.49976, as the reciprocal is that of a bin's middle
    for n, word in {3: 43, 5: 26, 7: 18, 8: 16, 256: 0}.items():
        assert words(np.zeros((1, n), int), 4) == [[word] * n]


def test_half_a_count_goes_to_the_even_word():
    scores = ScoreWords(2, 6)
    rng = np.random.default_rng(1)
    logits = np.stack([np.zeros(400_000, int), -rng.integers(0, 700, 400_000)], axis=1)
    logits = np.unique(logits, axis=0)
    e = np.array(scores.exps)[np.minimum(-logits, len(scores.exps) - 1)]
    e[-logits >= len(scores.exps)] = 0
    total = e.sum(axis=1)
    s = (total >= 1 << 15).astype(int)
    r = np.array(scores.reciprocals)[(total >> (s + 4)) & 1023]
    # NumPy rounds half to even; the products are exact in double precision
    expected = np.rint(e * r[:, None] / 2.0 ** (19 + s)[:, None])
    assert np.array_equal(scores.run(logits), expected)


@pytest.mark.parametrize("n_classes", [2, 8, 13])
@pytest.mark.parametrize("frac_bits", [0, 3, 6, 8, 11])
def test_words_are_those_of_the_softmax_but_for_rounding(frac_bits, n_classes):
    rng = np.random.default_rng(frac_bits)
    codes = rng.normal(0, 3 * 2**frac_bits, (20_000, n_classes)).round().astype(int)
    exact = 128 * softmax(codes / 2.0**frac_bits, axis=1)
    found = ScoreWords(n_classes, frac_bits).run(codes)
    # half a count of rounding; what the tables lose; what is cut of logits finer than 2^-8
    lost = 0.1 + (0.15 if frac_bits > 8 else 0)
    assert np.abs(found - exact).max() < 0.5 + lost
    assert np.mean(found != np.round(exact)) < 0.05
