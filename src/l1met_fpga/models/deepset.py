"""DeepSet with K vector pools; with K = 1 and no scalars the one-weight network of DeepMET."""

from typing import Any

from l1met_fpga.config.model import DeepSetConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.layers import CombineVectors, ScalarPooling, VectorPooling
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_deepset"]


@register("deepset")
def build_deepset(config: DeepSetConfig, make: LayerFactory, candidates: CandidateTensors) -> Any:
    """Build MET = sum_k c_k(S) V_k, see :class:`~l1met_fpga.config.model.DeepSetConfig`."""
    h = candidates.features
    for depth, layer in enumerate(config.phi):
        h = make.dense(h, layer, layer.units, f"phi_{depth}")
    weights = make.dense(h, config.weights, config.weights.units, "weights")
    pool = VectorPooling(name="vectors_sum")
    pooled = candidates.pool(pool, weights, candidates.momentum)
    if config.scalars is None:  # one pool, nothing to combine
        return make.quantize(pooled, config.met_xy, "met_xy", (2,))
    vectors = make.quantize(pooled, config.vectors, "vectors")
    scalars = make.dense(h, config.scalars, config.scalars.units, "scalars")
    scalar_pool = ScalarPooling(config.scalar_shift, name="scalars_sum")
    r = candidates.pool(scalar_pool, scalars, candidates.columns["pt"])
    r = make.quantize(r, config.pooled_scalars, "pooled_scalars")
    for depth, layer in enumerate(config.rho):
        r = make.dense(r, layer, layer.units, f"rho_{depth}")
    coefficients = make.dense(r, config.coefficients, config.weights.units, "coefficients")
    met = CombineVectors(name="met_sum")([coefficients, vectors])
    return make.quantize(met, config.met_xy, "met_xy")
