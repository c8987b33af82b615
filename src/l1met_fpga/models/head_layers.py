"""Heads that every architecture makes in the same way."""

from typing import Any, Final

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.heads import Head
from l1met_fpga.models.layers import BroadcastMultiply, ScalarPooling
from l1met_fpga.models.registry import CandidateTensors

__all__ = ["WEIGHTS", "logits", "scalar_sum"]

WEIGHTS: Final = "{}_weights"
"""Name of the weights of a scalar head."""


def scalar_sum(
    make: LayerFactory, candidates: CandidateTensors, hidden: Any, config: ModelConfig, head: Head
) -> Any:
    """Build sum_i w_i pt_i with one learned weight per candidate, shape (events, 1).

    Args:
        make: The factory.
        candidates: For pt.
        hidden: Hidden numbers of each candidate, which the weights are made of.
        config: Types: ``scalar_weights``, ``scalar``.
        head: The head.
    """
    weights = make.dense(hidden, config.scalar_weights, 1, WEIGHTS.format(head.name))
    terms = BroadcastMultiply(name=f"{head.name}_terms")([weights, candidates.pt_gev])
    pool = ScalarPooling(0, name=f"{head.name}_sum")
    total = candidates.pool(pool, terms, candidates.columns["pt"])
    return make.quantize(total, config.head_type("scalar"), f"{head.name}_value")


def logits(make: LayerFactory, event: Any, config: ModelConfig, head: Head) -> Any:
    """Build one logit per class, shape (events, classes); the largest one wins, without softmax.

    Args:
        make: The factory.
        event: Hidden numbers of the event.
        config: Types: ``logits``.
        head: The head.
    """
    return make.dense(event, config.logits, head.size, f"{head.name}_logits")
