"""Keras models of others as integers: equal in every weight and result, or refused by name."""

import foreign_models
import numpy as np
import pytest
from met_head import met_codes

from l1met_fpga.errors import BitExactnessError, ConversionError
from l1met_fpga.firmware.import_proof import expected_events, source_codes
from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.importing.exact import exact_codes
from l1met_fpga.models.importing.importer import import_model
from l1met_fpga.models.importing.inputs import columns_of, input_arrays
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.tasks.met.task import MET

# QKeras reads quantizers that are given as text with a name that pyparsing has given up.
pytestmark = pytest.mark.filterwarnings("ignore:'[A-Za-z]+' deprecated - use:DeprecationWarning")

SLOTS = 8
layers = keras.layers


def model_of(weights_of, *, total=None, slots=SLOTS, frac_bits=5):
    """A model around a function of the candidates' inputs that gives one weight each."""
    x = keras.Input((slots, 3), name="cands")
    momentum = keras.Input((slots, 2), name="momentum")
    pooled = layers.Multiply(name="weighted")([weights_of(x), momentum])
    total = total or (lambda value: tf.reduce_sum(value, axis=1))
    return foreign_models.scrambled(keras.Model([x, momentum], total(pooled)), 1, frac_bits)


INPUTS = {"cands": "pt/256,eta/1024,puppi_weight/256"}
RELU_4 = "quantized_relu(6,2)"


def imported(model, **values):
    arguments = {"name": "theirs", "inputs": INPUTS} | values
    return import_model(model, MET, **arguments)


def quantized(x, name="q"):
    from qkeras import QActivation

    return QActivation("quantized_bits(8,2,alpha=1)", name=name)(x)


def dense(units, **values):
    return layers.Dense(units, **values)


FAMILIES = {
    "one dense layer": lambda x: dense(1, name="w")(x),
    "no bias": lambda x: dense(1, use_bias=False, name="w")(quantized(x)),
    "relu by name": lambda x: dense(1)(quantized(dense(5, activation="relu")(x))),
    "relu layer": lambda x: dense(1)(quantized(layers.ReLU()(dense(5)(x)))),
    "relu with everything": lambda x: dense(1)(
        layers.ReLU(max_value=1.5, negative_slope=0.25, threshold=0.5)(quantized(dense(5)(x)))
    ),
    "relu of any slope": lambda x: dense(1)(
        quantized(layers.ReLU(negative_slope=0.3)(quantized(dense(5)(x), "a")))
    ),
    "tanh": lambda x: dense(1)(
        quantized(layers.Activation("tanh")(quantized(dense(5)(x), "a")))
    ),
    "sigmoid weights": lambda x: quantized(
        layers.Activation("sigmoid")(quantized(dense(1)(x), "a"))
    ),
    "convolution": lambda x: layers.Conv1D(1, 1)(quantized(layers.Conv1D(6, 1)(x))),
    "gated": lambda x: dense(1)(
        quantized(layers.Multiply()([quantized(dense(4)(x), "a"), quantized(dense(1)(x), "b")]))
    ),
    "dropout and reshape": lambda x: layers.Reshape((SLOTS, 1))(layers.Dropout(0.5)(dense(1)(x))),
    "concatenated": lambda x: dense(1)(
        quantized(layers.Concatenate()([dense(2)(x), layers.ReLU()(dense(3)(quantized(x, "a")))]))
    ),
    "concatenated with an input": lambda x: dense(1)(
        layers.Concatenate()([x, quantized(dense(3)(x))])
    ),
    "added": lambda x: dense(1)(
        quantized(layers.Add()([quantized(dense(4)(x), "a"), dense(4)(x), dense(4)(x)]), "b")
    ),
    "a way around": lambda x: dense(1)(quantized(x + dense(3)(quantized(dense(5)(x), "a")), "b")),
    "weights are inputs": lambda x: dense(1, kernel_initializer="ones")(x),
}  # fmt: skip


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_weight_and_result_is_that_of_keras(family):
    model = model_of(FAMILIES[family])
    found = imported(model)
    candidates, codes = expected_events(found, 400)
    assert np.array_equal(codes["met"], met_codes(found.network, candidates))
    assert np.unique(codes["met"]).size > 20, "the model says something"


@pytest.mark.parametrize("slots", [100, pytest.param(128, marks=pytest.mark.slow)])
def test_l1metml_of_100_and_128_candidates(slots):
    model = foreign_models.l1metml(slots)
    found = import_model(model, MET, name="l1metml", inputs=foreign_models.L1METML_INPUTS)
    assert found.network.n_candidates == slots
    candidates, codes = expected_events(found, 300)
    assert np.array_equal(codes["met"], met_codes(found.network, candidates))


def test_the_whole_model_agrees_where_float32_adds_exactly():
    """An end-to-end comparison that uses nothing of the proof: few candidates of little pt."""
    for mean in (False, True):
        model = foreign_models.l1metml(16, mean=mean)
        found = import_model(model, MET, name="l1metml", inputs=foreign_models.L1METML_INPUTS)
        rng = np.random.default_rng(1)
        filled = np.arange(16) < 3
        candidates = {
            "pt": rng.integers(1, 400, (200, 16)) * filled,
            "eta": rng.integers(-1000, 1000, (200, 16)) * filled,
            "phi": rng.integers(-720, 721, (200, 16)) * filled,
            "pid": rng.integers(0, 8, (200, 16)) * filled,
            "puppi_weight": rng.integers(0, 257, (200, 16)) * filled,
        }
        candidates = {name: codes.astype(np.int16) for name, codes in candidates.items()}
        momentum = found.network.node("candidate_momentum")
        p = momentum.type.decode(evaluate_nodes(found.network, candidates)[momentum.name])
        given = {
            "cont": columns_of(found.held["cont"], candidates),
            "pxpy": p.astype(np.float32),
            "pid": candidates["pid"].astype(np.float32),
        }
        keras_met = np.asarray(model(given), np.float64)
        kind = found.network.type_of("met")
        assert np.array_equal(-keras_met, kind.decode(met_codes(found.network, candidates)))


SETS = {
    "as they are": {},
    "masked by what is filled": {"bias": True},
    "pools brought into a type": {"pool_type": "quantized_bits(18,13,alpha=1)"},
    "a result brought into a type": {"result_type": "quantized_bits(18,13,alpha=1)"},
}


@pytest.mark.parametrize("case", list(SETS))
def test_several_vector_pools_with_coefficients_of_scalar_pools(case):
    model = foreign_models.deepset(SLOTS, **SETS[case])
    found = import_model(model, MET, name="theirs", inputs=foreign_models.DEEPSET_INPUTS)
    candidates, codes = expected_events(found, 300)
    assert set(found.compared) == {"weights", "coefficients"}
    assert np.unique(codes["met"]).size > 100, "the model says something"
    keras_met = keras_of(model, found, candidates)
    met = found.network.type_of("met").decode(codes["met"])
    assert np.abs(met + keras_met).max() < 0.3 + 1e-5 * np.abs(met).max(), "float32 sums are near"


def keras_of(model, found, candidates):
    """What the whole Keras model gives, float32 sums included."""
    momentum = next(node for node in found.network if node.op == "momentum")
    p = momentum.type.decode(evaluate_nodes(found.network, candidates)[momentum.name])
    return np.asarray(model(input_arrays(found.held, candidates, p)), np.float64)


def test_a_sum_in_which_empty_slots_count_is_refused():
    model = foreign_models.deepset(SLOTS, bias=True, masked=False)
    found = import_model(model, MET, name="theirs", inputs=foreign_models.DEEPSET_INPUTS)
    says = r"sums 'scalars' over all slots, and its value in an empty one is .*--input NAME=filled"
    with pytest.raises(ConversionError, match=says):
        expected_events(found, 10)


@pytest.mark.slow
def test_l1metml_of_100_candidates_on_100_000_events():
    model = foreign_models.l1metml(100)
    found = import_model(model, MET, name="l1metml", inputs=foreign_models.L1METML_INPUTS)
    for seed in range(10):
        candidates, codes = expected_events(found, 10_000, seed=seed)
        assert len(codes["met"]) == 10_000
        assert np.array_equal(codes["met"], met_codes(found.network, candidates))


def test_a_normalization_of_binary_numbers_is_folded():
    model = model_of(
        lambda x: dense(1)(
            quantized(layers.BatchNormalization(epsilon=0.25)(quantized(dense(4)(x), "a")))
        )
    )
    norm = next(l for l in model.layers if type(l).__name__ == "BatchNormalization")
    gamma, beta = [1.0, 0.5, -2.0, 0.75], [0.0, 0.25, -1.0, 0.5]
    mean, variance = [0.5, 0.0, -1.0, 0.25], [0.75, 3.75, 0.0, 15.75]
    norm.set_weights([np.array(v, np.float32) for v in (gamma, beta, mean, variance)])
    found = imported(model)
    expected_events(found, 300)


def test_a_result_type_rounds_the_exact_sum():
    model = model_of(FAMILIES["one dense layer"])
    kind = FixedType(True, 12, 5, Rounding.RND, Overflow.SAT)
    found = imported(model, result_type=kind)
    assert found.network.type_of("met") == kind
    expected_events(found, 300)


def test_a_wrong_integer_would_be_found():
    model = model_of(FAMILIES["one dense layer"])
    found = imported(model)
    candidates, _ = expected_events(found, 100)
    layer = model.get_layer("w")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + 2.0**-5])
    with pytest.raises(BitExactnessError, match=r"layer 'w': \d+ of 800 numbers differ .* event 0"):
        source_codes(found, candidates)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (
            {},
            r"input 'cands': 'cands' is no column of candidates in counts; write momentum, filled or one",
        ),
        ({"cands": "pt,eta"}, r"input 'cands' has shape \(8, 3\), but 'pt,eta' names 2 columns"),
        ({"cands": "pt/3,eta,phi"}, r"'pt/3' is no column .* divided by a power of two"),
        ({"cands": "momentum"}, r"has shape \(8, 3\); px, py of candidates have \(slots, 2\)"),
    ],
)
def test_inputs_must_say_what_they_hold(inputs, says):
    with pytest.raises(ConversionError, match=says):
        imported(model_of(FAMILIES["one dense layer"]), inputs=inputs)


def test_an_embedding_needs_a_row_for_every_code():
    model = foreign_models.l1metml(8)
    code, pxpy = keras.Input((8,), name="pid"), keras.Input((8, 2), name="momentum")
    w = layers.Dense(1)(layers.Embedding(6, 2, name="e")(code))
    total = tf.reduce_sum(layers.Multiply()([w, pxpy]), axis=1)
    model = foreign_models.scrambled(keras.Model([code, pxpy], total))
    with pytest.raises(ConversionError, match=r"layer 'e' \(Embedding\) has 6 rows, but pid has"):
        imported(model, inputs={})


def test_a_name_or_size_that_no_network_has_is_refused():
    with pytest.raises(ConversionError, match=r"makes no network: name: .* got 'their model'"):
        imported(model_of(FAMILIES["one dense layer"]), name="their model")
    with pytest.raises(ConversionError, match=r"makes no network: n_candidates: .* 128, got '200'"):
        imported(model_of(FAMILIES["one dense layer"], slots=200))


def test_models_that_cannot_be_looked_at_are_refused():
    class Mine(keras.Model):
        def call(self, x):
            return x

    mine = Mine()
    mine(np.zeros((1, 8, 2), np.float32))
    with pytest.raises(ConversionError, match=r"use Keras's functional interface"):
        imported(mine)


@pytest.mark.parametrize(
    ("values", "frac_bits", "codes"),
    [
        ([0.5, -0.25, 3], 2, [2, -1, 12]),
        ([0, 0], 0, [0, 0]),
        ([1024.0, -4096], -10, [1, -4]),
        ([2.0**-30, 3 * 2.0**-30], 30, [1, 3]),
    ],
)
def test_constants_get_the_narrowest_type(values, frac_bits, codes):
    found, kind = exact_codes(values, "x")
    assert kind.frac_bits == frac_bits
    assert found.tolist() == codes
    assert np.array_equal(kind.decode(found), np.asarray(values, float))


@pytest.mark.parametrize("values", [[1.0, 2.0**-20], [np.pi], [np.nan], [np.inf], [1e300]])
def test_constants_of_many_bits_are_refused(values):
    with pytest.raises(ConversionError, match=r"x (needs more than 18 bits|holds (nan|inf))"):
        exact_codes(values, "x")
