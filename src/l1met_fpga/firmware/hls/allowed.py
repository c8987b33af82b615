"""The Keras layers that convert exactly, and what each of their arguments may be.

A list of what is allowed, not of what is known to go wrong: hls4ml reads the arguments it knows
and drops the others without a word. An argument that does not stand here is refused, so is a
class. Every class is converted and compared with Keras in ``tests/firmware``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from l1met_fpga.config.firmware import IoType

__all__ = ["Problem", "argument_problems", "known_layer", "layer_names", "quantizer_problems"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one argument may be.

    Attributes:
        holds: Whether a value is allowed.
        words: The allowed values in words.
    """

    holds: Callable[[Any], bool]
    words: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One argument that is not allowed.

    Attributes:
        argument: Its name.
        value: What it is.
        words: What it may be, in words.
    """

    argument: str
    value: Any
    words: str

    def __str__(self) -> str:
        """Say it in one clause."""
        return f"{self.argument}={_plain(self.value)!r} is not allowed, it must be {self.words}"


Arguments = Mapping[str, Allowed]


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, a list as a tuple."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(value) if isinstance(value, list) else value


def _only(*values: Any) -> Allowed:
    return Allowed(lambda value: _plain(value) in values, " or ".join(map(repr, values)))


def _all_ones(value: Any) -> bool:
    plain = _plain(value)
    return plain == 1 or (isinstance(plain, tuple) and set(plain) == {1})


def _whole(low: int, high: int) -> Allowed:
    def holds(value: Any) -> bool:
        plain = _plain(value)
        return type(plain) is int and low <= plain <= high

    return Allowed(holds, f"a whole number from {low} to {high}")


_ANY: Final = Allowed(lambda _: True, "anything")
_ONES: Final = Allowed(_all_ones, "1")
_LINEAR: Final = _only("linear")
_LAYER: Final[Arguments] = {
    "name": _ANY,
    "trainable": _ANY,
    "dtype": _only("float32"),
    "batch_input_shape": _ANY,
}
_CHANNELS_LAST: Final[Arguments] = {"data_format": _only("channels_last")}


def _weights(*names: str) -> Arguments:
    """Arguments of a layer with these weights; quantizers have rules of their own."""
    training = ("initializer", "regularizer", "constraint", "quantizer")
    return {
        "activation": _LINEAR,
        "use_bias": _only(True, False),
        "activity_regularizer": _ANY,
        **{f"{name}_{what}": _ANY for name in (*names, "bias") for what in training},
        **{f"{name}_range": _only(None) for name in (*names, "bias")},
    }


def _convolution(padding: Allowed) -> Arguments:
    return {
        "kernel_size": _ANY,
        "strides": _ANY,
        "padding": padding,
        "dilation_rate": _ONES,
        "groups": _ONES,
        **_CHANNELS_LAST,
    }


def _pool(padding: Allowed) -> Arguments:
    return {"pool_size": _ANY, "strides": _ANY, "padding": padding, **_CHANNELS_LAST}


@cache
def _table(io_type: IoType) -> dict[type, Arguments]:
    """Return layer class -> argument -> what it may be, for one kind of interface."""
    import qkeras

    from l1met_fpga.models.keras import keras

    layers = keras.layers
    valid = _only("valid")
    any_padding = _only("valid", "same") if io_type is IoType.PARALLEL else valid
    overall: Arguments = {**_CHANNELS_LAST, "keepdims": _only(False)}
    table: dict[type, Arguments] = {
        layers.InputLayer: {
            "sparse": _only(False),
            "ragged": _only(False),
            "optional": _only(False),
        },
        qkeras.QActivation: {"activation": _ANY},
        qkeras.QDense: {"units": _ANY, **_weights("kernel")},
        qkeras.QConv1D: {"filters": _ANY, **_weights("kernel"), **_convolution(any_padding)},
        qkeras.QConv2D: {"filters": _ANY, **_weights("kernel"), **_convolution(any_padding)},
        qkeras.QDepthwiseConv2D: {
            "depth_multiplier": _ONES,
            **_weights("depthwise"),
            **_convolution(any_padding),
        },
        layers.ReLU: {
            "max_value": _only(None),
            "negative_slope": _only(0),
            "threshold": _only(0),
        },
        layers.Activation: {"activation": _only("linear", "relu")},
        layers.Dropout: {"rate": _ANY, "noise_shape": _ANY, "seed": _ANY},
        layers.Flatten: _CHANNELS_LAST,
        layers.Reshape: {"target_shape": _ANY},
        layers.Add: {},
        layers.Subtract: {},
        layers.Multiply: {},
        layers.Maximum: {},
        layers.Minimum: {},
        layers.Concatenate: {"axis": _ANY},
        layers.MaxPooling1D: _pool(valid),
        layers.MaxPooling2D: _pool(valid),
        layers.AveragePooling1D: _pool(valid),
        layers.AveragePooling2D: _pool(valid),
        layers.GlobalMaxPooling1D: overall,
        layers.GlobalAveragePooling1D: overall,
    }
    return {kind: {**_LAYER, **arguments} for kind, arguments in table.items()}


def layer_names(io_type: IoType) -> list[str]:
    """Return the names of the classes on the list."""
    return sorted(kind.__name__ for kind in _table(io_type))


def known_layer(layer: Any, io_type: IoType) -> bool:
    """Whether a layer's own class (not one it is derived from) is on the list."""
    return type(layer) in _table(io_type)


def argument_problems(layer: Any, io_type: IoType) -> Iterator[Problem]:
    """Yield the arguments of a known layer that are not allowed."""
    allowed = _table(io_type)[type(layer)]
    for argument, value in layer.get_config().items():
        rule = allowed.get(argument)
        if rule is None:
            yield Problem(argument, value, "left out; nothing shows that hls4ml reads it")
        elif not rule.holds(value):
            yield Problem(argument, value, rule.words)


# -- quantizers -----------------------------------------------------------------------------------

_FIXED: Final[Arguments] = {
    "integer": _whole(0, 32),
    "use_stochastic_rounding": _only(False),
    "qnoise_factor": _only(1),
    "use_variables": _only(False),
}
_QUANTIZERS: Final[dict[str, Arguments]] = {
    "quantized_bits": {
        "bits": _whole(2, 32),
        **_FIXED,
        "symmetric": _only(0, False),
        "keep_negative": _only(True, 1),
        "scale_axis": _only(None),
    },
    "quantized_relu": {
        "bits": _whole(1, 32),
        **_FIXED,
        "use_sigmoid": _only(0, False),
        "negative_slope": _only(0),
        "relu_upper_bound": _only(None),
        "is_quantized_clip": _only(True),
    },
}
"""Attributes, not ``get_config``, which leaves some out."""
_ALPHA: Final = {"weights": _only(1), "activation": _only(None, 1)}
_SILENT: Final = ("alpha", "var_name", "use_ste", "scale", "built", "name", "is_trainable")
"""Looked at elsewhere, or without effect on the numbers."""


def quantizer_problems(quantizer: Any, use: str) -> Iterator[str]:
    """Yield what keeps a quantizer from converting exactly, one clause each.

    Args:
        quantizer: QKeras quantizer, or None.
        use: ``weights`` or ``activation``.
    """
    import qkeras

    if quantizer is None:
        yield "it has no quantizer, hls4ml would round it to fixed<16,6>"
        return
    kinds = ("quantized_bits",) if use == "weights" else ("quantized_bits", "quantized_relu")
    kind = next((k for k in kinds if type(quantizer) is getattr(qkeras, k)), None)
    if kind is None:
        name = type(quantizer).__name__
        yield f"{name} is not allowed, it must be {' or '.join(kinds)}"
        return
    alpha = getattr(quantizer, "alpha", 1)
    if not _ALPHA[use].holds(alpha):
        yield f"{kind}: {Problem('alpha', alpha, _ALPHA[use].words)} (it scales the values)"
    allowed = _QUANTIZERS[kind]
    values = {**quantizer.get_config(), **{k: v for k, v in vars(quantizer).items() if k[0] != "_"}}
    for argument, value in values.items():
        if argument in _SILENT:
            continue
        rule = allowed.get(argument)
        if rule is None:
            yield f"{kind}: {Problem(argument, value, 'left out')}"
        elif not rule.holds(value):
            yield f"{kind}: {Problem(argument, value, rule.words)}"
