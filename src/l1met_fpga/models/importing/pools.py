"""Sums over candidates, and what makes the result of them."""

from typing import Final

import numpy as np

from l1met_fpga.config.model import MomentumConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models import ranges
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.exact import FLOAT32_BITS, codes_type, no_bias
from l1met_fpga.models.importing.inputs import Linear
from l1met_fpga.models.importing.values import (
    Filled,
    Masked,
    Momentum,
    Pooled,
    Tensor,
    Value,
    Vector,
    Weighted,
)
from l1met_fpga.models.layers import quadrant_cos

__all__ = ["dot", "finish", "mean_shift", "multiply", "pool", "quantize_vectors"]

MOMENTUM_NODE: Final = "candidate_momentum"


def multiply(builder: Builder, layer: str, *values: Value) -> Value:
    """Product of two tensors of candidates, of a weight with px, py, or of one with what is filled."""
    if len(values) != 2:
        raise ConversionError(f"layer {layer!r} multiplies {len(values)} tensors, not two")
    for special, other in (values, values[::-1]):
        if isinstance(special, Filled) and isinstance(other, Tensor | Linear):
            return Masked(builder.as_node(other, layer))
        if isinstance(special, Momentum):
            weights = builder.as_node(other, layer)
            if weights.shape[1:] != (1,):
                raise ConversionError(
                    f"layer {layer!r} multiplies px, py with a tensor of shape {weights.shape}; one "
                    "weight per candidate is supported, shape (slots, 1), and several with Dot"
                )
            return Weighted(weights)
    a, b = (builder.as_node(value, layer) for value in values)
    if a.shape[-1] < b.shape[-1]:
        a, b = b, a
    if b.shape not in (a.shape, (*a.shape[:-1], 1)) or len(a.shape) != 2:
        raise ConversionError(f"layer {layer!r} multiplies shapes {a.shape} and {b.shape}")
    kind = ranges.product_type(a.type, b.type)
    node = net.Multiply(name=builder.name(layer), inputs=(a.name, b.name), shape=a.shape, type=kind)
    return builder.add(node, layer)


def dot(builder: Builder, layer: str, a: Value, b: Value) -> Value:
    """Sum over the first axis of a product: weights with px, py, or coefficients with vector pools."""
    if isinstance(b, Momentum):
        return Pooled(builder.as_node(a, layer), 0)
    if isinstance(b, Pooled):
        b = _vectors(builder, b, layer)
    if not isinstance(b, Vector) or not isinstance(a, Tensor) or len(a.node.shape) != 1:
        raise ConversionError(
            f"layer {layer!r} multiplies and sums what it may not; supported are weights of "
            "candidates (slots, k) with px, py, and k coefficients of the event with k vector pools"
        )
    builder.compared[a.node.name] = (builder.layer_of[a.node.name], 0)
    node = net.Combine(
        name=builder.name(layer),
        inputs=(a.node.name, b.node.name),
        shape=(2,),
        type=ranges.combine_type(a.node.type, b.node.type, a.node.shape[0]),
    )
    return Vector(builder.add(node, layer).node, b.sign)


def pool(builder: Builder, layer: str, value: Value, shift: int = 0) -> Value:
    """Sum over slots, divided by ``2**shift``."""
    match value:
        case Weighted():
            return Pooled(value.weights, shift)
        case Masked():
            return _scalars(builder, value.node, layer, shift)
        case Tensor() if len(value.node.shape) == 2:
            builder.unmasked.append(value.node.name)
            return _scalars(builder, value.node, layer, shift)
    raise ConversionError(
        f"layer {layer!r} sums over slots what is neither a weight times px, py nor numbers of "
        "candidates that a quantizer or dense layer gives"
    )


def mean_shift(builder: Builder, layer: str) -> int:
    """Return the shift that makes a mean of a sum over slots."""
    n = builder.slots
    if n & (n - 1):
        raise ConversionError(
            f"layer {layer!r} is a mean over {n} slots, and 1/{n} is no binary number; use a "
            "sum, or a power of two of slots"
        )
    return n.bit_length() - 1


def _scalars(builder: Builder, x: net.Node, layer: str, shift: int) -> Tensor:
    kind = ranges.scalar_pool_type(x.type, builder.slots, shift)
    if kind.width - kind.signed > FLOAT32_BITS:
        raise ConversionError(
            f"layer {layer!r} adds {builder.slots} numbers of {x.type.width} bits to sums of up to "
            f"{kind.width - kind.signed}; the model computes in float32, which is exact to "
            f"{FLOAT32_BITS}. Put a quantizer of fewer bits before it"
        )
    node = net.ScalarPool(
        name=builder.name(layer),
        inputs=(x.name, "pt"),
        shape=x.shape[1:],
        type=kind,
        shift=shift,
    )
    return builder.add(node, layer)


def quantize_vectors(
    builder: Builder, value: Pooled | Vector, kind: FixedType, layer: str
) -> Vector:
    """Bring vector pools or their combination into a type.

    Rounding is not symmetric about zero, so what is rounded must have the sign that it has in the
    model.
    """
    if isinstance(value, Pooled):
        weights = _negated(builder, _compared(builder, value), layer)
        value = Vector(_vector_pool(builder, weights, layer), 1)
    if value.sign < 0:
        value = Vector(_negated(builder, value.node, layer), 1)
    x = value.node
    node = net.Quantize(name=builder.name(layer), inputs=(x.name,), shape=x.shape, type=kind)
    return Vector(builder.add(node, layer).node, 1)


def finish(builder: Builder, value: Pooled | Vector, name: str, kind: FixedType | None) -> net.Node:
    """Add the result, minus what the model gives.

    Args:
        builder: The nodes so far.
        value: What the model gives.
        name: Name of the result's node.
        kind: Its type; without loss if not given.

    Raises:
        ConversionError: If there are several vectors.
    """
    if isinstance(value, Pooled):
        value = _vectors(builder, value, "vectors")
    x = value.node
    if x.shape not in ((2,), (1, 2)):
        raise ConversionError(
            f"the model gives {x.shape[0]} vectors; combine them to one with Dot(axes=1)"
        )
    if value.sign > 0:
        x = _negated(builder, x, "minus")
    exact = x.type if isinstance(x, net.Quantize) else x.type.with_modes(Rounding.RND, Overflow.SAT)
    result = net.Quantize(name=builder.name(name), inputs=(x.name,), shape=(2,), type=kind or exact)
    return builder.add(result).node


def _vectors(builder: Builder, value: Pooled, layer: str) -> Vector:
    return Vector(_vector_pool(builder, _compared(builder, value), layer), -1)


def _compared(builder: Builder, value: Pooled) -> net.Node:
    """The weights, divided where the sum is, to be compared with the model's."""
    weights = _divided(builder, value.weights, value.shift)
    builder.compared[weights.name] = (builder.layer_of[weights.name], value.shift)
    return weights


def _vector_pool(builder: Builder, weights: net.Node, layer: str) -> net.Node:
    p = _momentum(builder)
    node = net.VectorPool(
        name=builder.name(f"{layer}_pool"),
        inputs=(weights.name, p.name),
        shape=(weights.shape[-1], 2),
        type=ranges.vector_pool_type(weights.type, p.type, builder.slots),
    )
    return builder.add(node, layer).node


def _momentum(builder: Builder) -> net.Node:
    found = next((n for n in builder.nodes if isinstance(n, net.Momentum)), None)
    if found is not None:
        return found
    momentum = MomentumConfig()
    node = net.Momentum(
        name=builder.name(MOMENTUM_NODE),
        inputs=("pt", "phi"),
        shape=(builder.slots, 2),
        type=momentum.output,
        table_type=momentum.table,
        quadrant_cos=tuple(int(code) for code in quadrant_cos(momentum.table)),
    )
    return builder.add(node).node


def _negated(builder: Builder, x: net.Node, layer: str) -> net.Node:
    """Minus a tensor, without loss."""
    minus = -np.eye(x.shape[-1], dtype=np.int64)
    kernel, bias = (minus, codes_type(minus, 0)), no_bias(len(minus))
    node = net.Dense(
        name=builder.name(f"{layer}_minus"),
        inputs=(x.name,),
        shape=x.shape,
        type=ranges.dense_type(x.type, *kernel, *bias),
        kernel=tuple(tuple(int(c) for c in row) for row in minus),
        kernel_type=kernel[1],
        bias=tuple(int(c) for c in bias[0]),
        bias_type=bias[1],
    )
    return builder.add(node, layer).node


def _divided(builder: Builder, weights: net.Node, bits: int) -> net.Node:
    """Divide the weights by a power of two: their binary point moves, no code changes."""
    if not bits:
        return weights
    index = builder.nodes.index(weights)
    old, source = weights, None
    if isinstance(old, net.Quantize):
        source = next(n for n in builder.nodes if n.name == old.inputs[0])
    for node in (old, source):
        if node is not None and not isinstance(node, net.Quantize | net.Dense):
            raise ConversionError(
                f"a mean over candidates of weights that come from {node.op} {node.name!r} is "
                "not supported; use a sum"
            )
    used = [name for n in builder.nodes for name in n.inputs]
    if source is not None and used.count(source.name) > 1:
        raise ConversionError(f"a mean, and {source.name!r} is used twice; use a sum")
    if source is not None:
        builder.nodes[builder.nodes.index(source)] = _moved(source, bits)
    builder.nodes[index] = _moved(old, bits)
    return builder.nodes[index]


def _moved(node: net.Node, bits: int) -> net.Node:
    def moved(kind: FixedType) -> FixedType:
        return FixedType(
            kind.signed, kind.int_bits - bits, kind.frac_bits + bits, kind.rounding, kind.overflow
        )

    names = ("type", "kernel_type", "bias_type") if isinstance(node, net.Dense) else ("type",)
    return node.model_copy(update={name: moved(getattr(node, name)) for name in names})
