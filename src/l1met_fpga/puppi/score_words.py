"""The trigger's 8-bit words of class scores, made of logits in integers.

CMSSW keeps the scores of a jet as ``ap_ufixed<8,1>``, rounded half to even: counts of 1/128, of what a softmax
gives. Here the softmax is one of integers, so that every implementation gives the same words:

    d_k = max_j l_j - l_k        counts of the logits
    e_k = round(2^14 exp(-d_k))  from a table, 0 beyond its end
    word_k = e_k * 128 / sum_j e_j, rounded half to even
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["EXP_BITS", "SCORE_BITS", "exp_table", "score_words"]

SCORE_BITS: Final = 7
"""A word counts 2^-7; the largest is 128, for 1."""
EXP_BITS: Final = 14
"""Of exp(0) = 1 in the table: what it loses is below a sixtieth of a count of the words."""


def exp_table(frac_bits: int) -> npt.NDArray[np.int64]:
    """Return exp(-d) in counts of 2^-14 for d = 0, 1, ... counts, up to the last that is not 0.

    Args:
        frac_bits: One count of the logits is 2^-frac_bits.
    """
    # 0.5 counts are left at (14 + 1) ln 2
    last = int((EXP_BITS + 1) * np.log(2) * 2.0**frac_bits)
    values = np.exp(-np.arange(last + 1) / 2.0**frac_bits)
    return np.round(values * 2**EXP_BITS).astype(np.int64)


def score_words(logits: npt.NDArray[Any], frac_bits: int) -> npt.NDArray[np.uint8]:
    """Return the words of jets.

    Args:
        logits: Codes, shape (n_jets, n_classes).
        frac_bits: One count of them is 2^-frac_bits.

    Returns:
        Counts of 1/128, 0 to 128, shape (n_jets, n_classes).
    """
    codes = np.asarray(logits, np.int64)
    table = exp_table(frac_bits)
    d = codes.max(axis=1, keepdims=True) - codes
    e = np.where(d < len(table), table[np.minimum(d, len(table) - 1)], 0)
    total = e.sum(axis=1, keepdims=True)
    whole, rest = np.divmod(e << SCORE_BITS, total)
    up = (2 * rest > total) | ((2 * rest == total) & (whole % 2 == 1))
    return np.asarray(whole + up, np.uint8)
