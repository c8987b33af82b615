"""Verilog of the words of class scores: the pipeline and its two tables."""

from collections.abc import Sequence
from typing import Protocol

from l1met_fpga.firmware.rtl.scores import TABLE_CLOCKS, ScoreLogic
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.puppi.score_words import EXP_BITS, INDEX_BITS, RECIPROCAL_BITS

__all__ = ["score_files"]


class Render(Protocol):
    """What fills a template of Verilog."""

    def __call__(self, template: str, **values: object) -> str:
        """Fill it."""
        ...


def score_files(
    head: NetworkHead, scores: ScoreLogic, prefix: str, render: Render
) -> dict[str, str]:
    """Return file name -> text.

    Args:
        head: Head of classes.
        scores: Its words.
        prefix: Start of every module's name.
        render: Fills a template.
    """
    name = f"{prefix}_{head.name}_scores"

    def table(kind: str, what: str, entries: Sequence[int], address_bits: int, width: int) -> str:
        padded = [*entries, *[0] * (2**address_bits - len(entries))]
        return render(
            "table", name=f"{name}_{kind}", what=what, entries=padded, address_bits=address_bits,
            width=width, clocks=TABLE_CLOCKS,
        )  # fmt: skip

    words = scores.words
    count = words.frac_bits - words.cut_bits
    return {
        f"{name}.v": render(
            "scores", name=name, head=head, s=scores, exp_bits=EXP_BITS, index_bits=INDEX_BITS,
            reciprocal_bits=RECIPROCAL_BITS,
        ),
        f"{name}_exp.v": table(
            "exp", f"2^{EXP_BITS} exp(-d / 2^{count})", words.exps, scores.address_bits,
            scores.exp_width,
        ),
        f"{name}_reciprocal.v": table(
            "reciprocal", f"2^{RECIPROCAL_BITS} / (1 + x)", words.reciprocals, INDEX_BITS,
            RECIPROCAL_BITS,
        ),
    }  # fmt: skip
