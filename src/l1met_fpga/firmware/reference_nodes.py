"""The operations of the integer network in NumPy, each from its description alone."""

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.firmware.reference_rows import Chunk
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN, PT_FRAC_BITS

__all__ = ["Operation", "operation_of"]

IntArray = npt.NDArray[np.int64]
QUARTER_TURN: Final = PHI_COUNTS_PER_TURN // 4

Operation = Callable[[Chunk, list[IntArray]], IntArray]


def operation_of(network: Network, node: net.Node) -> Operation:
    """Return a function of a chunk and the input codes that gives the node's codes."""
    return _OPERATIONS[node.op](node, [network.node(name) for name in node.inputs])


def _input(node: net.InputColumn, _: list[net.Node]) -> Operation:
    return lambda chunk, _x: chunk.columns[node.column]


def _features(node: net.Features, _: list[net.Node]) -> Operation:
    columns = [
        (COLUMNS[f.column].type.min_code, f.column, _feature_table(node, f)) for f in node.features
    ]

    def run(chunk: Chunk, _x: list[IntArray]) -> IntArray:
        rows = [table[chunk.columns[column] - low] for low, column, table in columns]
        return np.stack(rows, axis=1)

    return run


def _feature_table(node: net.Features, feature: net.Feature) -> IntArray:
    """Return the node's code of a feature for every code of its column."""
    kind = COLUMNS[feature.column].type
    counts, frac_bits = np.arange(kind.min_code, kind.max_code + 1), feature.scale_bits
    if feature.kind == "abs":
        counts = np.abs(counts)
    elif feature.kind == "flag":
        counts, frac_bits = np.isin(counts, feature.codes).astype(np.int64), 0
    code = feature.type.convert(counts, frac_bits)
    return code << (node.type.frac_bits - feature.type.frac_bits)


def _momentum(node: net.Momentum, _: list[net.Node]) -> Operation:
    first = np.asarray(node.quadrant_cos, dtype=np.int64)
    rising = first[::-1]
    turn = np.concatenate([first[:-1], -rising[:-1], -first[:-1], rising[:-1]])
    frac_bits = PT_FRAC_BITS + node.table_type.frac_bits

    def run(_chunk: Chunk, x: list[IntArray]) -> IntArray:
        pt, phi = x
        angle = phi % PHI_COUNTS_PER_TURN
        cos_sin = np.stack([turn[angle], turn[(angle - QUARTER_TURN) % len(turn)]], axis=1)
        return node.type.convert(pt[:, None] * cos_sin, frac_bits)

    return run


def _dense(node: net.Dense, inputs: list[net.Node]) -> Operation:
    x_type = inputs[0].type
    frac_bits = node.type.frac_bits
    kernel = np.asarray(node.kernel, dtype=np.int64)
    kernel = kernel << (frac_bits - x_type.frac_bits - node.kernel_type.frac_bits)
    bias = np.asarray(node.bias, dtype=np.int64) << (frac_bits - node.bias_type.frac_bits)
    largest = np.abs(kernel).sum(axis=0) * max(-x_type.min_code, x_type.max_code) + np.abs(bias)
    exact = _exact_float(int(largest.max()))
    if exact is None:
        return lambda _chunk, x: x[0] @ kernel + bias
    kernel_f, bias_f = kernel.astype(exact), bias.astype(exact)

    def run(_chunk: Chunk, x: list[IntArray]) -> IntArray:
        y = x[0].astype(exact) @ kernel_f
        y += bias_f
        return y.astype(np.int64)

    return run


def _exact_float(largest: int) -> np.dtype[np.floating[Any]] | None:
    """Return the narrowest float that adds integers up to ``largest`` exactly, None if none does."""
    if largest < 2**24:
        return np.dtype(np.float32)
    return np.dtype(np.float64) if largest < 2**53 else None


def _quantize(node: net.Quantize, inputs: list[net.Node]) -> Operation:
    frac_bits = inputs[0].type.frac_bits
    if node.shape == inputs[0].shape:
        return lambda _chunk, x: node.type.convert(x[0], frac_bits)
    return lambda _chunk, x: node.type.convert(x[0], frac_bits).reshape(-1, *node.shape)


def _quantize_channels(node: net.QuantizeChannels, inputs: list[net.Node]) -> Operation:
    frac_bits = inputs[0].type.frac_bits

    def run(_chunk: Chunk, x: list[IntArray]) -> IntArray:
        codes = np.zeros_like(x[0])
        for channel, kind in enumerate(node.types):
            if kind is not None:
                own = kind.convert(x[0][..., channel], frac_bits)
                codes[..., channel] = own << (node.type.frac_bits - kind.frac_bits)
        return codes

    return run


def _table(node: net.Table, inputs: list[net.Node]) -> Operation:
    table = np.asarray(node.table, dtype=np.int64)
    return lambda _chunk, x: table[x[0] - inputs[0].type.min_code]


def _multiply(node: net.Multiply, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits
    return lambda _chunk, x: (x[0] * x[1]) << left


def _vector_pool(node: net.VectorPool, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits

    def run(chunk: Chunk, x: list[IntArray]) -> IntArray:
        weights, momentum = x
        products = weights[:, :, None] * momentum[:, None, :]
        total = chunk.sum(products.reshape(len(weights), 2 * weights.shape[1]))
        return -(total << left).reshape(-1, *node.shape)

    return run


def _scalar_pool(node: net.ScalarPool, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - node.shift
    return lambda chunk, x: chunk.sum(x[0]) << left


def _aggregate(node: net.Aggregate, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits - node.shift

    def run(chunk: Chunk, x: list[IntArray]) -> IntArray:
        products = x[0][:, :, None] * x[1][:, None, :]
        return chunk.sum(products.reshape(len(products), prod(products.shape[1:]))) << left

    return run


def _combine(node: net.Combine, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits
    return lambda _chunk, x: (x[0][:, :, None] * x[1]).sum(axis=1) << left


def _concatenate(node: net.Concatenate, inputs: list[net.Node]) -> Operation:
    shifts = [node.type.frac_bits - one.type.frac_bits for one in inputs]
    return lambda _chunk, x: np.concatenate(
        [codes << left for codes, left in zip(x, shifts, strict=True)], axis=-1
    )


_OPERATIONS: Final[dict[str, Callable[[Any, list[net.Node]], Operation]]] = {
    "input": _input,
    "features": _features,
    "momentum": _momentum,
    "dense": _dense,
    "quantize": _quantize,
    "quantize_channels": _quantize_channels,
    "table": _table,
    "multiply": _multiply,
    "vector_pool": _vector_pool,
    "scalar_pool": _scalar_pool,
    "aggregate": _aggregate,
    "combine": _combine,
    "concatenate": _concatenate,
}
