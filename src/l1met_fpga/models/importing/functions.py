"""Activations: quantizers, ReLU with all its arguments, functions that become tables."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow
from l1met_fpga.models import nodes as net
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.exact import exact_codes
from l1met_fpga.models.importing.pools import quantize_vectors
from l1met_fpga.models.importing.quantizers import activation_type
from l1met_fpga.models.importing.values import Function, Pooled, Tensor, Value, Vector

__all__ = ["activated", "activation", "qactivation", "quantized", "rectified", "relu"]

TABLE_BITS: Final = 12
"""Widest input of a function that becomes a table."""
FUNCTIONS: Final = ("relu", "tanh", "sigmoid")


def activated(builder: Builder, layer: Any, value: Value, name: str) -> Value:
    """Apply a layer's ``activation``: a function by name, or a QKeras quantizer."""
    activation = layer.activation
    if activation is None or getattr(activation, "__name__", "") == "linear":
        return value
    if hasattr(activation, "bits"):
        return quantized(builder, value, activation_type(activation, f"layer {layer.name!r}"), name)
    return _function(builder, layer, value, activation, name)


def _function(builder: Builder, layer: Any, value: Value, function: Any, name: str) -> Value:
    called = getattr(function, "__name__", str(function))
    if called not in FUNCTIONS:
        raise ConversionError(
            f"layer {layer.name!r}: activation {called!r} is not supported; use one of "
            f"{', '.join(FUNCTIONS)} or a quantizer"
        )
    x = builder.as_node(value, layer.name)
    if called == "relu":
        return rectified(builder, x, name)
    return Function(x, _values(x, layer.name, function), f"{called} of {layer.name!r}")


def rectified(builder: Builder, x: net.Node, name: str) -> Tensor:
    """Cut negative values without loss: an unsigned type that holds every positive one."""
    kind = FixedType(
        False, max(x.type.int_bits, 1 - x.type.frac_bits), x.type.frac_bits, overflow=Overflow.SAT
    )
    return builder.quantized(Tensor(x), kind, name)


def _values(x: net.Node, layer: str, function: Callable[[Any], Any]) -> npt.NDArray[np.float64]:
    """What a function gives for every code of a node, as Keras computes it."""
    if x.type.width > TABLE_BITS:
        raise ConversionError(
            f"layer {layer!r} needs a table with one entry per value of its input, which has "
            f"{x.type.width} bits ({x.type.hls_name}); put a quantizer of at most {TABLE_BITS} bits "
            "before it"
        )
    codes = np.arange(x.type.min_code, x.type.max_code + 1)
    return np.asarray(function(x.type.decode(codes).astype(np.float32)), dtype=np.float64)


def activation(builder: Builder, layer: Any, value: Value) -> Value:
    """``Activation``: a function by name."""
    return activated(builder, layer, value, layer.name)


def qactivation(builder: Builder, layer: Any, value: Value) -> Value:
    """``QActivation``: a quantizer."""
    kind = activation_type(layer.quantizer, f"layer {layer.name!r}")
    return quantized(builder, value, kind, layer.name)


def quantized(builder: Builder, value: Value, kind: FixedType, name: str) -> Value:
    """Bring any value into a type."""
    if isinstance(value, Pooled | Vector):
        return quantize_vectors(builder, value, kind, name)
    return builder.quantized(value, kind, name)


def relu(builder: Builder, layer: Any, value: Value) -> Value:
    """``ReLU`` with largest value, slope below the threshold, and threshold."""
    x = builder.as_node(value, layer.name)
    plain = (layer.max_value, float(layer.negative_slope), float(layer.threshold))
    if plain == (None, 0.0, 0.0):
        return rectified(builder, x, layer.name)
    values = _values(x, layer.name, layer.call)
    try:
        codes, kind = exact_codes(values, f"layer {layer.name!r}")
    except ConversionError:  # a slope that is no number of a few bits: its quantizer decides
        return Function(x, values, f"ReLU {layer.name!r}")
    return builder.table(x, codes, kind, layer.name)
