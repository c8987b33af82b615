"""Find what hls4ml 1.3 would convert into other numbers without a message.

For Keras models that are not this package's (those become an integer network first, see
:mod:`l1met_fpga.models.export`). ``tests/firmware`` shows the constructs with wrong outputs; the
other rules refuse what is not proven to convert exactly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.exactness import input_layers

__all__ = ["Finding", "lint", "require_convertible"]

MAX_PARALLEL_ELEMENTS: Final = 4096
_DENSE: Final = ("Dense", "QDense", "Conv1D", "QConv1D")
_MERGES: Final = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
_TABLES: Final = ("tanh", "sigmoid", "softmax", "softplus", "softsign", "selu", "elu", "swish")


@dataclass(frozen=True, slots=True)
class Finding:
    """One construct that hls4ml converts silently wrong.

    Attributes:
        rule: Short name of the rule.
        layer: Name of the layer.
        message: What happens and what to change.
        corrected: Whether the guarded conversion corrects it; otherwise it refuses.
    """

    rule: str
    layer: str
    message: str
    corrected: bool = False

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"layer {self.layer!r}: {self.message}"


def lint(model: Any) -> list[Finding]:
    """Check a Keras 2 (tf_keras) model with QKeras layers.

    Args:
        model: Functional or sequential model.

    Returns:
        Findings in the order of the layers; empty when hls4ml converts it exactly.
    """
    return [found for layer in model.layers for rule in _RULES for found in rule(layer)]


def require_convertible(model: Any) -> list[Finding]:
    """Check a model and return what the guarded conversion will correct.

    Raises:
        ConversionError: One sentence for each finding that cannot be corrected.
    """
    findings = lint(model)
    refused = [str(found) for found in findings if not found.corrected]
    if refused:
        raise ConversionError(
            f"hls4ml would convert {model.name!r} into other numbers: " + "; ".join(refused)
        )
    return findings


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _quantizes(layer: Any) -> bool:
    return _kind(layer) == "QActivation"


def _input_is_quantized(layer: Any) -> Iterator[Finding]:
    if _kind(layer) == "InputLayer":
        return
    for source in input_layers(layer):
        if _kind(source) == "InputLayer" and not _quantizes(layer):
            yield Finding(
                "unquantized-input",
                source.name,
                "hls4ml would make the input fixed<16,6> and drop bits; put "
                "QActivation(quantized_bits(...)) or quantized_relu directly behind it",
            )


def _dense_on_candidates(layer: Any) -> Iterator[Finding]:
    if _kind(layer) in ("Dense", "QDense") and len(layer.input.shape) > 2:
        yield Finding(
            "dense-on-candidates",
            layer.name,
            "hls4ml turns a dense layer on (n, f) into a convolution and drops the kernel's "
            "quantizer; the guarded conversion writes the quantized values into the kernel",
            corrected=True,
        )


def _weight_quantizers(layer: Any) -> Iterator[Finding]:
    if _kind(layer) not in _DENSE:
        return
    quantizers = {"kernel": getattr(layer, "kernel_quantizer_internal", None)}
    if layer.use_bias:
        quantizers["bias"] = getattr(layer, "bias_quantizer_internal", None)
    for name, quantizer in quantizers.items():
        problem = _weight_problem(quantizer)
        if problem:
            yield Finding(
                "weight-quantizer",
                layer.name,
                f"{name}: {problem}; use quantized_bits(bits, integer, alpha=1) in a QKeras layer",
            )


def _weight_problem(quantizer: Any) -> str:
    if quantizer is None:
        return "it has no quantizer, hls4ml would round it to fixed<16,6>"
    if _kind(quantizer) != "quantized_bits":
        return f"{_kind(quantizer)} is not checked to convert exactly"
    config = quantizer.get_config()
    if config["alpha"] not in (1, 1.0):
        return f"alpha={config['alpha']!r} scales the weights, and hls4ml rounds the scale"
    if config["symmetric"]:
        return "symmetric=1 leaves out the smallest value, hls4ml does not"
    if not config["keep_negative"]:
        return "keep_negative=False has another bit weight in hls4ml"
    return ""


def _activation_argument(layer: Any) -> Iterator[Finding]:
    if _kind(layer) not in _DENSE:
        return
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", None) or _kind(activation)
    if activation is not None and name != "linear":
        yield Finding(
            "activation-argument",
            layer.name,
            f"activation {name!r} inside the layer loses its type; use a QActivation layer",
        )


def _activation_quantizer(layer: Any) -> Iterator[Finding]:
    if not _quantizes(layer):
        return
    quantizer = layer.quantizer
    kind = _kind(quantizer)
    if kind not in ("quantized_bits", "quantized_relu"):
        yield Finding(
            "activation-table",
            layer.name,
            f"{kind} becomes a table of limited range in hls4ml; use quantized_bits or "
            "quantized_relu",
        )
        return
    config = quantizer.get_config()
    wrong = kind == "quantized_bits" and (
        config["alpha"] not in (None, 1, 1.0) or config["symmetric"] or not config["keep_negative"]
    )
    ignored = kind == "quantized_relu" and (
        config["use_sigmoid"] or config["negative_slope"] or config.get("relu_upper_bound")
    )
    if wrong or ignored:
        yield Finding(
            "activation-quantizer",
            layer.name,
            "hls4ml ignores alpha, symmetric, keep_negative, use_sigmoid, negative_slope and "
            f"relu_upper_bound of {kind}; leave them at alpha=1, symmetric=0, keep_negative=True",
        )


def _consecutive_quantizers(layer: Any) -> Iterator[Finding]:
    if not _quantizes(layer):
        return
    for source in input_layers(layer):
        if _quantizes(source):
            yield Finding(
                "two-quantizers",
                layer.name,
                f"it follows the quantizer {source.name!r}, which hls4ml then forgets; keep one "
                "quantizer per tensor",
            )


def _broadcast(layer: Any) -> Iterator[Finding]:
    if _kind(layer) not in _MERGES:
        return
    shapes = [tuple(tensor.shape[1:]) for tensor in layer.input]
    if len(set(shapes)) > 1:
        yield Finding(
            "broadcast",
            layer.name,
            f"hls4ml combines shapes {' and '.join(map(str, shapes))} along the wrong axis; bring "
            "both to the same shape first (a QConv1D(kernel_size=1) of ones repeats a channel)",
        )


def _average(layer: Any) -> Iterator[Finding]:
    if _kind(layer).startswith(("GlobalAveragePooling", "AveragePooling")):
        yield Finding(
            "average",
            layer.name,
            "hls4ml's automatic precision truncates the sum; the guarded conversion propagates "
            "exact types",
            corrected=True,
        )


def _forbidden(layer: Any) -> Iterator[Finding]:
    kind = _kind(layer)
    if kind in ("GarNet", "GarNetStack"):
        yield Finding(
            "garnet",
            layer.name,
            "hls4ml's GarNet is exact for no setting (numbers of vertices that are not powers of "
            "two, integer division by their number); use the architecture `garnet`",
        )
    if kind in ("BatchNormalization", "QBatchNormalization"):
        yield Finding(
            "batch-normalization",
            layer.name,
            "its scale and shift are not fixed-point numbers; fold it into the layer before",
        )
    name = getattr(getattr(layer, "activation", None), "__name__", kind.lower())
    if kind in ("Activation", "Softmax") and name in _TABLES:
        yield Finding(
            "activation-table",
            layer.name,
            f"{name} becomes a table of limited range in hls4ml; use quantized_relu or a table of "
            "exact values",
        )


def _size(layer: Any) -> Iterator[Finding]:
    shape = getattr(layer.output, "shape", None)
    if shape is None or None in shape[1:]:
        return
    if prod(shape[1:]) > MAX_PARALLEL_ELEMENTS:
        yield Finding(
            "too-large",
            layer.name,
            f"{prod(shape[1:])} elements; io_parallel partitions at most {MAX_PARALLEL_ELEMENTS}, "
            "use fewer channels or io_stream",
        )


_RULES: Final[tuple[Callable[[Any], Iterator[Finding]], ...]] = (
    _input_is_quantized,
    _dense_on_candidates,
    _weight_quantizers,
    _activation_argument,
    _activation_quantizer,
    _consecutive_quantizers,
    _broadcast,
    _average,
    _forbidden,
    _size,
)
