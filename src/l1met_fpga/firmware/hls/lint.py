"""Find what hls4ml 1.3 would convert into other numbers without a message.

For Keras models that are not this package's (those become an integer network first, see
:mod:`l1met_fpga.models.export`). Layers and arguments must stand on a list of what converts
exactly (:mod:`l1met_fpga.firmware.hls.allowed`); the rules here look at how layers stand together.
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls.allowed import (
    argument_problems,
    known_layer,
    layer_names,
    quantizer_problems,
)
from l1met_fpga.firmware.hls.interfaces import require_of_hls4ml
from l1met_fpga.models.exactness import input_layers

__all__ = ["Finding", "Outcome", "lint", "require_convertible"]

MAX_PARALLEL_ELEMENTS: Final = 4096
_MERGES: Final = ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate")
_QUANTIZED_WEIGHTS: Final = (
    "use QDense, QConv1D, QConv2D or QDepthwiseConv2D with a quantizer "
    "quantized_bits(bits, integer, alpha=1) for every weight"
)
_ADVICE: Final = {
    "Dense": f"its weights have no quantizer; {_QUANTIZED_WEIGHTS}",
    "Conv1D": f"its weights have no quantizer; {_QUANTIZED_WEIGHTS}",
    "Conv2D": f"its weights have no quantizer; {_QUANTIZED_WEIGHTS}",
    "DepthwiseConv2D": f"its weights have no quantizer; {_QUANTIZED_WEIGHTS}",
    "BatchNormalization": "its scale and shift are not fixed-point numbers, and folding it keeps "
    "the kernel's type; fold it yourself and quantize the folded weights",
    "Softmax": "it becomes tables whose arg-max differs from Keras; compare the values before it",
    "Functional": "a model inside a model; build one model of all layers",
    "Sequential": "a model inside a model; build one model of all layers",
    "GarNet": "hls4ml's GarNet is exact for no setting (shifts instead of divisions); use the "
    "architecture `garnet`",
}
_SAME_ADVICE: Final = {
    "QBatchNormalization": "BatchNormalization",
    "QDenseBatchnorm": "BatchNormalization",
    "QConv2DBatchnorm": "BatchNormalization",
    "GarNetStack": "GarNet",
}


class Outcome(enum.StrEnum):
    """What the guarded conversion does about a finding."""

    REFUSED = "refused"
    CORRECTED = "corrected"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One construct that hls4ml converts silently wrong, or that nothing proves right.

    Attributes:
        rule: Short name of the rule.
        layer: Name of the layer.
        message: What happens and what to change.
        outcome: What the guarded conversion does.
    """

    rule: str
    layer: str
    message: str
    outcome: Outcome = Outcome.REFUSED

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"layer {self.layer!r}: {self.message}"


def lint(model: Any, config: HlsConfig | None = None) -> list[Finding]:
    """Check a Keras 2 (tf_keras) model with QKeras layers.

    Args:
        model: Functional or sequential model.
        config: Section ``hls``; default its defaults.

    Returns:
        Findings in the order of the layers; empty when hls4ml converts it exactly.

    Raises:
        ConversionError: If it is no built functional or sequential model.
    """
    config = config or HlsConfig()
    require_of_hls4ml(config)
    if not getattr(model, "_is_graph_network", False):
        raise ConversionError(
            f"{type(model).__name__} {getattr(model, 'name', '')!r} has no graph of layers; give a "
            "functional model, or a sequential one with an input shape, made with tf_keras"
        )
    found = list(_calls(model, config))
    sources = [tensor._keras_history.layer for tensor in model.inputs]  # Sequential hides its own
    for layer in dict.fromkeys([*sources, *model.layers]):
        found += _unknown(layer, config)
        if known_layer(layer, config.io_type):
            found += [finding for rule in _RULES for finding in rule(layer, config)]
    return found


def require_convertible(model: Any, config: HlsConfig | None = None) -> list[Finding]:
    """Check a model and return what the guarded conversion will correct or wants to say.

    Raises:
        ConversionError: One sentence for each finding that cannot be corrected.
    """
    findings = lint(model, config)
    refused = [str(found) for found in findings if found.outcome is Outcome.REFUSED]
    if refused:
        raise ConversionError(
            f"hls4ml would convert {model.name!r} into other numbers: " + "; ".join(refused)
        )
    return findings


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _quantizes(layer: Any) -> bool:
    return _kind(layer) == "QActivation"


def _sources(layer: Any) -> list[Any]:
    """Return the layers that give a layer's inputs; hls4ml leaves dropout out, so this does."""
    found = []
    for source in input_layers(layer):
        found += _sources(source) if _kind(source) == "Dropout" else [source]
    return found


def _calls(model: Any, config: HlsConfig) -> Iterator[Finding]:
    """Find layers that are called more than once or in another way than by their inputs alone.

    hls4ml reads the first call of a layer, and of that only the names of its inputs.
    """
    layers = {layer.name: layer for layer in model.layers}
    calls = {
        entry["config"]["name"]: entry.get("inbound_nodes", [])
        for entry in model.get_config()["layers"]
        if known_layer(layers.get(entry["config"]["name"]), config.io_type)
    }
    shared = {name for name, nodes in calls.items() if len(nodes) > 1}
    for name, nodes in calls.items():
        if name in shared:
            yield Finding(
                "shared-layer",
                name,
                f"it is used {len(nodes)} times, hls4ml knows the first use only; make one "
                "layer for each use and give them the same weights",
            )
            continue
        for source, node, tensor, *keywords in (s for call in nodes for s in call):
            odd = f"{keywords[0]}" if any(keywords) else f"output {tensor} of {source!r}"
            if any(keywords) or ((node or tensor) and source not in shared):
                yield Finding(
                    "call",
                    name,
                    f"it is called with {odd}, which hls4ml does not read; call it with its input "
                    "tensors alone",
                )


def _unknown(layer: Any, config: HlsConfig) -> Iterator[Finding]:
    if known_layer(layer, config.io_type):
        return
    kind = _kind(layer)
    advice = _ADVICE.get(_SAME_ADVICE.get(kind, kind), "nothing shows that it converts exactly")
    yield Finding(
        "layer-class",
        layer.name,
        f"class {kind} is not allowed: {advice}. Allowed are "
        f"{', '.join(layer_names(config.io_type))}",
    )


def _arguments(layer: Any, config: HlsConfig) -> Iterator[Finding]:
    for problem in argument_problems(layer, config.io_type):
        hint = ""
        if problem.argument == "activation":
            hint = "; use a QActivation layer"
        elif problem.argument == "padding":
            hint = f" with {config.io_type.value}"
        yield Finding("argument", layer.name, f"{_kind(layer)}: {problem}{hint}")


def _weight_quantizers(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    weights = [key.removesuffix("_quantizer") for key in layer.get_config() if "_quantizer" in key]
    for weight in weights:
        if weight == "bias" and not layer.use_bias:
            continue
        quantizer = getattr(layer, f"{weight}_quantizer_internal", None)
        for problem in quantizer_problems(quantizer, "weights"):
            yield Finding(
                "weight-quantizer",
                layer.name,
                f"{weight}: {problem}; use quantized_bits(bits, integer, alpha=1)",
            )


def _activation_quantizer(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    if not _quantizes(layer):
        return
    for problem in quantizer_problems(layer.quantizer, "activation"):
        yield Finding(
            "activation-quantizer",
            layer.name,
            f"{problem}; use quantized_bits(bits, integer, alpha=1) or quantized_relu(bits, "
            "integer)",
        )


def _input_is_quantized(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    if _kind(layer) != "InputLayer":
        return
    readers = [node.layer for node in layer._outbound_nodes]
    quantizer = getattr(readers[0], "quantizer", None) if len(readers) == 1 else None
    if _kind(quantizer) != "quantized_bits":
        yield Finding(
            "unquantized-input",
            layer.name,
            "hls4ml would make the input fixed<16,6> and drop bits; put one "
            "QActivation(quantized_bits(...)) directly behind it, and nothing else",
        )


def _dense_on_candidates(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    if _kind(layer) == "QDense" and len(layer.input.shape) > 2:
        yield Finding(
            "dense-on-candidates",
            layer.name,
            "hls4ml turns a dense layer on (n, f) into a convolution and drops the kernel's "
            "quantizer; the guarded conversion writes the quantized values into the kernel",
            Outcome.CORRECTED,
        )


def _consecutive_quantizers(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    if not _quantizes(layer):
        return
    for source in _sources(layer):
        if _quantizes(source):
            yield Finding(
                "two-quantizers",
                layer.name,
                f"it follows the quantizer {source.name!r}, which hls4ml then forgets; keep one "
                "quantizer per tensor",
            )


def _merge(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    if _kind(layer) not in _MERGES:
        return
    shapes = [tuple(tensor.shape[1:]) for tensor in layer.input]
    if len(shapes) != 2:
        yield Finding(
            "merge",
            layer.name,
            f"it has {len(shapes)} inputs, hls4ml joins two at a time; use one layer for each pair",
        )
    elif _kind(layer) == "Concatenate":
        if layer.axis not in (-1, len(shapes[0])):
            yield Finding(
                "merge", layer.name, f"axis={layer.axis} is not allowed, it must be the last one"
            )
    elif len(set(shapes)) > 1:
        yield Finding(
            "broadcast",
            layer.name,
            f"hls4ml combines shapes {' and '.join(map(str, shapes))} along the wrong axis; bring "
            "both to the same shape first (a QConv1D(kernel_size=1) of ones repeats a channel)",
        )


def _average(layer: Any, _config: HlsConfig) -> Iterator[Finding]:
    kind = _kind(layer)
    if "Average" not in kind:
        return
    size = layer.input.shape[1] if kind.startswith("Global") else prod(layer.pool_size)
    if size & (size - 1):
        yield Finding(
            "average",
            layer.name,
            f"a mean of {size} numbers is no fixed-point number; average a power of two of them, "
            "or use a sum",
        )
    else:
        yield Finding(
            "average",
            layer.name,
            "hls4ml's automatic precision truncates the sum; the guarded conversion propagates "
            "exact types",
            Outcome.CORRECTED,
        )


def _size(layer: Any, config: HlsConfig) -> Iterator[Finding]:
    shape = getattr(layer.output, "shape", None)
    if config.io_type is IoType.STREAM or shape is None or None in shape[1:]:
        return
    if prod(shape[1:]) > MAX_PARALLEL_ELEMENTS:
        yield Finding(
            "too-large",
            layer.name,
            f"{prod(shape[1:])} elements; io_parallel partitions at most {MAX_PARALLEL_ELEMENTS}, "
            "use fewer channels or io_stream",
        )


def _reuse(layer: Any, config: HlsConfig) -> Iterator[Finding]:
    kernel = getattr(layer, "kernel", getattr(layer, "depthwise_kernel", None))
    if config.reuse_factor == 1 or kernel is None:
        return
    products = prod(kernel.shape)
    if products % config.reuse_factor:
        yield Finding(
            "reuse-factor",
            layer.name,
            f"reuse_factor={config.reuse_factor} does not divide its {products} products; with the "
            "strategy latency hls4ml keeps the number, with resource it takes another one",
            Outcome.NOTED,
        )


_RULES: Final[tuple[Callable[[Any, HlsConfig], Iterator[Finding]], ...]] = (
    _arguments,
    _weight_quantizers,
    _activation_quantizer,
    _input_is_quantized,
    _dense_on_candidates,
    _consecutive_quantizers,
    _merge,
    _average,
    _size,
    _reuse,
)
