"""Products, and the sum over candidates that ends a model."""

from typing import Any

from l1met_fpga.errors import ConversionError
from l1met_fpga.models import network as net
from l1met_fpga.models import ranges
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.values import Momentum, Pooled, Value, Weighted

__all__ = ["mean", "multiply", "operation"]


def multiply(builder: Builder, layer: Any, *values: Value) -> Value:
    """Product of two tensors of candidates, or of a weight with px, py."""
    if len(values) != 2:
        raise ConversionError(f"layer {layer.name!r} multiplies {len(values)} tensors, not two")
    momenta = [isinstance(value, Momentum) for value in values]
    if any(momenta):
        weights = builder.as_node(values[momenta.index(False)], layer.name)
        if weights.shape[1:] != (1,) or all(momenta):
            raise ConversionError(
                f"layer {layer.name!r} multiplies px, py with a tensor of shape {weights.shape}; "
                "one weight per candidate is supported, shape (slots, 1)"
            )
        return Weighted(weights)
    a, b = (builder.as_node(value, layer.name) for value in values)
    if a.shape[-1] < b.shape[-1]:
        a, b = b, a
    if b.shape not in (a.shape, (*a.shape[:-1], 1)):
        raise ConversionError(f"layer {layer.name!r} multiplies shapes {a.shape} and {b.shape}")
    kind = ranges.product_type(a.type, b.type)
    node = net.Multiply(
        name=builder.name(layer.name), inputs=(a.name, b.name), shape=a.shape, type=kind
    )
    return builder.add(node, layer.name)


def mean(builder: Builder, layer: Any, value: Value) -> Value:
    """Mean over a power of two of slots: a sum with another binary point."""
    n = builder.slots
    if n & (n - 1):
        raise ConversionError(
            f"layer {layer.name!r} is a mean over {n} slots, and 1/{n} is no binary number; use a "
            "sum, or a power of two of slots"
        )
    if layer.keepdims or layer.data_format != "channels_last":
        raise ConversionError(f"layer {layer.name!r}: keepdims must be False, channels come last")
    return _pooled(layer, value, n.bit_length() - 1)


def operation(_builder: Builder, layer: Any, value: Value) -> Value:
    """A TensorFlow function that Keras has wrapped into a layer."""
    config = layer.get_config()
    node = layer.inbound_nodes[0]
    axis = node.call_kwargs.get("axis", node.call_args[1:2] or None)
    axis = axis[0] if isinstance(axis, tuple | list) else axis
    if config["function"] != "math.reduce_sum" or axis != 1 or node.call_kwargs.get("keepdims"):
        raise ConversionError(
            f"layer {layer.name!r} is the operation {config['function']!r} with {node.call_kwargs}; "
            "supported is reduce_sum with axis=1"
        )
    return _pooled(layer, value, 0)


def _pooled(layer: Any, value: Value, shift: int) -> Value:
    if not isinstance(value, Weighted):
        raise ConversionError(
            f"layer {layer.name!r} sums over slots what is not a weight times px, py; empty slots "
            "would count in it"
        )
    return Pooled(value.weights, shift)
