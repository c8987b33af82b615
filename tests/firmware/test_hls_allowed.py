"""The list of Keras layers: what is off it is refused, what is on it agrees with Keras."""

import functools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls import keras_front_end
from l1met_fpga.firmware.hls.allowed import _ANY, _table
from l1met_fpga.firmware.hls.keras_front_end import convert_keras
from l1met_fpga.firmware.hls.keras_proof import Expected, require_same_numbers
from l1met_fpga.firmware.hls.lint import lint

from l1met_fpga.models.keras import keras  # isort: skip (before QKeras)
from qkeras import (  # isort: skip
    QActivation,
    QConv1D,
    QConv2D,
    QDense,
    QDepthwiseConv2D,
    bernoulli,
    quantized_bits,
    quantized_po2,
    quantized_relu,
)

L = keras.layers
QUICK = HlsConfig(compiler_flags=("-O0",))
STREAM = QUICK.model_copy(update={"io_type": IoType.STREAM})
pytestmark = [
    pytest.mark.filterwarnings("ignore:Overriding attribute:UserWarning"),
    pytest.mark.filterwarnings("ignore:The `keras.constraints.serialize:UserWarning"),
    pytest.mark.filterwarnings("ignore:The initializer HeNormal is unseeded:UserWarning"),
]


def weights(*names, **changes):
    found = {f"{name}_quantizer": quantized_bits(7, 1, alpha=1) for name in (*names, "bias")}
    return {**found, **changes}


K, D = weights("kernel"), weights("depthwise")


def bits(x, width=9, integer=3):
    return QActivation(quantized_bits(width, integer, alpha=1))(x)


def chain(shape, *layers, out=(13, 6)):
    """A model of these layers between two quantizers, with weights from a fixed seed."""
    x = keras.Input(shape)
    y = bits(x)
    for layer in layers:
        y = layer(y)
    model = keras.Model(x, bits(y, *out) if out else y)
    rng = np.random.default_rng(21)
    model.set_weights([rng.normal(0, 0.6, w.shape) for w in model.get_weights()])
    return model


def conv(units=3, **changes):
    return QConv1D(units, 1, **{**K, **changes})


def quantizer(width=8, integer=3):
    return QActivation(quantized_bits(width, integer, alpha=1))


def pair(merge):
    x = keras.Input((6, 3))
    y = bits(x)
    return keras.Model(x, bits(merge([bits(conv()(y), 7, 2), bits(conv()(y), 8, 3)]), 12, 6))


def shared():
    a, b = keras.Input((6,)), keras.Input((6,))
    layer = QDense(4, name="it", **K)
    y = L.Subtract()([bits(layer(bits(a))), bits(layer(bits(b)))])
    return keras.Model([a, b], bits(y))


def nested():
    x, inner = keras.Input((6,)), keras.Input((6,))
    part = keras.Model(inner, bits(QDense(3, **K)(inner)), name="it")
    return keras.Model(x, part(bits(x)))


def always_dropping():
    x = keras.Input((6,))
    y = L.Dropout(0.4, name="it")(bits(x), training=True)
    return keras.Model(x, bits(QDense(3, **K)(y)))


def two_readers():
    x = keras.Input((6,), name="it")
    return keras.Model(x, L.Add()([bits(x), bits(x, 5, 2)]))


def scaled(name, alpha):
    return {f"{name}_quantizer": quantized_bits(6, 1, alpha=alpha)}


# model, what the sentence says about the layer `it`
REFUSED = {
    "relu with a limit": (lambda: chain((8,), L.ReLU(1.5, name="it")), "max_value=1.5"),
    "relu with a threshold": (lambda: chain((8,), L.ReLU(threshold=0.25, name="it")), "threshold="),
    "leaking relu": (lambda: chain((8,), L.ReLU(negative_slope=0.5, name="it")), "negative_slope="),
    "dilated 1": (
        lambda: chain((12, 2), QConv1D(3, 3, dilation_rate=3, name="it", **K)),
        "dilation_rate=(3,) is not allowed, it must be 1",
    ),
    "dilated 2": (
        lambda: chain((9, 9, 2), QConv2D(2, 3, dilation_rate=(1, 2), name="it", **K)),
        "dilation_rate=(1, 2)",
    ),
    "groups": (lambda: chain((8, 4), QConv1D(4, 1, groups=2, name="it", **K)), "groups=2"),
    "causal": (lambda: chain((8, 2), QConv1D(3, 2, padding="causal", name="it", **K)), "padding="),
    "plain conv": (lambda: chain((6, 6, 2), L.Conv2D(2, 3, name="it")), "no quantizer; use QDense"),
    "plain depthwise": (lambda: chain((6, 6, 2), L.DepthwiseConv2D(3, name="it")), "no quantizer"),
    "scaled conv": (
        lambda: chain((6, 6, 2), QConv2D(2, 3, name="it", **{**K, **scaled("kernel", "auto")})),
        "alpha='auto' is not allowed, it must be 1",
    ),
    "scaled depthwise": (
        lambda: chain(
            (6, 6, 2), QDepthwiseConv2D(3, name="it", **{**D, **scaled("depthwise", 0.5)})
        ),
        "alpha=0.5",
    ),
    "powers of two": (
        lambda: chain((8,), QDense(3, name="it", **weights("kernel", kernel_quantizer=quantized_po2(4)))),
        "quantized_po2 is not allowed",
    ),
    "random": (
        lambda: chain((8,), QActivation(bernoulli(), name="it"), out=None),
        "bernoulli is not allowed",
    ),
    "stochastic": (
        lambda: chain(
            (8,),
            QDense(3, **K),
            QActivation(quantized_relu(5, 1, use_stochastic_rounding=True), name="it"),
            out=None,
        ),
        "use_stochastic_rounding=True",
    ),
    "leaking quantizer": (
        lambda: chain(
            (8,), QDense(3, **K), QActivation(quantized_relu(5, 1, negative_slope=0.25), name="it"),
            out=None,
        ),
        "negative_slope=0.25",
    ),
    "one bit": (
        lambda: chain(
            (8,), QDense(3, name="it", **weights("kernel", kernel_quantizer=quantized_bits(1, 0, alpha=1)))
        ),
        "bits=1 is not allowed, it must be a whole number from 2 to 32",
    ),
    "same pooling": (
        lambda: chain((7, 2), conv(), L.MaxPooling1D(2, padding="same", name="it")),
        "padding='same' is not allowed, it must be 'valid'",
    ),
    "mean of three": (
        lambda: chain((6, 2), conv(), L.AveragePooling1D(3, name="it")),
        "a mean of 3 numbers is no fixed-point number",
    ),
    "used twice": (shared, "it is used 2 times"),
    "model in a model": (nested, "a model inside a model"),
    "called in training": (always_dropping, "it is called with {'training': True}"),
    "input read twice": (two_readers, "directly behind it, and nothing else"),
    "three at once": (
        lambda: chain((5,), lambda y: L.Add(name="it")([y] * 3)),
        "it has 3 inputs",
    ),
    "first axis": (lambda: pair(L.Concatenate(axis=1, name="it")), "axis=1 is not allowed"),
    "half precision": (lambda: chain((8,), L.Flatten(dtype="float16", name="it")), "dtype="),
    "normalization": (lambda: chain((8,), L.BatchNormalization(name="it")), "fold it yourself"),
    "layer normalization": (lambda: chain((8,), L.LayerNormalization(name="it")), "is not allowed"),
    "padding layer": (lambda: chain((6, 2), L.ZeroPadding1D(1, name="it")), "ZeroPadding1D"),
    "recurrent": (lambda: chain((6, 2), L.LSTM(2, name="it")), "class LSTM is not allowed"),
    "lambda": (lambda: chain((6,), L.Lambda(lambda t: t * 2, name="it")), "class Lambda"),
    "softmax": (lambda: chain((6,), L.Activation("softmax", name="it")), "activation='softmax'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason(case, tmp_path):
    make, words = REFUSED[case]
    with pytest.raises(ConversionError) as refused:
        convert_keras(make(), QUICK, tmp_path)
    assert "layer 'it': " in str(refused.value)
    assert words in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_padding_goes_by_the_interface():
    model = chain((7, 2), QConv1D(3, 3, padding="same", name="it", **K))
    assert lint(model, QUICK) == []
    (found,) = lint(model, STREAM)
    assert "must be 'valid' with io_stream" in str(found)


def test_reuse_factor_that_does_not_divide_is_said():
    model = chain((6,), QDense(4, name="it", **K))
    assert lint(model, HlsConfig(reuse_factor=12)) == []
    (found,) = lint(model, HlsConfig(reuse_factor=5))
    assert found.outcome == "noted"
    assert "reuse_factor=5 does not divide its 24 products" in str(found)


def test_a_class_derived_from_an_allowed_one_is_another_class():
    class Doubled(QDense):
        def call(self, inputs):
            return 2 * super().call(inputs)

    (found,) = lint(chain((6,), Doubled(3, name="it", **K)))
    assert "class Doubled is not allowed" in str(found)


def test_a_model_without_a_graph_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ConversionError, match="has no graph of layers"):
        lint(Own())


GOOD = {
    "QConv1D": lambda: chain((8, 2), conv()),
    "QConv2D": lambda: chain((5, 5, 2), QConv2D(2, 3, strides=2, **K)),
    "QDepthwiseConv2D": lambda: chain((5, 5, 2), QDepthwiseConv2D(3, **D)),
    "QDense": lambda: chain((8,), QDense(3, **K)),
    "QActivation": lambda: chain((8,), QDense(3, **K), QActivation(quantized_relu(6, 2)), out=None),
    "ReLU": lambda: chain((8,), QDense(3, **K), L.ReLU()),
    "Activation": lambda: chain((8,), QDense(3, **K), L.Activation("relu"), out=None),
    "Dropout": lambda: chain((8,), L.Dropout(0.3), QDense(3, **K)),
    "Flatten": lambda: chain((4, 2), L.Flatten(), QDense(3, **K)),
    "Reshape": lambda: chain((8,), L.Reshape((4, 2)), conv()),
    "MaxPooling1D": lambda: chain((9, 2), conv(), quantizer(), L.MaxPooling1D(2), out=None),
    "AveragePooling1D": lambda: chain((8, 2), conv(), quantizer(), L.AveragePooling1D(4), out=None),
    "MaxPooling2D": lambda: chain(
        (4, 4, 2), QConv2D(2, 1, **K), quantizer(), L.MaxPooling2D(2), out=None
    ),
    "AveragePooling2D": lambda: chain(
        (4, 4, 2), QConv2D(2, 1, **K), quantizer(), L.AveragePooling2D(2), out=None
    ),
    "GlobalMaxPooling1D": lambda: chain(
        (6, 2), conv(), quantizer(), L.GlobalMaxPooling1D(), out=None
    ),
    "GlobalAveragePooling1D": lambda: chain(
        (8, 2), conv(), quantizer(), L.GlobalAveragePooling1D(), out=None
    ),
    **{
        name: (lambda name=name: pair(getattr(L, name)()))
        for name in ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate")
    },
}


@functools.cache
def good(name):
    """The model of that class, which no test changes, and its layer."""
    model = GOOD[name]()
    return model, next(layer for layer in model.layers if type(layer).__name__ == name)


def problems(model, layer, config):
    """What is refused when a layer says that it has this configuration."""
    layer.get_config = functools.partial(dict, config)
    try:
        return [found for found in lint(model) if found.rule == "argument"]
    finally:
        del layer.get_config


def test_every_class_on_the_list_has_a_model_here():
    names = {kind.__name__ for kind in _table(IoType.PARALLEL)}
    assert names == {*GOOD, "InputLayer"}
    assert set(_table(IoType.STREAM)) == set(_table(IoType.PARALLEL))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_on_the_list_passes(name):
    model, _ = good(name)
    assert not [found for found in lint(model) if found.outcome == "refused"]


def wrong_value(value):
    """Something that no argument with a rule may be."""
    return "other" if value is None or isinstance(value, str) else 1.75


@pytest.mark.parametrize("name", GOOD)
def test_every_other_value_of_an_argument_is_refused(name):
    model, layer = good(name)
    config = layer.get_config()
    for argument, rule in _table(IoType.PARALLEL)[type(layer)].items():
        if rule is not _ANY:
            changed = {**config, argument: wrong_value(config[argument])}
            (found,) = problems(model, layer, changed)
            assert f"{argument}=" in str(found)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(GOOD)),
    argument=st.from_regex(r"\A[a-z][a-z_]{0,20}\Z"),
    value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
)
def test_an_argument_that_is_not_on_the_list_is_refused(name, argument, value):
    model, layer = good(name)
    config = layer.get_config()
    if argument not in config:
        (found,) = problems(model, layer, {**config, argument: value})
        assert f"{argument}={value!r} is not allowed" in str(found)


def test_a_model_of_several_layers_agrees(tmp_path):
    """Two inputs and two outputs, in another order than their names."""
    a, b = keras.Input((6, 2), name="z"), keras.Input((6, 3), name="a")
    x = QActivation(quantized_relu(7, 3))(QConv1D(3, 2, padding="same", **K)(bits(a)))
    y = L.Maximum()([x, bits(conv()(bits(b)), 7, 2)])
    first = bits(QDense(2, name="y", **K)(L.Flatten()(y)), 14, 7)
    model = keras.Model([a, b], [first, L.MaxPooling1D(2, name="b")(x)])
    graph = convert_keras(model, QUICK, tmp_path)
    assert [v.name for v in graph.get_input_variables()] == ["z", "a"]
    assert not list(tmp_path.iterdir()), "the proof runs elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("config", [QUICK, STREAM], ids=lambda config: config.io_type.value)
@pytest.mark.parametrize("name", GOOD)
def test_what_is_on_the_list_agrees_with_keras(name, config, tmp_path):
    convert_keras(GOOD[name](), config, tmp_path)


# -- behind the list: the comparison, and hls4ml's own errors -------------------------------------


def test_another_number_than_keras_ends_the_conversion(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_front_end, "require_convertible", lambda *_: [])
    model = chain((5,), QDense(3, **K), L.ReLU(max_value=0.75))
    before = model.get_weights()
    with pytest.raises(ConversionError, match=r"first event \d+, index \(\d,\): Keras .*C sim"):
        convert_keras(model, QUICK, tmp_path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not list(tmp_path.iterdir())


def test_what_hls4ml_raises_names_the_layer(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_front_end, "require_convertible", lambda *_: [])
    for layer in (L.Cropping1D(1, name="cut"), L.TimeDistributed(QDense(2, **K), name="each")):
        with pytest.raises(ConversionError, match=f"hls4ml cannot convert layer '{layer.name}'"):
            convert_keras(chain((6, 2), layer), QUICK, tmp_path)


class Written:
    """A converted model whose C++ is this text; its own configuration too."""

    def __init__(self, body):
        self.body, self.settings = body, {"OutputDir": "kept"}
        self.config = SimpleNamespace(get_project_name=lambda: "top", config=self.settings)

    def write(self):
        folder = Path(self.settings["OutputDir"])
        (folder / "firmware").mkdir()
        (folder / "firmware" / "top.cpp").write_text("")
        (folder / "top_bridge.cpp").write_text(
            f'#include <cassert>\nextern "C" void top_double(double *x, double *y) {{ {self.body} }}'
        )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("assert(x[0] > 1e9);", "does not run"),
        ("y[0] = x[0] / 0.0;", "gives other numbers than Keras"),
        ("no C++ at all", "does not run"),
        ("y[0] = 2 * x[0];", None),
    ],
)
def test_a_crash_in_the_cpp_is_an_error_here(body, words):
    graph = Written(body)
    x = np.arange(1.0, 257.0)[:, None]
    expected = Expected([x], [2 * x], ["y"])
    if words is None:
        require_same_numbers(graph, expected, ())
    else:
        with pytest.raises(ConversionError, match=words):
            require_same_numbers(graph, expected, ())
    assert graph.settings["OutputDir"] == "kept"
