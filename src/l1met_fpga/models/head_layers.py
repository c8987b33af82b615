"""Heads that every architecture makes in the same way."""

from abc import ABC, abstractmethod
from typing import Any, Final, Generic, TypeVar

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.heads import Head
from l1met_fpga.models.layers import BroadcastMultiply, ScalarPooling
from l1met_fpga.models.registry import CandidateTensors

__all__ = ["LOGITS", "NUMBER", "WEIGHTS", "HeadBuilder", "event_number", "logits", "scalar_sum"]

Config = TypeVar("Config", bound=ModelConfig)

WEIGHTS: Final = "{}_weights"
"""Name of the weights of a scalar head."""
NUMBER: Final = "{}_value"
LOGITS: Final = "{}_logits"


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


def event_number(make: LayerFactory, event: Any, config: ModelConfig, head: Head) -> Any:
    """Build one number of the event as a whole, shape (events, 1); it starts at 1.

    Args:
        make: The factory.
        event: Hidden numbers of the event.
        config: Types: ``number``.
        head: The head.
    """
    return make.dense(event, config.number, 1, NUMBER.format(head.name))


def logits(make: LayerFactory, event: Any, config: ModelConfig, head: Head) -> Any:
    """Build one logit per class, shape (events, classes); the largest one wins, without softmax.

    Args:
        make: The factory.
        event: Hidden numbers of the event.
        config: Types: ``logits``.
        head: The head.
    """
    return make.dense(event, config.logits, head.size, LOGITS.format(head.name))


class HeadBuilder(ABC, Generic[Config]):
    """Builds heads of one architecture; they share its parts, each made when first needed.

    Args:
        config: The architecture's sizes and types.
        make: The factory.
        candidates: What the network reads.
    """

    def __init__(self, config: Config, make: LayerFactory, candidates: CandidateTensors) -> None:
        self.config, self.make, self.candidates = config, make, candidates

    def head(self, head: Head) -> Any:
        """Build one head, shape (events, size)."""
        match head.kind:
            case "vector":
                return self.vector(head.name)
            case "scalar" if not head.is_sum:
                return event_number(self.make, self.event, self.config, head)
            case "scalar":
                return scalar_sum(self.make, self.candidates, self.hidden, self.config, head)
            case "classes":
                return logits(self.make, self.event, self.config, head)

    @property
    @abstractmethod
    def hidden(self) -> Any:
        """Hidden numbers of each candidate."""

    @property
    @abstractmethod
    def event(self) -> Any:
        """Hidden numbers of the event."""

    @abstractmethod
    def vector(self, name: str) -> Any:
        """Build a vector head of that name, shape (events, 2)."""
