"""What every registered network must do whatever its weights are."""

import numpy as np
import pytest
from keras_models import NAMES, model_config, random_candidates, scrambled
from met_head import met_codes, predict_met

from l1met_fpga.config.model import MomentumConfig
from l1met_fpga.models.build import build, copy_weights
from l1met_fpga.models.export import export_network
from l1met_fpga.models.heads import MET
from l1met_fpga.models.keras import keras
from l1met_fpga.models.registry import ARCHITECTURES
from l1met_fpga.puppi.columns import N_CANDIDATES

every_model = pytest.mark.parametrize("name", NAMES)
every_variant = pytest.mark.parametrize("variant", ["float", "quantized"])


def close(variant):
    """Quantized networks are compared bit by bit, float ones up to float32."""
    return {"rtol": 0, "atol": 0} if variant == "quantized" else {"rtol": 1e-5, "atol": 1e-3}


def test_every_architecture_has_a_model_file():
    assert {model_config(name).architecture for name in NAMES} == set(ARCHITECTURES)


@every_variant
@every_model
def test_order_of_candidates_and_empty_slots_do_not_matter(name, variant):
    model, rng = scrambled(name, variant), np.random.default_rng(3)
    candidates = random_candidates(rng, 60, n_slots=90)
    before = predict_met(model, candidates)
    shuffled = rng.permuted(np.tile(np.arange(N_CANDIDATES), (60, 1)), axis=1)
    moved = {
        k: np.take_along_axis(np.pad(v, ((0, 0), (0, 38))), shuffled, axis=1)
        for k, v in candidates.items()
    }
    assert np.abs(before).max() > 10
    np.testing.assert_allclose(predict_met(model, moved), before, **close(variant))


@every_variant
@every_model
def test_event_without_candidates_has_no_met(name, variant):
    candidates = random_candidates(np.random.default_rng(4), 3, filled=0)
    met = predict_met(scrambled(name, variant), candidates)
    np.testing.assert_array_equal(met, np.zeros((3, 2)))


@every_model
def test_full_events_at_maximum_pt_do_not_overflow(name):
    model, rng = scrambled(name, "quantized"), np.random.default_rng(5)
    candidates = random_candidates(rng, 20, filled=N_CANDIDATES)
    candidates["pt"][:] = 16383
    candidates["phi"][:10] = candidates["phi"][:10, :1]  # all in one direction
    network = export_network(model, (MET,))
    codes = network.type_of("met").exactly(predict_met(model, candidates))
    np.testing.assert_array_equal(codes, met_codes(network, candidates))
    assert np.isfinite(predict_met(scrambled(name, "float"), candidates)).all()


def turned(candidates, counts):
    filled = candidates["pt"] > 0
    phi = (candidates["phi"].astype(int) + counts + 720) % 1440 - 720
    return candidates | {"phi": np.where(filled, phi, 0).astype(np.int16)}


@every_variant
@every_model
def test_met_turns_with_the_event_up_to_the_table(name, variant):
    """With a finer table and finer momenta the deviation vanishes; nothing else sees phi."""
    config = model_config(name).model_copy(
        update={"momentum": MomentumConfig(table="fixed<22,2>", output="fixed<24,13>")}
    )
    model = build(config, (MET,), variant=variant)
    copy_weights(scrambled(name, variant), model)
    candidates = random_candidates(np.random.default_rng(6), 50, filled=40)
    before = predict_met(model, candidates)
    for counts in (1, 77, 360, 720, 1000):
        angle = 2 * np.pi * counts / 1440
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        after = predict_met(model, turned(candidates, counts))
        np.testing.assert_allclose(after, before @ turn, atol=0.12)
        # in the default types: pt 2^-12 from the table and 2^-4 GeV from the momentum, each
        default = predict_met(scrambled(name, variant), turned(candidates, counts))
        assert np.abs(default - before @ turn).mean() < 3.0


@every_variant
@every_model
def test_no_inner_tensor_sees_phi(name, variant):
    model = scrambled(name, variant)
    # the last layer before a vector appears: pool weights, coefficients
    wanted = [n for n in ("weights", "pool_weights", "coefficients") if _has(model, n)]
    inner = keras.Model(model.inputs, [model.get_layer(n).output for n in wanted])
    candidates = random_candidates(np.random.default_rng(7), 20)
    as_float = [
        {k: v.astype(np.float32) for k, v in events.items()}
        for events in (candidates, turned(candidates, 123))
    ]
    for one, other in zip(*(_list(inner(events)) for events in as_float), strict=True):
        np.testing.assert_array_equal(one, other)


def _has(model, name):
    return name in {layer.name for layer in model.layers}


def _list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]
