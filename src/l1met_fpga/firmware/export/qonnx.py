"""A network as a QONNX graph: what other tools read, and its own executor computes.

Candidates go in as counts, one input of shape (1, slots) per column, and every head comes out in its
unit. Every node of the network has a tensor of its name.
"""

import shlex
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.files import atomic_path
from l1met_fpga.firmware.export.qonnx_graph import FLOAT32_BITS, QonnxGraph, Tensor
from l1met_fpga.firmware.reference import check_network
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.packages import load_package
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN, PT_FRAC_BITS

__all__ = ["export_qonnx"]

OPSET: Final = 13


def export_qonnx(network: Network, path: Path) -> str:
    """Write a network as a ``.onnx`` file.

    Returns:
        The command that runs it.

    Raises:
        ConversionError: If a type has no form in QONNX.
        ToolMissingError: If the package onnx is not there.
    """
    check_network(network)
    load_package("qonnx")
    from onnx import TensorProto, helper

    writer = _Writer(network)
    for node in network:
        writer.write(node)
    value = helper.make_tensor_value_info
    slots = network.n_candidates
    outputs = {head.name: writer.head(head) for head in network.heads}
    graph = helper.make_graph(
        writer.graph.nodes,
        network.name,
        [value(column, TensorProto.FLOAT, (1, slots)) for column in writer.columns],
        [
            value(name, TensorProto.FLOAT, (1, *head.shape(slots)))
            for name, head in zip(outputs.values(), network.heads, strict=True)
        ],
        writer.graph.constants,
    )
    opsets = [
        helper.make_opsetid("", OPSET),
        helper.make_opsetid("qonnx.custom_op.general", 1),
    ]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=8, producer_name="l1met_fpga",
        producer_version=version("l1met_fpga"),
    )  # fmt: skip
    helper.set_model_props(model, {"network": network.digest})
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return f"qonnx-exec {shlex.quote(str(path))}"


class _Writer:
    """Writes nodes in order; ``tensors`` holds what is there."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.graph = QonnxGraph()
        self.tensors: dict[str, Tensor] = {}
        self.columns: list[str] = []

    def write(self, node: net.Node) -> None:
        self.tensors[node.name] = _OPERATIONS[node.op](self, node)

    def head(self, head: Any) -> str:
        name = f"{head.name}_{head.unit}" if head.unit else head.name
        tensor = self.tensors[head.node]
        value = self.graph.cast(tensor.name, np.float32) if tensor.double else tensor.name
        return self.graph.add("Identity", value, name=name)

    def inputs(self, node: net.Node) -> list[Tensor]:
        return [self.tensors[name] for name in node.inputs]

    def input(self, node: net.InputColumn) -> Tensor:
        self.columns.append(node.name)
        return Tensor(node.name, node.type)

    def features(self, node: net.Features) -> Tensor:
        g = self.graph
        column_of = {n.column: n.name for n in self.network if isinstance(n, net.InputColumn)}
        channels = []
        for feature in node.features:
            value = self._feature(feature, column_of[feature.column])
            name = f"{node.name}_{feature.name}"
            quantized = g.quant(value, feature.type, name)
            channels.append(g.add("Unsqueeze", quantized, g.constant([2], np.int64)))
        return Tensor(g.add("Concat", *channels, name=node.name, axis=2), node.type)

    def _feature(self, feature: net.Feature, column: str) -> Tensor:
        g, kind = self.graph, COLUMNS[feature.column].type
        if feature.kind == "flag":
            hits = [
                g.cast(g.add("Equal", column, g.constant(float(code))), np.float32)
                for code in feature.codes
            ]
            none = g.add("Mul", column, g.constant(0.0)) if not hits else hits[0]
            total = none
            for hit in hits[1:]:
                total = g.add("Add", total, hit)
            return Tensor(total, FixedType(False, 1, 0))
        low, high, value = kind.min_code, kind.max_code, column
        if feature.kind == "abs":
            low, high, value = 0, max(-low, high), g.add("Abs", column)
        scaled = g.add("Mul", value, g.constant(2.0**-feature.scale_bits))
        return Tensor(scaled, FixedType.for_codes(low, high, feature.scale_bits))

    def momentum(self, node: net.Momentum) -> Tensor:
        g = self.graph
        pt, phi = (x.name for x in self.inputs(node))
        first = node.table_type.decode(node.quadrant_cos)
        rising = first[::-1]
        turn = np.concatenate([first[:-1], -rising[:-1], -first[:-1], rising[:-1]])
        table = g.constant(turn, np.float64)
        size, counts = g.constant(len(turn), np.int64), g.cast(phi, np.int64)
        behind = g.add("Sub", counts, g.constant(PHI_COUNTS_PER_TURN // 4, np.int64))
        gev = g.add("Mul", g.cast(pt, np.float64), g.constant(2.0**-PT_FRAC_BITS, np.float64))
        axes = []
        for axis, angle in (("x", counts), ("y", behind)):
            factor = g.add("Gather", table, g.add("Mod", angle, size))
            product = g.add("Mul", gev, factor)
            exact = FixedType(True, 20, PT_FRAC_BITS + node.table_type.frac_bits)
            name = g.quant(Tensor(product, exact, double=True), node.type, f"{node.name}_{axis}")
            axes.append(g.add("Unsqueeze", name, g.constant([2], np.int64)))
        return Tensor(g.add("Concat", *axes, name=node.name, axis=2), node.type)

    def dense(self, node: net.Dense) -> Tensor:
        g, (x,) = self.graph, self.inputs(node)
        double = x.double or node.type.width > FLOAT32_BITS
        kernel = g.constant(node.kernel_type.decode(node.kernel))
        kind = node.kernel_type
        scale = (g.constant(v) for v in (kind.lsb, 0.0, float(kind.width)))
        if not (kind.signed and kind.width == 1):  # says the type; changes no number
            kernel = g.add(
                "Quant", kernel, *scale, name=f"{node.name}_kernel", signed=int(kind.signed),
                narrow=0, rounding_mode="ROUND",
            )  # fmt: skip
        value = g.wide(x) if double else x.name
        kernel = g.cast(kernel, np.float64) if double else kernel
        product = g.add("MatMul", value, kernel)
        bias = g.constant(node.bias_type.decode(node.bias), np.float64 if double else np.float32)
        return Tensor(g.add("Add", product, bias, name=node.name), node.type, double)

    def quantize(self, node: net.Quantize) -> Tensor:
        (x,) = self.inputs(node)
        if node.shape == self.network.node(node.inputs[0]).shape:
            return Tensor(self.graph.quant(x, node.type, node.name), node.type)
        name = self.graph.quant(x, node.type, f"{node.name}_flat")
        shape = self.graph.constant([0, *node.shape], np.int64)
        return Tensor(self.graph.add("Reshape", name, shape, name=node.name), node.type)

    def quantize_channels(self, node: net.QuantizeChannels) -> Tensor:
        g, (x,) = self.graph, self.inputs(node)
        axis = len(node.shape)
        channels = []
        for index, kind in enumerate(node.types):
            one = Tensor(
                g.add("Gather", x.name, g.constant([index], np.int64), axis=axis), x.type, x.double
            )
            if kind is None:
                zero = g.constant(0.0, np.float64 if x.double else np.float32)
                nothing = g.add("Mul", one.name, zero)
                channels.append(g.cast(nothing, np.float32) if x.double else nothing)
            else:
                channels.append(g.quant(one, kind, f"{node.name}_{index}"))
        return Tensor(g.add("Concat", *channels, name=node.name, axis=axis), node.type)

    def table(self, node: net.Table) -> Tensor:
        g, (x,) = self.graph, self.inputs(node)
        codes = g.add("Mul", x.name, g.constant(2.0**x.type.frac_bits))
        index = g.add("Sub", g.cast(codes, np.int64), g.constant(x.type.min_code, np.int64))
        table = g.constant(node.type.decode(node.table))
        return Tensor(g.add("Gather", table, index, name=node.name), node.type)

    def multiply(self, node: net.Multiply) -> Tensor:
        g, (a, b) = self.graph, self.inputs(node)
        double = a.double or b.double or node.type.width > FLOAT32_BITS
        names = [g.wide(x) if double else x.name for x in (a, b)]
        return Tensor(g.add("Mul", *names, name=node.name), node.type, double)

    def _einsum(self, node: net.Node, a: str, b: str, equation: str, factor: float) -> Tensor:
        """A sum of products in float64, times a power of two, in the node's shape."""
        g = self.graph
        total = g.add("Einsum", a, b, equation=equation)
        scaled = g.add("Mul", total, g.constant(factor, np.float64))
        shape = g.constant([0, *node.shape], np.int64)
        return Tensor(g.add("Reshape", scaled, shape, name=node.name), node.type, double=True)

    def vector_pool(self, node: net.VectorPool) -> Tensor:
        weights, p = (self.graph.wide(x) for x in self.inputs(node))
        return self._einsum(node, weights, p, "enk,ena->eka", -1.0)

    def _filled(self, pt: Tensor) -> str:
        g = self.graph
        return g.cast(g.add("Greater", pt.name, g.constant(0.0)), np.float64)

    def scalar_pool(self, node: net.ScalarPool) -> Tensor:
        x, pt = self.inputs(node)
        filled = self._filled(pt)
        return self._einsum(node, self.graph.wide(x), filled, "enm,en->em", 2.0**-node.shift)

    def aggregate(self, node: net.Aggregate) -> Tensor:
        g, (weights, x, pt) = self.graph, self.inputs(node)
        filled = g.add("Unsqueeze", self._filled(pt), g.constant([2], np.int64))
        masked = g.add("Mul", g.wide(weights), filled)
        return self._einsum(node, masked, g.wide(x), "ena,enj->eaj", 2.0**-node.shift)

    def combine(self, node: net.Combine) -> Tensor:
        c, v = (self.graph.wide(x) for x in self.inputs(node))
        return self._einsum(node, c, v, "ek,eka->ea", 1.0)

    def concatenate(self, node: net.Concatenate) -> Tensor:
        g, inputs = self.graph, self.inputs(node)
        double = any(x.double for x in inputs)
        names = [g.wide(x) if double else x.name for x in inputs]
        axis = len(node.shape)
        return Tensor(g.add("Concat", *names, name=node.name, axis=axis), node.type, double)


_OPERATIONS: Final[dict[str, Callable[[_Writer, Any], Tensor]]] = {
    "input": _Writer.input,
    "features": _Writer.features,
    "momentum": _Writer.momentum,
    "dense": _Writer.dense,
    "quantize": _Writer.quantize,
    "quantize_channels": _Writer.quantize_channels,
    "table": _Writer.table,
    "multiply": _Writer.multiply,
    "vector_pool": _Writer.vector_pool,
    "scalar_pool": _Writer.scalar_pool,
    "aggregate": _Writer.aggregate,
    "combine": _Writer.combine,
    "concatenate": _Writer.concatenate,
}
