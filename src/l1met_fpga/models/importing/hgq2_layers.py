"""Layers of Keras 3 and HGQ2 as steps; what is not listed, or has another argument, is refused by name."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.importing.hgq2_types import input_quantizers, numbers, types_of
from l1met_fpga.models.importing.steps import (
    Add,
    Affine,
    Concatenate,
    Dot,
    Input,
    Multiply,
    Pool,
    Quantize,
    Relu,
    Step,
    Table,
    floats,
    rows,
)

__all__ = ["steps_of"]

TABLE_BITS: Final = 12

Steps = Iterator[Step]


def steps_of(layer: Any, sources: list[str]) -> Steps:
    """Steps of one layer; none where it gives what it is given."""
    kind = f"{type(layer).__module__.split('.')[0]}.{type(layer).__name__}"
    if kind not in _LAYERS:
        raise ConversionError(
            f"layer {layer.name!r} is a {kind}, which is not supported; supported are "
            f"{', '.join(_LAYERS)}"
        )
    quantizers = input_quantizers(layer)
    for index, quantizer in enumerate(quantizers):
        name = f"{layer.name}/iq{index}"
        yield Quantize(name=name, inputs=(sources[index],), types=types_of(quantizer, name))
    if quantizers:
        sources = [f"{layer.name}/iq{index}" for index in range(len(quantizers))]
    after = bool(getattr(layer, "enable_oq", False))
    made = list(_LAYERS[kind](layer, sources))
    if after and made:
        made[-1] = made[-1].model_copy(update={"name": f"{layer.name}/in"})
        types = types_of(layer.oq, f"{layer.name}: output quantizer")
        made.append(Quantize(name=layer.name, inputs=(made[-1].name,), types=types))
    yield from made


def _input(layer: Any, _sources: list[str]) -> Steps:
    shape = layer.output.shape[1:]
    if None in shape:
        raise ConversionError(
            f"input {layer.name!r} has shape {shape}; it needs a fixed number of candidates"
        )
    yield Input(name=layer.name, shape=tuple(int(n) for n in shape))


def _with_activation(layer: Any, affine: Affine) -> Steps:
    function = getattr(layer.activation, "__name__", "linear") if layer.activation else "linear"
    if function not in ("linear", "relu"):
        raise ConversionError(
            f"layer {layer.name!r}: activation {function!r} is not supported; use relu, or a "
            "QUnaryFunctionLUT layer"
        )
    if function == "relu":
        affine = affine.model_copy(update={"name": f"{layer.name}/affine"})
        yield affine
        yield Relu(name=layer.name, inputs=(affine.name,))
    else:
        yield affine


def _dense(layer: Any, sources: list[str]) -> Steps:
    kernel = numbers(getattr(layer, "qkernel", layer.kernel))
    bias = layer.qbias if hasattr(layer, "qbias") else layer.bias
    if equation := getattr(layer, "equation", None):
        _require_pointwise(layer, equation)
    if kernel.ndim == 3:
        _require_pointwise_convolution(layer)
        kernel = kernel[0]
    if kernel.ndim != 2:
        raise ConversionError(
            f"layer {layer.name!r} has a kernel of shape {kernel.shape}; it must be (inputs, outputs)"
        )
    row = (
        None if bias is None else floats(np.broadcast_to(_bias_row(layer, bias), kernel.shape[1:]))
    )
    yield from _with_activation(
        layer, Affine(name=layer.name, inputs=(sources[0],), kernel=rows(kernel), bias=row)
    )


def _bias_row(layer: Any, bias: Any) -> npt.NDArray[np.float64]:
    values = numbers(bias)
    if values.size != values.shape[-1]:
        raise ConversionError(
            f"layer {layer.name!r} has a bias of shape {values.shape}, another one for every slot; "
            "it must be one per channel (bias_axes)"
        )
    return values.ravel()


def _require_pointwise(layer: Any, equation: str) -> None:
    """An einsum that multiplies the last axis with a matrix, the same for every candidate."""
    left, _, out = equation.replace("...", "").partition("->")
    x, _, kernel = left.partition(",")
    if len(kernel) != 2 or x[-1:] != kernel[0] or out != x[:-1] + kernel[1]:
        raise ConversionError(
            f"layer {layer.name!r}: equation={equation!r} mixes candidates; it must multiply the "
            "channels with a matrix, for example 'bnc,cd->bnd'"
        )


def _require_pointwise_convolution(layer: Any) -> None:
    for argument, allowed in (
        ("kernel_size", (1,)), ("strides", (1,)), ("dilation_rate", (1,)), ("groups", 1),
        ("data_format", "channels_last"),
    ):  # fmt: skip
        found = getattr(layer, argument)
        if (tuple(found) if isinstance(found, list | tuple) else found) != allowed:
            raise ConversionError(
                f"layer {layer.name!r}: {argument}={found} is not supported, it must be {allowed}"
            )


def _batch_norm(layer: Any, sources: list[str]) -> Steps:
    scale, offset = layer.qscaler_and_qoffset
    kernel = np.diag(numbers(scale).ravel())
    yield Affine(
        name=layer.name, inputs=(sources[0],), kernel=rows(kernel), bias=floats(numbers(offset))
    )


def _quantizer(layer: Any, sources: list[str]) -> Steps:
    types = types_of(layer, f"layer {layer.name!r}")
    yield Quantize(name=layer.name, inputs=(sources[0],), types=types)


def _relu(layer: Any, sources: list[str]) -> Steps:
    plain = (layer.max_value, float(layer.negative_slope), float(layer.threshold))
    if plain != (None, 0.0, 0.0):
        raise ConversionError(
            f"layer {layer.name!r}: ReLU with max_value={plain[0]}, negative_slope={plain[1]}, "
            f"threshold={plain[2]} is not supported; use a plain one, the quantizer behind it bounds it"
        )
    yield Relu(name=layer.name, inputs=(sources[0],))


def _activation(layer: Any, sources: list[str]) -> Steps:
    called = layer.activation.__name__
    if called != "relu":
        raise ConversionError(
            f"layer {layer.name!r}: activation {called!r} is not supported; use relu, or a "
            "QUnaryFunctionLUT layer"
        )
    yield Relu(name=layer.name, inputs=(sources[0],))


def _function(layer: Any, sources: list[str]) -> Steps:
    kinds = set(types_of(layer.iq, f"{layer.name}/iq0")) if layer.enable_iq else set()
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None or kind.width > TABLE_BITS:
        raise ConversionError(
            f"layer {layer.name!r} becomes a table and needs an input quantizer with one type for all "
            f"channels (allow_heterogeneous_input=False) of at most {TABLE_BITS} bits"
        )
    codes = np.arange(kind.min_code, kind.max_code + 1)
    values = numbers(layer.activation(kind.decode(codes).astype(np.float32)))
    yield Table(name=layer.name, inputs=(sources[0],), type=kind, values=floats(values))


def _multiply(layer: Any, sources: list[str]) -> Steps:
    yield Multiply(name=layer.name, inputs=tuple(sources))


def _dot(layer: Any, sources: list[str]) -> Steps:
    axes = layer.axes if isinstance(layer.axes, int) else tuple(layer.axes)
    if axes not in (1, (1, 1)) or layer.normalize:
        raise ConversionError(
            f"layer {layer.name!r}: axes={axes}, normalize={layer.normalize} is not supported; they "
            "must be 1 and False"
        )
    yield Dot(name=layer.name, inputs=tuple(sources))


def _einsum(layer: Any, sources: list[str]) -> Steps:
    inputs, _, out = layer.equation.replace(" ", "").partition("->")
    left, _, right = inputs.partition(",")
    pools = len(left) == 3 and left[:2] == right[:2] and out == left[0] + left[2] + right[2:]
    combined = len(left) == 2 and left == right[:2] and out == left[0] + right[2:]
    if len(right) != 3 or not (pools or combined):
        raise ConversionError(
            f"layer {layer.name!r}: equation={layer.equation!r} is not supported; write weights with "
            "px, py as 'bnk,bnp->bkp', coefficients with vector pools as 'bk,bkp->bp'"
        )
    yield Dot(name=layer.name, inputs=tuple(sources))


def _sum(layer: Any, sources: list[str]) -> Steps:
    axes = tuple(layer.axes)
    if axes != (1,) or layer.keepdims:
        raise ConversionError(
            f"layer {layer.name!r}: axes={axes}, keepdims={layer.keepdims} is not supported; they must "
            "be 1 (the slots) and False"
        )
    shift = -np.log2(layer.scale)
    yield Pool(name=layer.name, inputs=(sources[0],), shift=int(shift))


def _mean(layer: Any, sources: list[str]) -> Steps:
    if layer.keepdims or layer.data_format != "channels_last":
        raise ConversionError(f"layer {layer.name!r}: keepdims must be False, channels come last")
    yield Pool(name=layer.name, inputs=(sources[0],), mean=True)


def _keras_sum(operation: Any, sources: list[str]) -> Steps:
    axis = operation.axis if isinstance(operation.axis, int) else tuple(operation.axis or ())
    if axis not in (1, (1,)) or operation.keepdims:
        raise ConversionError(
            f"operation {operation.name!r} sums over axis={axis}, keepdims={operation.keepdims}; "
            "supported are 1 (the slots) and False"
        )
    yield Pool(name=operation.name, inputs=(sources[0],))


def _concatenate(layer: Any, sources: list[str]) -> Steps:
    if layer.axis not in (-1, 2):
        raise ConversionError(
            f"layer {layer.name!r}: axis={layer.axis} is not supported, it must be -1"
        )
    yield Concatenate(name=layer.name, inputs=tuple(sources))


def _add(layer: Any, sources: list[str]) -> Steps:
    yield Add(name=layer.name, inputs=tuple(sources))


def _same(_layer: Any, _sources: list[str]) -> Steps:
    return iter(())


_QDENSE: Final = ("QDense", "QBatchNormDense", "QEinsumDense", "QEinsumDenseBatchnorm", "QConv1D")
_LAYERS: Final[dict[str, Callable[[Any, list[str]], Steps]]] = {
    "keras.InputLayer": _input,
    **{f"hgq.{name}": _dense for name in _QDENSE},
    **{f"keras.{name}": _dense for name in ("Dense", "EinsumDense", "Conv1D")},
    "hgq.QBatchNormalization": _batch_norm,
    "hgq.Quantizer": _quantizer,
    "hgq.QUnaryFunctionLUT": _function,
    "keras.ReLU": _relu,
    "keras.Activation": _activation,
    "hgq.QMultiply": _multiply,
    "keras.Multiply": _multiply,
    "hgq.QDot": _dot,
    "keras.Dot": _dot,
    "hgq.QEinsum": _einsum,
    "hgq.QSum": _sum,
    "hgq.QMeanPow2": _sum,
    "keras.GlobalAveragePooling1D": _mean,
    "keras.Sum": _keras_sum,
    "keras.Concatenate": _concatenate,
    "keras.Add": _add,
    "hgq.QAdd": _add,
    "keras.Dropout": _same,
}
"""Supported layers by package and class."""
