"""Every silent failure of hls4ml: it gives wrong numbers, and we refuse or correct it."""

from pathlib import Path

import numpy as np
import pytest
from qkeras import QActivation, QConv1D, QDense, quantized_bits, quantized_relu, quantized_tanh
from require import require_module

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls.keras_front_end import convert_keras, tf_keras_for_hls4ml
from l1met_fpga.firmware.hls.lint import Outcome, lint, require_convertible
from l1met_fpga.models.keras import keras

WEIGHTS = {
    "kernel_quantizer": quantized_bits(6, 0, alpha=1),
    "bias_quantizer": quantized_bits(6, 0, alpha=1),
}
CLIPS = "ignore:Overriding attribute:UserWarning"
N_EVENTS = 300
QUICK = HlsConfig(compiler_flags=("-O0",))


def bits(x, width=8, integer=2, name=None):
    return QActivation(quantized_bits(width, integer, alpha=1), name=name)(x)


def relu(x, width=6, integer=2, name=None):
    return QActivation(quantized_relu(width, integer), name=name)(x)


def functional(inputs, outputs):
    """Random weights beyond the quantizer's range, so that a dropped quantizer shows."""
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


def dense_on_candidates():
    x = keras.Input((8, 4))
    y = QDense(8, name="phi", **WEIGHTS)(bits(x))
    return functional(x, relu(y))


def average():
    x = keras.Input((8, 4))
    return functional(x, keras.layers.GlobalAveragePooling1D(name="mean")(bits(x)))


def broadcast():
    x, mask = keras.Input((8, 4)), keras.Input((8, 1))
    y = keras.layers.Multiply(name="masked")([bits(x), bits(mask)])
    return functional([x, mask], bits(y, 16, 5))


def two_quantizers():
    x = keras.Input((8,))
    y = relu(QDense(4, **WEIGHTS)(bits(x, 10, 3)), 5, 2, name="first")
    return functional(x, bits(y, 18, 8, name="second"))


def raw_input():
    x = keras.Input((8,))
    return functional(x, relu(QDense(4, name="hidden", **WEIGHTS)(x)))


def scaled_weights(alpha):
    x = keras.Input((8,))
    quantizers = {**WEIGHTS, "kernel_quantizer": quantized_bits(4, 0, alpha=alpha)}
    return functional(x, bits(QDense(4, name="hidden", **quantizers)(bits(x)), 12, 5))


def fixed_scale():
    return scaled_weights(0.3)


def fitted_scale():
    return scaled_weights("auto")


def symmetric_activation():
    x = keras.Input((8,))
    y = QDense(4, **WEIGHTS)(bits(x))
    return functional(x, QActivation(quantized_bits(4, 0, alpha=1, symmetric=1), name="clipped")(y))


def unsigned_bits():
    x = keras.Input((8,))
    y = QDense(4, **WEIGHTS)(bits(x))
    quantizer = quantized_bits(6, 1, alpha=1, keep_negative=False)
    return functional(x, QActivation(quantizer, name="clipped")(y))


def tanh_table():
    x = keras.Input((8,))
    y = QDense(4, **WEIGHTS)(bits(x))
    return functional(x, QActivation(quantized_tanh(8), name="table")(y))


def recipe():
    x = keras.Input((8, 4))
    y = relu(QConv1D(8, 1, name="phi", **WEIGHTS)(bits(x)))
    return functional(x, relu(QConv1D(4, 1, name="out", **WEIGHTS)(y)))


# model, rule, layer, outcome, options with which hls4ml goes wrong
SILENT = [
    (dense_on_candidates, "dense-on-candidates", "phi", Outcome.CORRECTED, {"bit_exact": True}),
    (average, "average", "mean", Outcome.CORRECTED, {}),
    (broadcast, "broadcast", "masked", Outcome.REFUSED, {"bit_exact": True}),
    (two_quantizers, "two-quantizers", "second", Outcome.REFUSED, {"bit_exact": True}),
    (raw_input, "unquantized-input", None, Outcome.REFUSED, {}),
    (symmetric_activation, "activation-quantizer", "clipped", Outcome.REFUSED, {"bit_exact": True}),
    (unsigned_bits, "activation-quantizer", "clipped", Outcome.REFUSED, {"bit_exact": True}),
    (tanh_table, "activation-quantizer", "table", Outcome.REFUSED, {}),
    (fixed_scale, "weight-quantizer", "hidden", Outcome.REFUSED, {}),
    (fitted_scale, "weight-quantizer", "hidden", Outcome.REFUSED, {}),
]
IDS = [case[0].__name__ for case in SILENT]


def events(model):
    rng = np.random.default_rng(2)
    x = [rng.normal(0, 2.5, (N_EVENTS, *t.shape[1:])).astype(np.float32) for t in model.inputs]
    return x[0] if len(x) == 1 else x


def differing(model, graph):
    """Number of outputs that differ between Keras and the compiled project."""
    expected = np.asarray(model(events(model)))
    compile_fast(graph)
    return int((graph.predict(events(model)).reshape(expected.shape) != expected).sum())


def compile_fast(graph):
    """Compile as hls4ml does, without the optimization that takes most of the time."""
    write = graph.write

    def write_without_optimization():
        write()
        script = Path(graph.config.get_output_dir()) / "build_lib.sh"
        script.write_text(script.read_text().replace("-O3", "-O0"))

    graph.write = write_without_optimization
    graph.compile()


def unguarded(model, folder, *, granularity="name", **options):
    """What a user gets who calls hls4ml directly."""
    import hls4ml

    with tf_keras_for_hls4ml():
        config = hls4ml.utils.config_from_keras_model(
            model, granularity=granularity, backend="Vitis"
        )
        return hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=str(folder), backend="Vitis", **options
        )


@pytest.mark.parametrize(("make", "rule", "layer", "outcome", "_options"), SILENT, ids=IDS)
def test_linter_finds_it(make, rule, layer, outcome, _options):
    found = [f for f in lint(make()) if f.rule == rule]
    assert found
    assert found[0].outcome is outcome
    if layer is not None:
        assert found[0].layer == layer


@pytest.mark.parametrize(
    "make",
    [case[0] for case in SILENT if case[3] is Outcome.REFUSED],
    ids=lambda make: make.__name__,
)
def test_conversion_refuses_it(make, tmp_path):
    with pytest.raises(ConversionError, match="into other numbers: layer"):
        convert_keras(make(), HlsConfig(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_automatic_scale_of_weights_is_refused(tmp_path):
    """QKeras' default, powers of two."""
    found = {(f.rule, f.layer) for f in lint(scaled_weights(None))}
    assert ("weight-quantizer", "hidden") in found
    with pytest.raises(ConversionError, match="it scales the values"):
        convert_keras(scaled_weights(None), HlsConfig(), tmp_path)


def test_recipe_has_no_finding():
    assert lint(recipe()) == []
    assert require_convertible(recipe()) == []


@pytest.mark.parametrize(
    ("build", "rule"),
    [
        (lambda x: keras.layers.BatchNormalization(name="it")(x), "layer-class"),
        (lambda x: keras.layers.Activation("sigmoid", name="it")(x), "argument"),
        (lambda x: keras.layers.Softmax(name="it")(x), "layer-class"),
        (lambda x: QDense(4, activation="relu", name="it", **WEIGHTS)(x), "argument"),
        (lambda x: keras.layers.Dense(4, name="it")(x), "layer-class"),
        (lambda x: QConv1D(600, 1, name="it", **WEIGHTS)(x), "too-large"),
    ],
)
def test_other_rules(build, rule):
    x = keras.Input((8, 4))
    model = keras.Model(x, build(bits(x)))
    assert (rule, "it") in {(f.rule, f.layer) for f in lint(model)}


@pytest.mark.filterwarnings(CLIPS)
@pytest.mark.slow
def test_dense_on_candidates_is_wrong_and_then_exact(tmp_path):
    model = dense_on_candidates()
    assert differing(model, unguarded(model, tmp_path / "raw", bit_exact=True)) > 0
    guarded = convert_keras(model, QUICK, tmp_path / "guarded")
    assert differing(model, guarded) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings(CLIPS)
@pytest.mark.parametrize(("make", "_rule", "_layer", "outcome", "options"), SILENT, ids=IDS)
def test_hls4ml_alone_gives_wrong_numbers(make, _rule, _layer, outcome, options, tmp_path):
    model = make()
    assert differing(model, unguarded(model, tmp_path / "raw", **options)) > 0
    if outcome is Outcome.CORRECTED:
        guarded = convert_keras(model, QUICK, tmp_path / "guarded")
        assert differing(model, guarded) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings(CLIPS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files left open
def test_hls4ml_cannot_write_an_automatic_scale(tmp_path):
    """Its writer of powers of two calls what NumPy 2 has not; so there are no wrong numbers."""
    graph = unguarded(scaled_weights(None), tmp_path, bit_exact=True)
    with pytest.raises(AttributeError, match="no attribute 'product'"):
        graph.write()


@pytest.mark.slow
@pytest.mark.filterwarnings(CLIPS)
def test_configuration_by_model_forgets_quantizers(tmp_path):
    model = recipe()
    raw = unguarded(model, tmp_path / "raw", granularity="model", bit_exact=True)
    assert differing(model, raw) > 0
    assert differing(model, convert_keras(model, QUICK, tmp_path / "guarded")) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings(CLIPS)
def test_garnet_of_hls4ml_is_not_exact(tmp_path):
    """12 vertices: its shifts take the number for a power of two."""
    require_module("hls4ml.contrib.garnet", extra="test")
    from hls4ml.contrib.garnet import GarNet

    x, count = keras.Input((12, 3), name="x"), keras.Input((1,), dtype="int32", name="n")
    y = GarNet(
        2, 3, 4, simplified=True, collapse="mean", input_format="xn",
        output_activation=None, name="gar",
    )([x, count])  # fmt: skip
    model = keras.Model([x, count], y)
    rules = {(f.rule, f.layer) for f in lint(model)}
    assert ("layer-class", "gar") in rules
    with pytest.raises(ConversionError, match="use the architecture `garnet`"):
        convert_keras(model, QUICK, tmp_path / "guarded")
    rng = np.random.default_rng(3)
    values = rng.uniform(-1, 1, (200, 12, 3)).astype(np.float32)
    counts = np.full((200, 1), 12, np.float32)
    expected = model.predict([values, counts], verbose=0)
    graph = unguarded(model, tmp_path / "raw")
    graph.compile()
    assert np.abs(graph.predict([values, counts]).reshape(expected.shape) - expected).max() > 0.05
