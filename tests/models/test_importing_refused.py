"""Keras models of others that have no exact integers: the layer, argument or value is named."""

import numpy as np
import pytest
from test_importing import FAMILIES, dense, imported, layers, model_of, quantized

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.keras import tf

# QKeras reads quantizers that are given as text with a name that pyparsing has given up.
pytestmark = pytest.mark.filterwarnings("ignore:'[A-Za-z]+' deprecated - use:DeprecationWarning")


def pooled(axis, **values):
    return lambda value: tf.reduce_sum(value, axis=axis, **values)


REFUSED = {
    "softmax": (
        lambda: model_of(lambda x: layers.Softmax()(dense(1)(x))),
        r"layer 'softmax\w*' is a Softmax, which is not supported; supported are Dense, QDense",
    ),
    "float weights": (
        lambda: model_of(FAMILIES["one dense layer"], frac_bits=22),
        r"layer 'w': kernel needs more than 18 bits \(for example .*give it a quantizer",
    ),
    "function without a quantizer": (
        lambda: model_of(lambda x: dense(1)(layers.Activation("tanh")(quantized(dense(2)(x))))),
        r"reads tanh of 'activation\w*', which has no exact integers; put a quantizer",
    ),
    "function of too many bits": (
        lambda: model_of(lambda x: dense(1)(quantized(layers.Activation("tanh")(dense(2)(x))))),
        r"layer 'activation\w*' needs a table .* put a quantizer of at most 12 bits before it",
    ),
    "unknown function": (
        lambda: model_of(lambda x: dense(1, activation="softplus", name="w")(x)),
        r"layer 'w': activation 'softplus' is not supported; use one of relu, tanh, sigmoid",
    ),
    "wide convolution": (
        lambda: model_of(lambda x: layers.Conv1D(1, 3, padding="same", name="c")(x)),
        r"layer 'c': kernel_size=\(3,\) is not supported, it must be \(1,\)",
    ),
    "strides": (
        lambda: model_of(lambda x: layers.Conv1D(1, 1, strides=2, name="c")(x)[:, :1]),
        r"layer 'c': strides=\(2,\) is not supported",
    ),
    "sums too wide for float32": (
        lambda: model_of(lambda x: dense(1, name="w")(dense(8)(dense(8)(x)))),
        r"layer '\w+' adds numbers of up to \d+ bits; Keras computes in float32",
    ),
    "normalization": (
        lambda: normalized_by_floats(),
        r"\(BatchNormalization\): its scale needs more than 18 bits",
    ),
    "mean over 100": (
        lambda: model_of(
            FAMILIES["one dense layer"], slots=100, total=layers.GlobalAveragePooling1D(name="m")
        ),
        r"layer 'm' is a mean over 100 slots, and 1/100 is no binary number",
    ),
    "another axis": (
        lambda: model_of(FAMILIES["one dense layer"], total=pooled(2)),
        r"is the operation 'math.reduce_sum' .*supported is reduce_sum with axis=1",
    ),
    "another operation": (
        lambda: model_of(
            FAMILIES["one dense layer"], total=lambda v: tf.reduce_max(v, axis=1)
        ),
        r"is the operation 'math.reduce_max'",
    ),
    "two weights": (
        lambda: model_of(lambda x: dense(2)(x)),
        r"layer 'weighted' multiplies px, py with a tensor of shape \(8, 2\)",
    ),
    "no sum": (
        lambda: model_of(FAMILIES["one dense layer"], total=lambda v: v),
        r"the model's output is no sum over candidates",
    ),
    "slots behind one another": (
        lambda: model_of(
            lambda x: dense(1)(layers.Concatenate(axis=1, name="cat")([dense(1)(x), dense(1)(x)])[:, :8])
        ),
        r"layer 'cat': axis=1 is not supported, it must be -1",
    ),
    "a sum of other shapes": (
        lambda: model_of(lambda x: dense(1)(layers.Add(name="add")([dense(3)(x), dense(1)(x)]))),
        r"layer 'add' adds tensors of shapes \(8, 3\), \(8, 1\); all must have the same shape",
    ),
    "a sum of functions without a quantizer": (
        lambda: model_of(
            lambda x: dense(1)(
                layers.Add(name="add")(
                    [layers.Activation("tanh")(quantized(dense(2)(x))), dense(2)(x)]
                )
            )
        ),
        r"layer 'add' reads tanh of 'activation\w*', which has no exact integers; put a quantizer",
    ),
    "a constant added": (
        lambda: model_of(lambda x: dense(1)(dense(3)(x) + 0.5)),
        r"is the operation '__operators__.add' .*supported is reduce_sum .* the sum of two tensors",
    ),
    "vectors added": (
        lambda: model_of(
            FAMILIES["one dense layer"],
            total=lambda v: layers.Add(name="add")([tf.reduce_sum(v, axis=1)] * 2),
        ),
        r"layer 'add' reads pooled values; only candidates' numbers and those of the event",
    ),
    "shared layer": (
        lambda: shared_layer(),
        r"layer 'shared' is used 2 times; once is supported",
    ),
    "scaled quantizer": (
        lambda: quantizer_of("quantized_bits(8,2,alpha='auto')"),
        r"layer 'act': quantized_bits\(alpha='auto'\) is not supported; alpha must be None",
    ),
    "bounded quantizer": (
        lambda: quantizer_of("quantized_relu(8,2,relu_upper_bound=1)"),
        r"layer 'act': quantized_relu\(relu_upper_bound=1\) is not supported; .* must be None",
    ),
    "other quantizer": (
        lambda: quantizer_of("quantized_tanh(8)"),
        r"layer 'act': quantized_tanh is not supported; use one of quantized_bits, quantized_relu",
    ),
}  # fmt: skip


def normalized_by_floats():
    model = model_of(
        lambda x: dense(1)(quantized(layers.BatchNormalization()(quantized(dense(4)(x), "a"))))
    )
    norm = next(l for l in model.layers if type(l).__name__ == "BatchNormalization")
    norm.set_weights([np.abs(w) + 0.3 for w in norm.get_weights()])
    return model


def shared_layer():
    shared = dense(3, name="shared")
    return model_of(lambda x: dense(1)(quantized(shared(quantized(shared(x), "a")))))


def quantizer_of(text):
    from qkeras import QActivation

    return model_of(lambda x: dense(1)(QActivation(text, name="act")(dense(3)(x))))


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_not_exact_is_refused_by_name(case):
    make, says = REFUSED[case]
    with pytest.raises(ConversionError, match=says):
        imported(make())
