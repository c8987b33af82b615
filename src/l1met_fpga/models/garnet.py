"""GarNet: candidates send features to a few aggregators at learned distances.

Made of elementary exact layers: hls4ml's contrib GarNet cannot be bit-exact. Idea: Qasim, Kieseler,
Iiyama, Pierini, "Learning representations of irregular particle-detector geometry with
distance-weighted graph networks" (2019).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from l1met_fpga.config.model import GarNetConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.head_layers import HeadBuilder
from l1met_fpga.models.heads import Head
from l1met_fpga.models.layers import (
    AggregatePooling,
    BroadcastMultiply,
    CombineVectors,
    VectorPooling,
)
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_garnet"]


@register("garnet", kinds=("vector", "scalar", "classes"))
def build_garnet(
    config: GarNetConfig, make: LayerFactory, candidates: CandidateTensors, heads: Sequence[Head]
) -> list[Any]:
    """Build each head, see :class:`~l1met_fpga.config.model.GarNetConfig`."""
    parts = _GarNet(config, make, candidates)
    return [parts.head(head) for head in heads]


class _GarNet(HeadBuilder[GarNetConfig]):
    @cached_property
    def hidden(self) -> Any:
        """Hidden numbers of each candidate."""
        h = self.candidates.features
        for depth, layer in enumerate(self.config.encode):
            h = self.make.dense(h, layer, layer.units, f"encode_{depth}")
        return h

    @cached_property
    def near(self) -> Any:
        """Nearness of each candidate to each aggregator."""
        types, units = self.config.distances, self.config.aggregators
        distances = self.make.dense(self.hidden, types, units, "distances")
        return self.make.potential(distances, types.output, self.config.potential, "potential")

    @cached_property
    def event(self) -> Any:
        """Hidden numbers of the event."""
        config, make, near = self.config, self.make, self.near
        messages = make.dense(self.hidden, config.messages, config.messages.units, "messages")
        pool = AggregatePooling(config.aggregate_shift, name="aggregated_sum")
        r = self.candidates.pool(pool, near, messages, self.candidates.columns["pt"])
        r = make.quantize(r, config.aggregated, "aggregated")
        for depth, layer in enumerate(config.rho):
            r = make.dense(r, layer, layer.units, f"rho_{depth}")
        return r

    def vector(self, name: str) -> Any:
        """Sum_a c_a(F) V_a."""
        config, make = self.config, self.make
        units = config.aggregators
        coefficients = make.dense(self.event, config.coefficients, units, "coefficients")
        weights = make.dense(self.hidden, config.weights, 1, "weights")
        product = BroadcastMultiply(name="pool_weights_product")([self.near, weights])
        pool_weights = make.quantize(product, config.pool_weights, "pool_weights")
        pool = VectorPooling(name="vectors_sum")
        vectors = self.candidates.pool(pool, pool_weights, self.candidates.momentum)
        vectors = make.quantize(vectors, config.vectors, "vectors")
        total = CombineVectors(name=f"{name}_sum")([coefficients, vectors])
        return make.quantize(total, config.head_type("vector"), f"{name}_xy")
