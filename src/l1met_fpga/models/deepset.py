"""DeepSet with K vector pools; with K = 1 and no scalars one weight per candidate."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from l1met_fpga.config.model import DeepSetConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.head_layers import HeadBuilder
from l1met_fpga.models.heads import Head
from l1met_fpga.models.layers import CombineVectors, ScalarPooling, VectorPooling
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_deepset"]


@register("deepset", kinds=("vector", "scalar", "classes"))
def build_deepset(
    config: DeepSetConfig, make: LayerFactory, candidates: CandidateTensors, heads: Sequence[Head]
) -> list[Any]:
    """Build each head, see :class:`~l1met_fpga.config.model.DeepSetConfig`."""
    parts = _DeepSet(config, make, candidates)
    return [parts.head(head) for head in heads]


class _DeepSet(HeadBuilder[DeepSetConfig]):
    @cached_property
    def hidden(self) -> Any:
        """Hidden numbers of each candidate."""
        h = self.candidates.features
        for depth, layer in enumerate(self.config.phi):
            h = self.make.dense(h, layer, layer.units, f"phi_{depth}")
        return h

    @cached_property
    def event(self) -> Any:
        """Hidden numbers of the event."""
        config, make = self.config, self.make
        if config.scalars is None:
            raise ConfigError("a head of classes is made of scalar pools; set model.scalars")
        scalars = make.dense(self.hidden, config.scalars, config.scalars.units, "scalars")
        pool = ScalarPooling(config.scalar_shift, name="scalars_sum")
        r = self.candidates.pool(pool, scalars, self.candidates.columns["pt"])
        r = make.quantize(r, config.pooled_scalars, "pooled_scalars")
        for depth, layer in enumerate(config.rho):
            r = make.dense(r, layer, layer.units, f"rho_{depth}")
        return r

    def vector(self, name: str) -> Any:
        """Sum_k c_k(S) V_k."""
        config, make = self.config, self.make
        weights = make.dense(self.hidden, config.weights, config.weights.units, "weights")
        pool = VectorPooling(name="vectors_sum")
        pooled = self.candidates.pool(pool, weights, self.candidates.momentum)
        if config.scalars is None:  # one pool, nothing to combine
            return make.quantize(pooled, config.head_type("vector"), f"{name}_xy", (2,))
        vectors = make.quantize(pooled, config.vectors, "vectors")
        units = config.weights.units
        coefficients = make.dense(self.event, config.coefficients, units, "coefficients")
        total = CombineVectors(name=f"{name}_sum")([coefficients, vectors])
        return make.quantize(total, config.head_type("vector"), f"{name}_xy")
