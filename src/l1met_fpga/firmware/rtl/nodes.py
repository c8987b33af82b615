"""Trace nodes of an integer network with da4ml."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from da4ml.trace import FixedVariable, FixedVariableArray

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.rtl import primitives
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["Tensors", "trace_nodes"]

SHALLOW: Final[dict[str, Any]] = {"hard_dc": 1}
"""Adder trees at most one level deeper than the least depth: 4 to 8 % fewer LUTs than at the least
depth, and up to 4 levels less than without a limit."""

Tensors = dict[str, npt.NDArray[Any]]
"""Node or column name -> da4ml variables, shape of the node without the candidate axis."""


def trace_nodes(network: Network, nodes: Sequence[net.Node], tensors: Tensors) -> Tensors:
    """Trace nodes in order.

    Args:
        network: The network, for the types of inputs.
        nodes: Nodes whose inputs are in ``tensors`` or among the nodes before them.
        tensors: Variables that are known.

    Returns:
        ``tensors`` and the results of the nodes.

    Raises:
        ConversionError: If a node's operation has no hardware here.
    """
    known = dict(tensors)
    for node in nodes:
        match node:
            case net.Features():
                known[node.name] = _features(network, node, known)
            case net.Dense():
                known[node.name] = _dense(network, node, known)
            case net.Quantize():
                known[node.name] = _quantize(node, known)
            case net.QuantizeChannels():
                known[node.name] = _quantize_channels(node, known)
            case net.Table():
                known[node.name] = _table(network, node, known)
            case net.Multiply():
                known[node.name] = _multiply(node, known)
            case net.Concatenate():
                known[node.name] = np.concatenate([known[name].ravel() for name in node.inputs])
            case _:
                raise ConversionError(
                    f"node {node.name!r} ({node.op}) cannot stand here in the RTL; "
                    "features, dense, quantize, quantize_channels, table, multiply and concatenate "
                    "nodes can"
                )
    return known


def _columns(network: Network, node: net.Features, known: Tensors) -> dict[str, FixedVariable]:
    """Return the raw counts of each column that the features read."""
    return {
        column.column: known[column.name].item()
        for name in node.inputs
        if isinstance(column := network.node(name), net.InputColumn)
    }


def _features(network: Network, node: net.Features, known: Tensors) -> npt.NDArray[Any]:
    counts = _columns(network, node, known)
    return np.array([_feature(f, counts[f.column]) for f in node.features], dtype=object)


def _feature(feature: net.Feature, counts: FixedVariable) -> FixedVariable:
    if feature.kind == "flag":
        kind = COLUMNS[feature.column].type
        codes = np.arange(kind.min_code, kind.max_code + 1)
        return primitives.look_up_values(counts, _flag_values(feature, codes), kind)
    value = primitives.absolute(counts) if feature.kind == "abs" else counts
    return primitives.quantize(value * 2.0**-feature.scale_bits, feature.type)


def _flag_values(feature: net.Feature, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Value of a flag for every code of its column."""
    raised = np.isin(codes, feature.codes).astype(np.int64)
    return feature.type.decode(feature.type.convert(raised, 0))


def _dense(network: Network, node: net.Dense, known: Tensors) -> npt.NDArray[Any]:
    x = known[node.inputs[0]].ravel()
    kernel = node.kernel_type.decode(np.array(node.kernel)).reshape(len(x), -1)
    bias = node.bias_type.decode(np.array(node.bias))
    fixed = np.array([v.low == v.high for v in x])
    if fixed.any():  # inputs that never change belong to the bias
        bias = bias + np.array([float(v.low) for v in x[fixed]]) @ kernel[fixed]
        kernel = np.where(fixed[:, None], 0.0, kernel)
    offsets = np.array([primitives.constant(b) for b in bias], dtype=object)
    source = network.node(node.inputs[0])
    if isinstance(source, net.Features):
        kernel, offsets = _flags_to_tables(network, source, kernel, bias, known)
    rows, live = kernel.any(axis=1), kernel.any(axis=0)
    if live.any():
        inputs = FixedVariableArray(x[rows], SHALLOW, hwconf=primitives.HARDWARE)
        products = (inputs @ kernel[np.ix_(rows, live)])._vars
        offsets[live] = [p + offset for p, offset in zip(products, offsets[live], strict=True)]
    return offsets


def _flags_to_tables(
    network: Network,
    features: net.Features,
    kernel: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    known: Tensors,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    """Take the flags of one column and the bias out of a matrix product, as one table per output.

    What all flags add to an output is a function of a few bits (three for the particle type): a
    few LUTs instead of an adder per flag.

    Returns:
        The kernel without the flags' rows, and what to add to each output.
    """
    flags = [i for i, f in enumerate(features.features) if f.kind == "flag"]
    columns = {features.features[i].column for i in flags}
    if len(columns) != 1:
        return kernel, np.array([primitives.constant(b) for b in bias], dtype=object)
    column = columns.pop()
    kind = COLUMNS[column].type
    codes = np.arange(kind.min_code, kind.max_code + 1)
    values = np.stack([_flag_values(features.features[i], codes) for i in flags], axis=1)
    counts = _columns(network, features, known)[column]
    offsets = [
        primitives.look_up_values(counts, row, kind) for row in (values @ kernel[flags] + bias).T
    ]
    rest = kernel.copy()
    rest[flags] = 0.0
    return rest, np.array(offsets, dtype=object)


def _quantize(node: net.Quantize, known: Tensors) -> npt.NDArray[Any]:
    x = known[node.inputs[0]]
    shape = x.shape if x.size != np.prod(node.shape) else node.shape
    flat = [primitives.quantize(v, node.type) for v in x.ravel()]
    return np.array(flat, dtype=object).reshape(shape)


def _quantize_channels(node: net.QuantizeChannels, known: Tensors) -> npt.NDArray[Any]:
    pairs = zip(known[node.inputs[0]].ravel(), node.types, strict=True)
    flat = [
        primitives.constant(0.0) if kind is None else primitives.quantize(v, kind)
        for v, kind in pairs
    ]
    return np.array(flat, dtype=object)


def _table(network: Network, node: net.Table, known: Tensors) -> npt.NDArray[Any]:
    source = network.node(node.inputs[0]).type
    table = np.array(node.table, dtype=np.int64)
    flat = [primitives.look_up(v, table, source, node.type) for v in known[node.inputs[0]].ravel()]
    return np.array(flat, dtype=object)


def _multiply(node: net.Multiply, known: Tensors) -> npt.NDArray[Any]:
    a, b = np.broadcast_arrays(*(known[name] for name in node.inputs))
    flat = [primitives.multiply(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True)]
    return np.array(flat, dtype=object)
