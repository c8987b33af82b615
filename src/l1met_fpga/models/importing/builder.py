"""Adds nodes to an integer network, each exact or with the rounding that was asked for."""

import re

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models import ranges
from l1met_fpga.models.importing.exact import Codes, codes_type, no_bias, require_float32
from l1met_fpga.models.importing.inputs import Linear
from l1met_fpga.models.importing.values import Function, Tensor, Value
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS

__all__ = ["Builder"]

IntArray = npt.NDArray[np.int64]

Types = tuple[FixedType | None, ...]
"""Type of each channel, or one for all; a channel without a type is always zero."""


class Builder:
    """Nodes of a network in the making.

    Attributes:
        slots: Candidates per event.
        nodes: So far, in order of execution.
        layer_of: Node name -> the layer that it came from.
        compared: Node name -> the model's tensor of the same values, and the shift: the node is
            ``2**-shift`` times it.
        unmasked: Nodes that the model sums over all slots, so that they must be zero in empty ones.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.compared: dict[str, tuple[str, int]] = {}
        self.unmasked: list[str] = []
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

    def features(self, linear: Linear, layer: str, types: Types = ()) -> net.Node:
        """Add the features that a linear tensor is made of, as one node.

        Args:
            linear: The tensor.
            layer: Where they are needed.
            types: Type that each is brought into; none: without loss.
        """
        columns = tuple(dict.fromkeys(f.column for f in linear.features))
        for column in columns:
            self.column(column)
        names: dict[str, int] = {}
        features: list[net.Feature] = []
        for feature in linear.features:  # the same column may come in twice
            names[feature.name] = names.get(feature.name, 0) + 1
            again = names[feature.name] > 1
            name = f"{feature.name}_again{names[feature.name]}" if again else feature.name
            kind = types[len(features)] if types else feature.type
            features.append(feature.model_copy(update={"name": name, "type": kind or feature.type}))
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
                if value.plain:
                    return x
                kernel = value.matrix, codes_type(value.matrix, value.frac_bits)
                return self.dense(f"{layer}_in", x, kernel, no_bias(value.matrix.shape[1])).node
            case Function():
                raise ConversionError(
                    f"layer {layer!r} reads {value.name}, which has no exact integers; put a "
                    "quantizer (QActivation) behind it"
                )
        raise ConversionError(
            f"layer {layer!r} reads {type(value).__name__.lower()} values; only candidates' numbers "
            "and those of the event may go there"
        )

    def quantized(self, value: Value, kind: FixedType, layer: str) -> Tensor:
        """Bring a value into a type; a waiting function becomes a table."""
        if isinstance(value, Function):
            return self.table(value.node, kind.encode(value.values), kind, layer)
        x = self.as_node(value, layer)
        node = net.Quantize(name=self.name(layer), inputs=(x.name,), shape=x.shape, type=kind)
        return self.add(node, layer)

    def quantized_channels(self, value: Value, types: Types, layer: str) -> Tensor:
        """Bring each channel of a value into its own type."""
        if len(set(types)) == 1 and types[0] is not None:
            return self.quantized(value, types[0], layer)
        if isinstance(value, Linear) and value.plain and None not in types:
            return Tensor(self.features(value, layer, types))
        x = self.as_node(value, layer)
        types = types * x.shape[-1] if len(types) == 1 else types
        kind = ranges.union_type([kind for kind in types if kind is not None])
        node = net.QuantizeChannels(
            name=self.name(layer), inputs=(x.name,), shape=x.shape, type=kind, types=types
        )
        return self.add(node, layer)

    def joined(self, layer: str, *nodes: net.Node) -> Tensor:
        """Put the channels of several tensors side by side.

        Raises:
            ConversionError: If some are of candidates and others of the event.
        """
        if len({node.shape[:-1] for node in nodes}) != 1:
            shapes = ", ".join(str(node.shape) for node in nodes)
            raise ConversionError(
                f"layer {layer!r} reads tensors of shapes {shapes}: numbers of candidates and of the "
                "event do not go together; pool those of candidates first"
            )
        node = net.Concatenate(
            name=self.name(layer),
            inputs=tuple(node.name for node in nodes),
            shape=(*nodes[0].shape[:-1], sum(node.shape[-1] for node in nodes)),
            type=ranges.union_type([node.type for node in nodes]),
        )
        return self.add(node, layer)

    def used(self, end: net.Node) -> tuple[net.Node, ...]:
        """Return the nodes that a result depends on; a column that nothing reads is not used."""
        needed = {end.name}
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        return tuple(node for node in self.nodes if node.name in needed)

    def table(
        self, x: net.Node, codes: npt.NDArray[np.int64], kind: FixedType, layer: str
    ) -> Tensor:
        """Add a look-up of codes, one for every code of ``x``."""
        table = tuple(int(c) for c in codes)
        node = net.Table(
            name=self.name(layer), inputs=(x.name,), shape=x.shape, type=kind, table=table
        )
        return self.add(node, layer)
