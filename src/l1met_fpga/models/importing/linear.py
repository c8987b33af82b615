"""Layers that add and multiply by constants: dense, pointwise convolution, embedding and the like."""

from functools import reduce
from typing import Any

import numpy as np

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.exact import Codes, codes_type, exact_codes, no_bias
from l1met_fpga.models.importing.functions import activated
from l1met_fpga.models.importing.inputs import Linear
from l1met_fpga.models.importing.quantizers import kernel_type_of
from l1met_fpga.models.importing.values import Tensor, Value
from l1met_fpga.models.keras import tf
from l1met_fpga.puppi.columns import COLUMNS

__all__ = [
    "add",
    "added",
    "affine",
    "batch_norm",
    "beside",
    "concatenate",
    "dense",
    "embedding",
    "reshape",
    "same",
]


def _fixed(layer: Any, which: str, values: Any) -> Codes:
    """Codes of a kernel or bias, through its quantizer if it has one."""
    where = f"layer {layer.name!r}: {which}"
    quantizer = getattr(layer, f"{which}_quantizer_internal", None)
    if quantizer is None:
        return exact_codes(values, where)
    kind = kernel_type_of(quantizer, where)
    return kind.exactly(np.asarray(quantizer(values))), kind


def dense(builder: Builder, layer: Any, value: Value) -> Value:
    """Dense layer or convolution of size 1: the same for every candidate."""
    if "Conv" in type(layer).__name__:
        config = layer.get_config()
        for argument, allowed in (
            ("kernel_size", (1,)), ("strides", (1,)), ("dilation_rate", (1,)), ("groups", 1),
            ("data_format", "channels_last"),
        ):  # fmt: skip
            found = config[argument]
            if (tuple(found) if isinstance(found, list) else found) != allowed:
                raise ConversionError(
                    f"layer {layer.name!r}: {argument}={found} is not supported, it must be {allowed}"
                )
    kernel_values, *bias_values = layer.get_weights()
    kernel = _fixed(layer, "kernel", kernel_values.reshape(kernel_values.shape[-2:]))
    bias = _fixed(layer, "bias", bias_values[0]) if bias_values else no_bias(kernel[0].shape[1])
    result = affine(builder, layer.name, value, kernel, bias)
    return activated(builder, layer, result, f"{layer.name}_activation")


def affine(builder: Builder, name: str, value: Value, kernel: Codes, bias: Codes) -> Tensor:
    """``x @ kernel + bias`` over channels; the kernel of an input takes its own coefficients in."""
    if not isinstance(value, Linear):
        x = builder.as_node(value, name)
        if x.shape[-1] != len(kernel[0]):
            raise ConversionError(
                f"layer {name!r} reads {x.shape[-1]} channels with a kernel of {len(kernel[0])} rows; "
                "it mixes candidates"
            )
        return builder.dense(name, x, kernel, bias)
    x, bound = builder.features(value, name), np.abs(value.matrix) @ np.abs(kernel[0])
    codes = value.matrix @ kernel[0]
    kernel = codes, codes_type(codes, value.frac_bits + kernel[1].frac_bits)
    return builder.dense(name, x, kernel, bias, bound=bound)


def batch_norm(builder: Builder, layer: Any, value: Value) -> Value:
    """Batch normalization, where scale and shift are short binary numbers."""
    x = builder.as_node(value, layer.name)
    if list(layer.axis) != [len(layer.output.shape) - 1]:
        raise ConversionError(f"layer {layer.name!r}: axis={list(layer.axis)} must be the channels")
    scale = tf.math.rsqrt(layer.moving_variance + layer.epsilon)
    scale = scale if layer.gamma is None else scale * layer.gamma
    shift = -layer.moving_mean * scale
    shift = shift if layer.beta is None else layer.beta + shift
    where = f"layer {layer.name!r} (BatchNormalization)"
    kernel = exact_codes(np.diag(scale.numpy()), f"{where}: its scale")
    return builder.dense(layer.name, x, kernel, exact_codes(shift.numpy(), f"{where}: its shift"))


def embedding(_builder: Builder, layer: Any, value: Value) -> Value:
    """Embedding of a column of codes: one flag per code, times the table."""
    where = f"layer {layer.name!r} (Embedding)"
    one_column = isinstance(value, Linear) and len(value.features) == 1
    if not (isinstance(value, Linear) and one_column) or value.features[0].scale_bits:
        raise ConversionError(f"{where} must read one column of codes, in counts")
    if layer.mask_zero:
        raise ConversionError(f"{where}: mask_zero=True is not supported, it must be False")
    column = value.features[0].column
    kind = COLUMNS[column].type
    rows = layer.get_weights()[0]
    if kind.signed or kind.max_code >= len(rows):
        raise ConversionError(
            f"{where} has {len(rows)} rows, but {column} has codes from {kind.min_code} to "
            f"{kind.max_code}; give it a row for each"
        )
    matrix, table_type = exact_codes(rows[: kind.max_code + 1], f"{where}: its table")
    flag = FixedType(False, 1, 0)
    features = tuple(
        net.Feature(
            name=f"{column}_is_{code}", column=column, kind="flag", codes=(code,), type=flag
        )
        for code in range(kind.max_code + 1)
    )
    return Linear(features, matrix, table_type.frac_bits)


def concatenate(builder: Builder, layer: Any, *values: Value) -> Value:
    """Channels of several tensors side by side."""
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise ConversionError(
            f"layer {layer.name!r}: axis={layer.axis} is not supported, it must be -1"
        )
    return beside(builder, layer.name, *values)


def beside(builder: Builder, name: str, *values: Value) -> Value:
    """Channels of tensors side by side; of inputs and embeddings, what they are made of."""
    inputs = [value for value in values if isinstance(value, Linear)]
    if len(inputs) == len(values):
        return reduce(Linear.beside, inputs)
    return builder.joined(name, *(builder.as_node(value, name) for value in values))


def added(builder: Builder, name: str, *values: Value) -> Value:
    """Sum of tensors of one shape: their channels side by side, times a matrix of ones and zeros."""
    nodes = [builder.as_node(value, name) for value in values]
    if len({node.shape for node in nodes}) != 1:
        shapes = ", ".join(str(node.shape) for node in nodes)
        raise ConversionError(
            f"layer {name!r} adds tensors of shapes {shapes}; all must have the same shape"
        )
    joined = builder.joined(f"{name}_terms", *nodes).node
    channels = nodes[0].shape[-1]
    ones = np.tile(np.eye(channels, dtype=np.int64), (len(nodes), 1))
    return builder.dense(name, joined, (ones, codes_type(ones, 0)), no_bias(channels))


def add(builder: Builder, layer: Any, *values: Value) -> Value:
    """``Add``."""
    return added(builder, layer.name, *values)


def same(_builder: Builder, _layer: Any, value: Value) -> Value:
    """Return the value of a layer that does nothing after training."""
    return value


def reshape(_builder: Builder, layer: Any, value: Value) -> Value:
    """Add or drop axes of length 1; candidates stay in their slots."""
    before = [n for n in layer.input.shape[1:] if n != 1]
    if before != [n for n in layer.output.shape[1:] if n != 1]:
        raise ConversionError(f"layer {layer.name!r} moves numbers from one slot to another")
    return value
