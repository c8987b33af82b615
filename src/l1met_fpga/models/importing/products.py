"""Keras layers that multiply, and those that sum over candidates."""

from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.importing import pools
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.linear import added
from l1met_fpga.models.importing.values import Value

__all__ = ["dot", "mean", "multiply", "operation"]

_SUMS: Final = ("math.add", "__operators__.add")


def multiply(builder: Builder, layer: Any, *values: Value) -> Value:
    """``Multiply``."""
    return pools.multiply(builder, layer.name, *values)


def dot(builder: Builder, layer: Any, *values: Value) -> Value:
    """``Dot`` over the first axis of both."""
    axes = layer.axes if isinstance(layer.axes, int) else tuple(layer.axes)
    if axes not in (1, (1, 1)) or layer.normalize:
        raise ConversionError(
            f"layer {layer.name!r}: axes={axes}, normalize={layer.normalize} is not supported; they "
            "must be 1 and False"
        )
    return pools.dot(builder, layer.name, *values)


def mean(builder: Builder, layer: Any, value: Value) -> Value:
    """Mean over a power of two of slots: a sum with another binary point."""
    if layer.keepdims or layer.data_format != "channels_last":
        raise ConversionError(f"layer {layer.name!r}: keepdims must be False, channels come last")
    return pools.pool(builder, layer.name, value, pools.mean_shift(builder, layer.name))


def operation(builder: Builder, layer: Any, *values: Value) -> Value:
    """A TensorFlow function, or ``a + b``, that Keras has wrapped into a layer."""
    config = layer.get_config()
    node = layer.inbound_nodes[0]
    if config["function"] in _SUMS and len(values) > 1:
        return added(builder, layer.name, *values)
    axis = node.call_kwargs.get("axis", node.call_args[1:2] or None)
    axis = axis[0] if isinstance(axis, tuple | list) else axis
    if config["function"] != "math.reduce_sum" or axis != 1 or node.call_kwargs.get("keepdims"):
        raise ConversionError(
            f"layer {layer.name!r} is the operation {config['function']!r} with {node.call_kwargs}; "
            "supported is reduce_sum with axis=1, and the sum of two tensors"
        )
    return pools.pool(builder, layer.name, values[0])
