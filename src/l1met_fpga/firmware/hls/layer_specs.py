"""Network nodes as hls4ml layer descriptions.

An exact operation and the quantizer that alone follows it become one layer.
"""

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.firmware.hls.channels import channel_code, concatenation_code
from l1met_fpga.firmware.hls.features import feature_code
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network

__all__ = ["Spec", "layer_specs"]

Spec = dict[str, Any]
"""Attributes of an hls4ml layer; ``node`` names the network node whose codes it gives, and
``precision`` holds its types."""


def layer_specs(network: Network, config: HlsConfig) -> list[Spec]:
    """Describe a network as hls4ml layers, in order of execution.

    Args:
        network: The integer network.
        config: Section ``hls``.
    """
    return _Specs(network, config).build()


def _exact_name(kind: FixedType) -> str:
    return kind.with_modes(Rounding.TRN, Overflow.WRAP).hls4ml_name


class _Specs:
    """Turns network nodes into hls4ml layer descriptions."""

    def __init__(self, network: Network, config: HlsConfig) -> None:
        self.network, self.config = network, config
        self.consumers = {
            node.name: [n for n in network if node.name in n.inputs] for node in network
        }
        self.per_candidate = network.per_candidate

    def build(self) -> list[Spec]:
        specs = []
        for node in self.network:
            if isinstance(node, net.Quantize) and self._absorbed_by(node.inputs[0]) is node:
                continue
            out = self._absorbed_by(node.name) or node
            specs.append(self._spec(node, out))
        return specs

    def _absorbed_by(self, name: str) -> net.Quantize | None:
        """The quantizer that an exact operation can carry out itself."""
        consumers, node = self.consumers[name], self.network.node(name)
        computed = node.exact and not isinstance(node, net.InputColumn)
        if computed and len(consumers) == 1 and isinstance(consumers[0], net.Quantize):
            return consumers[0]
        return None

    def _spec(self, node: net.Node, out: net.Node) -> Spec:
        spec = {
            "name": out.name,
            "node": out.name,
            "inputs": list(node.inputs),
            "precision": {"result": out.type.hls4ml_name},
            "shape": self._shape(node),
            "constants": [],
        }
        spec.update(_BUILDERS[node.op](self, node, spec))
        return spec

    def _shape(self, node: net.Node) -> tuple[int, ...]:
        """Candidate tensors are (n, channels), everything after a pool is flat."""
        if node.name in self.per_candidate:
            return (node.shape[0], prod(node.shape[1:]))
        return (prod(node.shape),)

    def folding(self) -> list[str]:
        n = self.network.n_candidates
        factor = self.config.parallelization_factor
        if self.config.io_type is IoType.STREAM:
            factor = 1
        return [
            f"static const unsigned n_candidates = {n};",
            f"static const unsigned n_partitions = {n // factor};",
            f"static const unsigned n_parallel = {factor};",
        ]

    def rows(self, node: net.Node) -> list[str]:
        """Folding of an elementwise operation."""
        if node.name not in self.per_candidate:
            return [
                "static const unsigned n_partitions = 1;",
                "static const unsigned n_rows = 1;",
                f"static const unsigned n_out = {prod(node.shape)};",
            ]
        return [
            *self.folding(),
            f"static const unsigned n_rows = {node.shape[0]};",
            f"static const unsigned n_out = {prod(node.shape[1:])};",
        ]

    def input(self, node: net.InputColumn, spec: Spec) -> Spec:
        sign = "" if node.type.signed else "u"
        return {
            "class_name": "InputLayer",
            "input_shape": list(spec["shape"]),
            "precision": {"result": f"{sign}int<{node.type.width}>"},
        }

    def features(self, node: net.Features, _spec: Spec) -> Spec:
        columns = [self.network.node(name) for name in node.inputs]
        stream = self.config.io_type is IoType.STREAM
        return {
            "class_name": "L1MetFeatures",
            "constants": self.folding(),
            "generated": feature_code(node, columns, stream=stream),
        }

    def momentum(self, node: net.Momentum, spec: Spec) -> Spec:
        cosine = FixedType(True, node.table_type.int_bits, node.table_type.frac_bits)
        return {
            "class_name": "L1MetMomentum",
            "constants": [*self.folding(), f"typedef {cosine.hls_name} cosine_t;"],
            "table_data": node.table_type.decode(node.quadrant_cos),
            "precision": {**spec["precision"], "table": _exact_name(node.table_type)},
        }

    def dense(self, node: net.Dense, spec: Spec) -> Spec:
        n_in, n_out = len(node.kernel), len(node.bias)
        kernel = node.kernel_type.decode(node.kernel)
        dense: Spec = {
            "weight_data": kernel,
            "bias_data": node.bias_type.decode(node.bias),
            "weight_quantizer": None,
            "bias_quantizer": None,
            "use_bias": True,
            "precision": {
                **spec["precision"],
                "weight": _exact_name(node.kernel_type),
                "bias": _exact_name(node.bias_type),
                "accum": _exact_name(node.type),
            },
        }
        if node.name not in self.per_candidate:
            return {"class_name": "Dense", "n_in": n_in, "n_out": n_out, **dense}
        n = node.shape[0]
        return {
            **dense,
            "class_name": "Conv1D",
            "data_format": "channels_last",
            "in_width": n,
            "out_width": n,
            "n_chan": n_in,
            "n_filt": n_out,
            "filt_width": 1,
            "stride_width": 1,
            "pad_left": 0,
            "pad_right": 0,
            "padding": "valid",
            "weight_data": kernel[None],
        }

    def quantize(self, node: net.Quantize, _spec: Spec) -> Spec:
        return {"class_name": "L1MetQuantize", "constants": self.rows(node)}

    def quantize_channels(self, node: net.QuantizeChannels, _spec: Spec) -> Spec:
        stream = self.config.io_type is IoType.STREAM
        return {
            "class_name": "L1MetQuantizeChannels",
            "constants": [*self.rows(node), *channel_code(node, stream=stream)],
        }

    def concatenate(self, node: net.Concatenate, _spec: Spec) -> Spec:
        stream = self.config.io_type is IoType.STREAM
        channels = [self.network.node(name).shape[-1] for name in node.inputs]
        return {
            "class_name": "L1MetConcatenate",
            "constants": [*self.rows(node), *concatenation_code(channels, stream=stream)],
        }

    def table(self, node: net.Table, spec: Spec) -> Spec:
        x = self.network.node(node.inputs[0]).type
        by_bits = np.roll(np.asarray(node.table), x.min_code)  # two's complement order
        return {
            "class_name": "L1MetTable",
            "constants": [
                *self.rows(node),
                f"static const unsigned table_size = {len(node.table)};",
            ],
            "table_data": node.type.decode(by_bits),
            "precision": {**spec["precision"], "table": _exact_name(node.type)},
        }

    def multiply(self, node: net.Multiply, _spec: Spec) -> Spec:
        left, right = (self.network.node(name).shape[-1] for name in node.inputs)
        return {
            "class_name": "L1MetMultiply",
            "constants": [
                *self.rows(node),
                f"static const unsigned n_left = {left};",
                f"static const unsigned n_right = {right};",
                f"typedef {self.network.needed_type(node).hls_name} accum_t;",
            ],
        }

    def pool(self, node: net.VectorPool | net.Combine, _spec: Spec) -> Spec:
        pools = node.shape[0] if node.op == "vector_pool" else self._pools(node)
        name = "L1MetVectorPool" if node.op == "vector_pool" else "L1MetCombine"
        return {
            "class_name": name,
            "constants": [
                *self.folding(),
                f"static const unsigned n_pools = {pools};",
                f"typedef {self.network.needed_type(node).hls_name} accum_t;",
            ],
        }

    def _pools(self, node: net.Combine) -> int:
        return self.network.node(node.inputs[0]).shape[-1]

    def scalar_pool(self, node: net.ScalarPool, _spec: Spec) -> Spec:
        return {
            "class_name": "L1MetScalarPool",
            "constants": [
                *self.folding(),
                f"static const unsigned n_pools = {node.shape[0]};",
                *self._sum_types(node),
            ],
        }

    def aggregate(self, node: net.Aggregate, _spec: Spec) -> Spec:
        weights, features = (self.network.node(name).shape[-1] for name in node.inputs[:2])
        return {
            "class_name": "L1MetAggregate",
            "constants": [
                *self.folding(),
                f"static const unsigned n_weights = {weights};",
                f"static const unsigned n_features = {features};",
                *self._sum_types(node),
            ],
        }

    def _sum_types(self, node: net.ScalarPool | net.Aggregate) -> list[str]:
        """The sum before and after the exact shift have the same bits."""
        kind = self.network.needed_type(node)
        before = FixedType(kind.signed, kind.int_bits + node.shift, kind.frac_bits - node.shift)
        return [f"typedef {kind.hls_name} accum_t;", f"typedef {before.hls_name} sum_t;"]


_BUILDERS: Final[dict[str, Callable[[_Specs, Any, Spec], Spec]]] = {
    "input": _Specs.input,
    "features": _Specs.features,
    "momentum": _Specs.momentum,
    "dense": _Specs.dense,
    "quantize": _Specs.quantize,
    "quantize_channels": _Specs.quantize_channels,
    "table": _Specs.table,
    "multiply": _Specs.multiply,
    "vector_pool": _Specs.pool,
    "combine": _Specs.pool,
    "scalar_pool": _Specs.scalar_pool,
    "aggregate": _Specs.aggregate,
    "concatenate": _Specs.concatenate,
}
