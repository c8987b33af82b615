"""GarNet: candidates send features to a few aggregators at learned distances.

Made of elementary exact layers: hls4ml's contrib GarNet cannot be bit-exact. Idea: Qasim, Kieseler,
Iiyama, Pierini, "Learning representations of irregular particle-detector geometry with
distance-weighted graph networks" (2019).
"""

from typing import Any

from l1met_fpga.config.model import GarNetConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.layers import (
    AggregatePooling,
    BroadcastMultiply,
    CombineVectors,
    VectorPooling,
)
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_garnet"]


@register("garnet")
def build_garnet(config: GarNetConfig, make: LayerFactory, candidates: CandidateTensors) -> Any:
    """Build MET = sum_a c_a(F) V_a, see :class:`~l1met_fpga.config.model.GarNetConfig`."""
    h = candidates.features
    for depth, layer in enumerate(config.encode):
        h = make.dense(h, layer, layer.units, f"encode_{depth}")
    distances = make.dense(h, config.distances, config.aggregators, "distances")
    near = make.potential(distances, config.distances.output, config.potential, "potential")

    messages = make.dense(h, config.messages, config.messages.units, "messages")
    pool = AggregatePooling(config.aggregate_shift, name="aggregated_sum")
    r = candidates.pool(pool, near, messages, candidates.columns["pt"])
    r = make.quantize(r, config.aggregated, "aggregated")
    for depth, layer in enumerate(config.rho):
        r = make.dense(r, layer, layer.units, f"rho_{depth}")
    coefficients = make.dense(r, config.coefficients, config.aggregators, "coefficients")

    weights = make.dense(h, config.weights, 1, "weights")
    product = BroadcastMultiply(name="pool_weights_product")([near, weights])
    pool_weights = make.quantize(product, config.pool_weights, "pool_weights")
    vectors = candidates.pool(VectorPooling(name="vectors_sum"), pool_weights, candidates.momentum)
    vectors = make.quantize(vectors, config.vectors, "vectors")
    met = CombineVectors(name="met_sum")([coefficients, vectors])
    return make.quantize(met, config.met_xy, "met_xy")
