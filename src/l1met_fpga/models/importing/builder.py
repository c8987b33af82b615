"""Adds nodes to an integer network, each exact or with the rounding that was asked for."""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.model import MomentumConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import network as net
from l1met_fpga.models import ranges
from l1met_fpga.models.importing.exact import Codes, codes_type, no_bias, require_float32
from l1met_fpga.models.importing.inputs import Linear
from l1met_fpga.models.importing.values import Function, Pooled, Tensor, Value
from l1met_fpga.models.layers import quadrant_cos
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS

__all__ = ["Builder"]

IntArray = npt.NDArray[np.int64]

MOMENTUM_NODE: Final = "candidate_momentum"


class Builder:
    """Nodes of a network in the making, and the layer that each came from."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.nodes: list[net.Node] = []
        self.layer_of: dict[str, str] = {}
        for column in REQUIRED_COLUMNS:
            self.column(column)

    def add(self, node: net.Node, layer: str = "") -> Tensor:
        """Add a node that comes from a Keras layer."""
        self.nodes.append(node)
        self.layer_of[node.name] = layer
        return Tensor(node)

    def name(self, wanted: str) -> str:
        """Return a name like the wanted one that is free and allowed in code."""
        plain = re.sub(r"[^0-9A-Za-z]+", "_", wanted).strip("_")[:50] or "node"
        plain = plain if plain[0].isalpha() else f"n_{plain}"
        taken = {node.name for node in self.nodes}
        return next(n for n in (plain, *(f"{plain}_{i}" for i in range(1000))) if n not in taken)

    def column(self, column: str) -> None:
        """Add a candidate column, once."""
        if any(isinstance(n, net.InputColumn) and n.column == column for n in self.nodes):
            return
        kind = COLUMNS[column].type
        self.add(
            net.InputColumn(name=column, inputs=(), shape=(self.slots,), type=kind, column=column)
        )

    def features(self, linear: Linear, layer: str) -> net.Node:
        """Add the features that a linear tensor is made of, as one node."""
        columns = tuple(dict.fromkeys(f.column for f in linear.features))
        for column in columns:
            self.column(column)
        names: dict[str, int] = {}
        features = []
        for feature in linear.features:  # the same column may come in twice
            names[feature.name] = names.get(feature.name, 0) + 1
            again = names[feature.name] > 1
            name = f"{feature.name}_again{names[feature.name]}" if again else feature.name
            features.append(feature.model_copy(update={"name": name}))
        return self.add(
            net.Features(
                name=self.name(f"{layer}_inputs"),
                inputs=columns,
                shape=(self.slots, len(features)),
                type=ranges.union_type([f.type for f in features]),
                features=tuple(features),
            ),
            layer,
        ).node

    def dense(
        self, layer: str, x: net.Node, kernel: Codes, bias: Codes, *, bound: IntArray | None = None
    ) -> Tensor:
        """Add a dense layer.

        Args:
            layer: Keras layer that it comes from.
            x: Its input.
            kernel: Shape (inputs, outputs).
            bias: Shape (outputs,).
            bound: Largest sizes of kernel codes, where Keras computes them in two steps.

        Raises:
            ConversionError: If float32 might round its sums.
        """
        codes, kernel_type = kernel
        types = (
            [f.type for f in x.features] if isinstance(x, net.Features) else [x.type] * len(codes)
        )
        largest = kernel_type.decode(codes if bound is None else bound)
        require_float32(largest, bias[1].decode(bias[0]), types, f"layer {layer!r}")
        return self.add(
            net.Dense(
                name=self.name(layer),
                inputs=(x.name,),
                shape=(*x.shape[:-1], codes.shape[1]),
                type=ranges.dense_type(x.type, codes, kernel_type, *bias),
                kernel=tuple(tuple(int(c) for c in row) for row in codes),
                kernel_type=kernel_type,
                bias=tuple(int(c) for c in bias[0]),
                bias_type=bias[1],
            ),
            layer,
        )

    def as_node(self, value: Value, layer: str) -> net.Node:
        """Return a node that holds a value.

        Raises:
            ConversionError: If nothing but a sum may follow it.
        """
        match value:
            case Tensor():
                return value.node
            case Linear():
                x = self.features(value, layer)
                if np.array_equal(value.matrix, np.eye(*value.matrix.shape)):
                    return x
                kernel = value.matrix, codes_type(value.matrix, value.frac_bits)
                return self.dense(f"{layer}_in", x, kernel, no_bias(value.matrix.shape[1])).node
            case Function():
                raise ConversionError(
                    f"layer {layer!r} reads {value.name}, which has no exact integers; put a "
                    "quantizer (QActivation) behind it"
                )
        raise ConversionError(f"layer {layer!r} may not follow the product with px, py or its sum")

    def quantized(self, value: Value, kind: FixedType, layer: str) -> Tensor:
        """Bring a value into a type; a waiting function becomes a table."""
        if isinstance(value, Function):
            return self.table(value.node, kind.encode(value.values), kind, layer)
        x = self.as_node(value, layer)
        node = net.Quantize(name=self.name(layer), inputs=(x.name,), shape=x.shape, type=kind)
        return self.add(node, layer)

    def table(
        self, x: net.Node, codes: npt.NDArray[np.int64], kind: FixedType, layer: str
    ) -> Tensor:
        """Add a look-up of codes, one for every code of ``x``."""
        table = tuple(int(c) for c in codes)
        node = net.Table(
            name=self.name(layer), inputs=(x.name,), shape=x.shape, type=kind, table=table
        )
        return self.add(node, layer)

    def finish(self, pooled: Pooled, name: str, kind: FixedType | None) -> net.Node:
        """Add momentum, pool and the result; return the node of the result."""
        momentum = MomentumConfig()
        moved = self.divided(pooled.weights, pooled.shift)
        p = self.add(
            net.Momentum(
                name=self.name(MOMENTUM_NODE),
                inputs=("pt", "phi"),
                shape=(self.slots, 2),
                type=momentum.output,
                table_type=momentum.table,
                quadrant_cos=tuple(int(code) for code in quadrant_cos(momentum.table)),
            )
        ).node
        exact = ranges.vector_pool_type(moved.type, p.type, self.slots)
        pool = self.add(
            net.VectorPool(
                name=self.name("vectors"), inputs=(moved.name, p.name), shape=(1, 2), type=exact
            )
        ).node
        kind = kind or exact.with_modes(Rounding.RND, Overflow.SAT)
        result = net.Quantize(name=self.name(name), inputs=(pool.name,), shape=(2,), type=kind)
        return self.add(result).node

    def used(self, end: net.Node) -> tuple[net.Node, ...]:
        """Return the nodes that a result depends on; a column that nothing reads is not used."""
        needed = {end.name}
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        return tuple(node for node in self.nodes if node.name in needed)

    def divided(self, weights: net.Node, bits: int) -> net.Node:
        """Divide the weights by a power of two: their binary point moves, no code changes."""
        if not bits:
            return weights
        index = self.nodes.index(weights)
        old, source = weights, None
        if isinstance(old, net.Quantize):
            source = next(n for n in self.nodes if n.name == old.inputs[0])
        for node in (old, source):
            if node is not None and not isinstance(node, net.Quantize | net.Dense):
                raise ConversionError(
                    f"a mean over candidates of weights that come from {node.op} {node.name!r} is "
                    "not supported; use a sum"
                )
        used = [name for n in self.nodes for name in n.inputs]
        if source is not None and used.count(source.name) > 1:
            raise ConversionError(f"a mean, and {source.name!r} is used twice; use a sum")
        if source is not None:
            self.nodes[self.nodes.index(source)] = _moved(source, bits)
        self.nodes[index] = _moved(old, bits)
        return self.nodes[index]


def _moved(node: net.Node, bits: int) -> net.Node:
    def moved(kind: FixedType) -> FixedType:
        return FixedType(
            kind.signed, kind.int_bits - bits, kind.frac_bits + bits, kind.rounding, kind.overflow
        )

    names = ("type", "kernel_type", "bias_type") if isinstance(node, net.Dense) else ("type",)
    return node.model_copy(update={name: moved(getattr(node, name)) for name in names})
