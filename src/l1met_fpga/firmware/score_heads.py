"""Heads whose scores the trigger takes as 8-bit words: classes of an example."""

from l1met_fpga.firmware.reference import HeadCodes
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.score_words import ScoreWords

__all__ = ["score_heads", "told_words", "words_name"]


def words_name(head: NetworkHead) -> str:
    """Return what forms and ports call the words of a head."""
    return f"{head.name}_words"


def score_heads(network: Network) -> dict[NetworkHead, ScoreWords]:
    """Return the heads that have words, and how these are made."""
    return {
        head: ScoreWords(head.size, network.type_of(head.name).frac_bits)
        for head in network.heads
        if (head.kind, head.per) == ("classes", "example")
    }


def told_words(network: Network, codes: HeadCodes) -> HeadCodes:
    """Return the words that belong to the codes of heads, by their names, shape (n_events, n_classes)."""
    return {
        words_name(head): scores.run(codes[head.name]).astype("int64")
        for head, scores in score_heads(network).items()
    }
