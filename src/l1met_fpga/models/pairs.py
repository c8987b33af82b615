"""What networks on pairs of candidates share: packed rows, and heads from hidden numbers."""

from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from l1met_fpga.config.graph_models import PairsConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.head_layers import HeadBuilder
from l1met_fpga.models.keras import keras
from l1met_fpga.models.layers import ScalarPooling, VectorPooling
from l1met_fpga.models.pair_layers import OfEvent, PackRows
from l1met_fpga.models.registry import CandidateTensors

__all__ = ["PairsBuilder"]

Config = TypeVar("Config", bound=PairsConfig)


class PairsBuilder(HeadBuilder[Config]):
    """Builds heads of a network whose candidates see one another.

    A subclass gives :meth:`seen`. Where candidates come in slots, the empty ones are dropped first.
    """

    def __init__(self, config: Config, make: LayerFactory, candidates: CandidateTensors) -> None:
        super().__init__(config, make, _packed(candidates))

    @property
    def splits(self) -> Any:
        """Borders between events."""
        return self.candidates.row_splits

    @property
    def angles(self) -> list[Any]:
        """Eta and phi of the candidates, counts."""
        return [self.candidates.columns["eta"], self.candidates.columns["phi"]]

    def seen(self, hidden: Any) -> Any:
        """Return the hidden numbers of each candidate after it has seen the others."""
        raise NotImplementedError

    @cached_property
    def exchanged(self) -> Any:
        """Hidden numbers of each candidate that has seen the others."""
        hidden = self.candidates.features
        for depth in range(self.config.encode):
            hidden = self._dense(hidden, self.config.units, f"encode_{depth}")
        return self.seen(hidden)

    @cached_property
    def hidden(self) -> Any:
        """Hidden numbers of each candidate that has seen the others and the event."""
        hidden = self.exchanged
        if self.config.context:
            of_event = OfEvent(name="context_rows")([self.event, self.splits])
            hidden = keras.layers.Concatenate(name="with_context")([hidden, of_event])
        return self._dense(hidden, self.config.decode, "decode")

    @cached_property
    def event(self) -> Any:
        """Hidden numbers of the event: a sum over its candidates."""
        units = self.config.context or self.config.decode
        numbers = self._dense(self.exchanged, units, "numbers")
        pool = ScalarPooling(5, name="numbers_sum")
        pooled = self.candidates.pool(pool, numbers, self.candidates.columns["pt"])
        return self._dense(pooled, units, "context")

    def vector(self, name: str) -> Any:
        """-sum_i w_i p_i."""
        weights = self.make.dense(self.hidden, self.config.plain, 1, "weights")
        if self.config.bounded:
            weights = keras.layers.Activation("sigmoid", name="bounded_weights")(weights)
        pool = VectorPooling(name="vectors_sum")
        pooled = self.candidates.pool(pool, weights, self.candidates.momentum)
        return self.make.quantize(pooled, self.config.head_type("vector"), f"{name}_xy", (2,))

    def _dense(self, x: Any, units: int, name: str) -> Any:
        return self.make.dense(x, self.config.hidden, units, name)


def _packed(candidates: CandidateTensors) -> CandidateTensors:
    if candidates.row_splits is not None:
        return candidates
    columns, others = candidates.columns, ("features", "momentum", "pt_gev")
    given = {name: tensor for name in others if (tensor := getattr(candidates, name)) is not None}
    *rows, splits = PackRows(name="rows")([columns["pt"], *columns.values(), *given.values()])
    n = len(columns)
    return replace(
        candidates,
        columns=dict(zip(columns, rows[:n], strict=True)),
        row_splits=splits,
        **dict(zip(given, rows[n:], strict=True)),
    )
