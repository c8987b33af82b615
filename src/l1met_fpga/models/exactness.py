"""Refuse, when a quantized model is built, what would lose bits later without a message.

hls4ml 1.3 converts several constructs silently wrong, and float32 adds integers exactly only
below 2**24. Each rule names the layer and what to change.
"""

from typing import Any, Final

from l1met_fpga.errors import ConfigError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.layers import (
    BroadcastMultiply,
    CandidateFeatures,
    CandidateMomentum,
    FixedQuantize,
    PotentialTable,
)
from l1met_fpga.models.quantizers import OneDigitQuantizer
from l1met_fpga.models.ranges import union_type

__all__ = ["FLOAT32_EXACT_BITS", "check_exact", "input_layers", "output_type", "weight_type"]

FLOAT32_EXACT_BITS: Final = 24
MAX_PARALLEL_ELEMENTS: Final = 4096
"""Largest array that Vitis HLS partitions fully (``config_array_partition`` of hls4ml)."""

FORBIDDEN: Final = {
    "GlobalAveragePooling1D": "hls4ml truncates its sum; use a sum pool and a power-of-two shift",
    "BatchNormalization": "fold it into the layer before; scale and shift are float",
    "Multiply": "hls4ml multiplies (N, F) by (N, 1) wrongly; use BroadcastMultiply",
    "Lambda": "it has no form in firmware; write a small layer",
    "GarNet": "hls4ml's GarNet is not exact; use the architecture `garnet`",
}


def input_layers(layer: Any) -> list[Any]:
    """Return the layers that produce a layer's inputs, in order."""
    # of an operation that Keras has wrapped, layer.input is the first tensor alone
    return [tensor._keras_history.layer for tensor in layer.inbound_nodes[0].keras_inputs]


def weight_type(quantizer: Any) -> FixedType:
    """Return the type of a QKeras weight quantizer.

    Raises:
        ConfigError: If it is not ``quantized_bits(alpha=1, symmetric=0)`` on signed values, or
            the one-digit form of it.
    """
    kind = type(quantizer).__name__
    if kind not in ("quantized_bits", OneDigitQuantizer.__name__):
        raise ConfigError(f"weights need quantized_bits(alpha=1), got {kind}; add the quantizer")
    config = quantizer.get_config()
    if config["alpha"] != 1.0 or config["symmetric"] or not config["keep_negative"]:
        raise ConfigError(
            "quantized_bits must have alpha=1, symmetric=0 and keep_negative=True (otherwise "
            f"QKeras scales, or hls4ml reads another type), got {config}"
        )
    bits, integer = int(config["bits"]), int(config["integer"])
    return FixedType(True, integer, bits - 1 - integer, Rounding.RND_CONV, Overflow.SAT)


def output_type(layer: Any) -> FixedType | None:
    """Return the type of a layer that quantizes its output, else None."""
    match layer:
        case FixedQuantize():
            return layer.type
        case CandidateMomentum() | PotentialTable():
            return layer.output_type
        case CandidateFeatures():
            return union_type([feature.type for feature in layer.features])
    return None


def check_exact(model: Any) -> None:
    """Check that every number of a quantized model is exact and has a form in firmware.

    Raises:
        ConfigError: Says which layer, why, and what to change.
    """
    for wrapped in model.layers:
        layer = getattr(wrapped, "layer", wrapped)
        kind = type(layer).__name__
        if kind in FORBIDDEN:
            raise ConfigError(f"layer {layer.name!r} is a {kind}: {FORBIDDEN[kind]}")
        if kind == "Dense" or kind.startswith(("Conv", "QConv")):
            raise ConfigError(
                f"layer {layer.name!r} is a {kind}; in a quantized model use QDense through the "
                "layer factory, which quantizes kernel and bias"
            )
        if kind == "QDense":
            _check_dense(layer, wrapped)
        if isinstance(layer, FixedQuantize):
            _check_quantizer(layer)
        if isinstance(layer, BroadcastMultiply):
            _check_product(layer)


def _check_dense(layer: Any, wrapped: Any) -> None:
    source = input_layers(wrapped)[0]
    x = output_type(source)
    if x is None:
        raise ConfigError(
            f"layer {layer.name!r} reads {source.name!r}, which is not quantized; put one "
            "quantizer between them"
        )
    try:
        kernel = weight_type(layer.kernel_quantizer_internal)
        bias = weight_type(layer.bias_quantizer_internal)
    except ConfigError as err:
        raise ConfigError(f"layer {layer.name!r}: {err}") from None
    if layer.activation is not None and layer.activation.__name__ != "linear":
        raise ConfigError(f"layer {layer.name!r}: use a separate quantizer, not `activation`")
    bits = _accumulator_bits(x, kernel, bias, int(layer.kernel.shape[0]))
    if bits > FLOAT32_EXACT_BITS:
        raise ConfigError(
            f"layer {layer.name!r} adds numbers of up to {bits} bits, float32 is exact to "
            f"{FLOAT32_EXACT_BITS}: input {x.hls_name}, kernel {kernel.hls_name}, bias "
            f"{bias.hls_name}, {int(layer.kernel.shape[0])} inputs; make one of them narrower"
        )


def _accumulator_bits(x: FixedType, kernel: FixedType, bias: FixedType, fan_in: int) -> int:
    """Bits of the largest partial sum, in units of the finest term."""
    product_frac = x.frac_bits + kernel.frac_bits
    frac = max(product_frac, bias.frac_bits)
    largest_x = max(x.max_code, -x.min_code)
    products = fan_in * largest_x * -kernel.min_code << (frac - product_frac)
    return (products + (-bias.min_code << (frac - bias.frac_bits))).bit_length()


def _check_product(layer: BroadcastMultiply) -> None:
    types = [output_type(source) for source in input_layers(layer)]
    bits = sum(kind.width for kind in types if kind is not None)
    if bits > FLOAT32_EXACT_BITS and layer.compute_dtype == "float32":
        raise ConfigError(
            f"layer {layer.name!r} multiplies numbers of {bits} bits in all, float32 is exact to "
            f"{FLOAT32_EXACT_BITS}; make one of them narrower"
        )


def _check_quantizer(layer: FixedQuantize) -> None:
    source = input_layers(layer)[0]
    if isinstance(source, FixedQuantize):
        raise ConfigError(
            f"quantizers {source.name!r} and {layer.name!r} follow one another; hls4ml keeps only "
            "the second, remove one"
        )
    inner = getattr(source, "layer", source)
    if type(inner).__name__ != "QDense" or layer.compute_dtype != "float32":
        return
    x = output_type(input_layers(source)[0])
    kernel = weight_type(inner.kernel_quantizer_internal)
    bias = weight_type(inner.bias_quantizer_internal)
    if x is None:
        return
    frac = max(x.frac_bits + kernel.frac_bits, bias.frac_bits, layer.type.frac_bits)
    if frac + layer.type.int_bits + 1 > FLOAT32_EXACT_BITS:
        raise ConfigError(
            f"quantizer {layer.name!r} of {layer.type.hls_name} rounds a sum with {frac} fraction "
            f"bits; together they need more than {FLOAT32_EXACT_BITS} bits of float32. Use fewer "
            "integer bits there or narrower weights before"
        )
