"""Networks on pairs of candidates: what a turn, an order and empty slots change, and what not."""

import functools
import math

import numpy as np
import pytest
from keras_models import MODELS, random_candidates
from met_head import predict_met

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.models.storage import load_model, save_model
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.tasks.met.task import MET
from l1met_fpga.training.mixture import packed_inputs

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight")
SMALL = {
    "model.units": 8, "model.encode": 1, "model.decode": 4,
    # rounds to even: the same for both signs of a momentum
    "model.momentum": {"output": "fixed<16,13,RND_CONV,SAT>"},
}  # fmt: skip
NETWORKS = {
    "radius": ("edgeconv", {"model.graph": "radius"}),
    "nearest": ("edgeconv", {"model.graph": "nearest", "model.neighbours": 3}),
    "attention": ("attention", {"model.objects": 10}),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def config(name: str, **changes: object) -> ModelConfig:
    recipe, settings = NETWORKS[name]
    return load_run(MODELS / f"{recipe}.yaml", SMALL | settings | changes).model


@functools.cache
def scrambled(name: str, *, packed: bool = False) -> keras.Model:
    """A network with random weights everywhere."""
    rng = np.random.default_rng(5)
    model = build(config(name), (MET,), variant="float", packed=packed)
    for _, layer in sorted(dense_layers(model).items()):
        kernel, bias = layer.get_weights()
        layer.set_weights([rng.normal(0, 0.35, kernel.shape), rng.normal(0.1, 0.3, bias.shape)])
    return model


@every_network
def test_order_and_empty_slots_do_not_matter(name):
    model, rng = scrambled(name), np.random.default_rng(3)
    candidates = random_candidates(rng, 40, n_slots=90)
    before = predict_met(model, candidates)
    shuffled = rng.permuted(np.tile(np.arange(128), (40, 1)), axis=1)
    moved = {
        k: np.take_along_axis(np.pad(v, ((0, 0), (0, 38))), shuffled, axis=1)
        for k, v in candidates.items()
    }
    assert np.abs(before).max() > 10
    np.testing.assert_allclose(predict_met(model, moved), before, rtol=1e-4, atol=1e-2)


@every_network
def test_a_turned_event_gives_the_turned_met(name):
    model, candidates = scrambled(name), random_candidates(np.random.default_rng(4), 40)
    before = predict_met(model, candidates)
    for quarter in (1, 2, 3):  # whose cosines are exact
        phi = candidates["phi"] + 360 * quarter
        there = np.where(candidates["pt"] > 0, (phi + 720) % 1440 - 720, 0).astype(np.int16)
        cos, sin = math.cos(quarter * math.pi / 2), math.sin(quarter * math.pi / 2)
        expected = before @ np.array([[cos, sin], [-sin, cos]])
        after = predict_met(model, {**candidates, "phi": there})
        np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-2)


@every_network
def test_packed_and_padded_candidates_give_the_same(name):
    candidates = random_candidates(np.random.default_rng(6), 30)
    packed = scrambled(name, packed=True)
    examples = Examples.from_padded(candidates, columns=COLUMNS, truth={}, ids=np.zeros((30, 3)))
    found = packed(packed_inputs(examples, np.arange(30)), training=False).numpy()
    expected = predict_met(scrambled(name), candidates)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-2)


@every_network
def test_gradients_are_finite_with_isolated_candidates_and_empty_events(name):
    model = scrambled(name, packed=True)
    columns = {
        "pt": [40, 30, 20, 400], "eta": [0, 10, 900, 0], "phi": [0, 10, 0, 5],
        "pid": [1, 2, 0, 3], "puppi_weight": [256] * 4,
    }  # fmt: skip
    inputs = {name: tf.constant(values, tf.float32) for name, values in columns.items()}
    with tf.GradientTape() as tape:  # a close pair and one apart; nothing; one alone
        met = model(inputs | {"row_splits": tf.constant([0, 3, 3, 4], tf.int64)}, training=True)
        loss = tf.reduce_sum(met**2)
    assert np.isfinite(met.numpy()).all()
    np.testing.assert_array_equal(met.numpy()[1], 0)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all()


@pytest.mark.parametrize("recipe", ["edgeconv", "attention"])
def test_training_starts_from_puppi_met_and_the_model_survives_its_file(recipe, tmp_path):
    candidates = random_candidates(np.random.default_rng(7), 20)
    candidates["pt"] = np.minimum(candidates["pt"], 200).astype(np.int16)
    model = build(load_run(MODELS / f"{recipe}.yaml").model, (MET,), variant="float")
    found = predict_met(model, candidates)
    np.testing.assert_allclose(found, puppi_met_xy_gev(candidates), atol=128 * 2.0**-4)
    save_model(model, tmp_path / "model.keras")
    again = predict_met(load_model(tmp_path / "model.keras"), candidates)
    np.testing.assert_array_equal(again, found)


def test_bounded_weights_never_exceed_one():
    one = {name: np.full((1, 128), 0, np.int16) for name in COLUMNS}
    one["pt"][0, 0] = 400
    model = build(config("radius", **{"model.bounded": True}), (MET,), variant="float")
    layer = dense_layers(model)["weights_dense"]
    layer.set_weights([layer.get_weights()[0], np.array([50.0])])
    assert np.hypot(*predict_met(model, one)[0]) == pytest.approx(100)


def test_attention_heads_share_the_units():
    with pytest.raises(ConfigError, match="units must be a multiple of attention_heads, got 8 and"):
        config("attention", **{"model.attention_heads": 3})


@every_network
def test_there_is_no_quantized_form(name):
    with pytest.raises(
        ConfigError, match=rf"({NETWORKS[name][0]}) is a float network \(\1\) without"
    ):
        build(config(name), (MET,), variant="quantized")
