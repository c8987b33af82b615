"""Words of class scores as a pipeline: largest logit, table of exp, sum, table of 1/x, products."""

from dataclasses import dataclass
from typing import Final

from l1met_fpga.puppi.score_words import EXP_BITS, RECIPROCAL_BITS, ScoreWords

__all__ = ["ScoreLogic"]

SUMMANDS_PER_STAGE: Final = 4
TABLE_CLOCKS: Final = 2
"""The table's own register, and the one behind it."""
PRODUCT_CLOCKS: Final = 2
"""Product and output; the operands come from registers."""


@dataclass(frozen=True, slots=True)
class ScoreLogic:
    """Widths and clocks for one head.

    Attributes:
        words: What is computed.
        width: Bits of a logit.
    """

    words: ScoreWords
    width: int

    @property
    def n(self) -> int:
        """Classes."""
        return self.words.n_classes

    @property
    def rounds(self) -> tuple[int, ...]:
        """Logits left after each clock of looking for the largest."""
        left, found = self.n, []
        while left > 1:
            left = -(-left // 2)
            found.append(left)
        return tuple(found)

    @property
    def address_bits(self) -> int:
        """Of the table of exp; its last entry is zero, and is taken for all that lies beyond."""
        return max(len(self.words.exps).bit_length(), 1)

    @property
    def sums(self) -> tuple[int, ...]:
        """Summands left after each clock of adding."""
        left, found = self.n, []
        while left > 1:
            left = -(-left // SUMMANDS_PER_STAGE)
            found.append(left)
        return tuple(found)

    @property
    def exp_width(self) -> int:
        """Bits of an entry of the table of exp."""
        return EXP_BITS + 1

    @property
    def total_width(self) -> int:
        """Bits of the sum."""
        return self.exp_width + self.words.growth_bits

    @property
    def factor_width(self) -> int:
        """Bits of the reciprocal times a power of two."""
        return RECIPROCAL_BITS + self.words.growth_bits

    @property
    def exp_wait(self) -> int:
        """Clocks from an entry of the table to its product: sum, index, table, shift."""
        return len(self.sums) + 1 + TABLE_CLOCKS + 1

    @property
    def clocks(self) -> int:
        """From the logits to the words: largest, distance, table, wait, product, rounding."""
        return len(self.rounds) + 1 + TABLE_CLOCKS + self.exp_wait + PRODUCT_CLOCKS + 1
