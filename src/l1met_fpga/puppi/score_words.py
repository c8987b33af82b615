"""The trigger's 8-bit words of class scores, made of logits in integers.

CMSSW keeps the scores of a jet as ``ap_ufixed<8,1>``, rounded half to even: counts of 1/128, of what a softmax
gives. Here the softmax is one of integers, with two tables and one product per class, so that every
implementation gives the same words:

    d_k = max_j l_j - l_k        counts of the logits, or of 2^-8 where these are finer
    e_k = round(2^14 exp(-d_k))  from a table, 0 beyond its end
    sum_j e_j = 2^(14 + s) (1 + i / 2^10 + ...)
    r = round(2^12 / (1 + (i + 1/2) / 2^10))  from a table
    word_k = e_k r 2^-s, in counts of 1/128, rounded half to even
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["EXP_BITS", "INDEX_BITS", "RECIPROCAL_BITS", "SCORE_BITS", "ScoreWords"]

SCORE_BITS: Final = 7
"""A word counts 2^-7; the largest is 128, for 1."""
EXP_BITS: Final = 14
"""Of exp(0) = 1 in the table: what it loses is below a sixtieth of a count of the words."""
INDEX_BITS: Final = 10
"""Bits of the sum, below its leading one, that the reciprocal is looked up with: a sixteenth of a count."""
RECIPROCAL_BITS: Final = 12
FINEST_BITS: Final = 8
"""Differences of logits are told to 2^-8."""


@dataclass(frozen=True)
class ScoreWords:
    """Tables and shifts for the words of one head.

    Attributes:
        n_classes: Logits of a jet.
        frac_bits: One count of them is 2^-frac_bits.
    """

    n_classes: int
    frac_bits: int

    @property
    def cut_bits(self) -> int:
        """Bits of a difference of logits that are dropped."""
        return max(0, self.frac_bits - FINEST_BITS)

    @cached_property
    def exps(self) -> tuple[int, ...]:
        """exp(-d) in counts of 2^-14 for d = 0, 1, ... counts, up to the last that is not 0."""
        count = 2.0 ** (self.cut_bits - self.frac_bits)
        # 0.5 counts are left at (14 + 1) ln 2
        last = int((EXP_BITS + 1) * np.log(2) / count)
        values = np.round(np.exp(-np.arange(last + 1) * count) * 2**EXP_BITS)
        return tuple(values.astype(int).tolist())

    @cached_property
    def reciprocals(self) -> tuple[int, ...]:
        """1 / (1 + x) in counts of 2^-12, by the first ten bits of x."""
        middle = (np.arange(1 << INDEX_BITS) + 0.5) / (1 << INDEX_BITS)
        return tuple(np.round((1 << RECIPROCAL_BITS) / (1 + middle)).astype(int).tolist())

    @property
    def growth_bits(self) -> int:
        """How many doublings of 1 the sum can have: the largest s."""
        return (self.n_classes - 1).bit_length()

    @property
    def drop_bits(self) -> int:
        """Bits that are dropped of e_k r 2^(growth_bits - s)."""
        return EXP_BITS + RECIPROCAL_BITS - SCORE_BITS + self.growth_bits

    def run(self, logits: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return the words of jets.

        Args:
            logits: Codes, shape (n_jets, n_classes).

        Returns:
            Counts of 1/128, 0 to 128, shape (n_jets, n_classes).
        """
        codes = np.asarray(logits, np.int64)
        table = np.array(self.exps)
        d = (codes.max(axis=1, keepdims=True) - codes) >> self.cut_bits
        e = np.where(d < len(table), table[np.minimum(d, len(table) - 1)], 0)
        total = e.sum(axis=1, keepdims=True)
        s = sum(
            (total >> (EXP_BITS + bit) > 0).astype(int) for bit in range(1, self.growth_bits + 1)
        )
        index = (total >> (s + EXP_BITS - INDEX_BITS)) & ((1 << INDEX_BITS) - 1)
        product = e * (np.array(self.reciprocals)[index] << (self.growth_bits - s))
        whole, rest = product >> self.drop_bits, product & ((1 << self.drop_bits) - 1)
        half = 1 << (self.drop_bits - 1)
        up = (rest > half) | ((rest == half) & (whole % 2 == 1))
        return np.asarray(whole + up, np.uint8)
