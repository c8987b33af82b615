"""What every registered network must do whatever its weights are."""

import numpy as np
import pytest
from keras_models import MODELS, NAMES, model_config, random_candidates, scrambled
from met_head import met_codes, predict_met

from l1met_fpga.config.model import MomentumConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.fixed_point import Rounding
from l1met_fpga.models.build import build, copy_weights
from l1met_fpga.models.export import export_network
from l1met_fpga.models.keras import keras
from l1met_fpga.models.registry import ARCHITECTURES
from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.tasks.met.task import MET

every_model = pytest.mark.parametrize("name", NAMES)
every_variant = pytest.mark.parametrize("variant", ["float", "quantized"])


def close(variant):
    """Quantized networks are compared bit by bit, float ones up to float32."""
    return {"rtol": 0, "atol": 0} if variant == "quantized" else {"rtol": 1e-5, "atol": 1e-3}


def test_every_architecture_has_a_model_file():
    files = {path.stem: load_run(path).model.architecture for path in MODELS.glob("*.yaml")}
    assert set(files.values()) == set(ARCHITECTURES)


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


DEFAULT = MomentumConfig(table="fixed<13,2>", output="fixed<16,13>")
FINE = MomentumConfig(table="fixed<22,2>", output="fixed<24,13>")


def with_momentum(momentum, name):
    return model_config(name).model_copy(update={"momentum": momentum})


def scrambled_with(momentum, name, variant):
    model = build(with_momentum(momentum, name), (MET,), variant=variant)
    copy_weights(scrambled(name, variant), model)
    return model


def turned(candidates, counts):
    filled = candidates["pt"] > 0
    phi = (candidates["phi"].astype(int) + counts + 720) % 1440 - 720
    return candidates | {"phi": np.where(filled, phi, 0).astype(np.int16)}


def inner_tensors(model, candidates):
    """What multiplies momenta and vectors: weights per candidate, then coefficients if any."""
    names = {layer.name for layer in model.layers}
    weights = "pool_weights" if "pool_weights" in names else "weights"
    wanted = [weights, *({"coefficients"} & names)]
    inner = keras.Model(model.inputs, [model.get_layer(name).output for name in wanted])
    found = inner({name: codes.astype(np.float32) for name, codes in candidates.items()})
    return [np.asarray(one, np.float64) for one in (found if len(wanted) > 1 else [found])]


def rounding_errors(model, config, candidates, variant):
    """Largest and expected error of a component of MET that the types alone allow, per event.

    MET = -sum_i m_i p_i with m_i = sum_k c_k w_ik, and no m_i sees phi. A component of p_i is off
    by at most half an LSB of the table times pt and half an LSB of its own type, a vector (times
    c_k) and MET itself by half of theirs; each error is evenly spread, its variance LSB**2 / 12.
    """
    weights, *rest = inner_tensors(model, candidates)
    coefficients = rest[0] if rest else np.ones((len(weights), 1))
    m, pt_gev = np.einsum("nik,nk->ni", weights, coefficients), candidates["pt"] / 4
    steps = [
        m * pt_gev * lsb(config.momentum.table),
        m * (pt_gev > 0) * lsb(config.momentum.output),
    ]
    if variant == "quantized":
        steps += [coefficients * lsb(config.vectors)] if rest else []
        steps += [np.full((1, 1), lsb(config.met_xy))]
    variance = sum((step**2).sum(axis=1) for step in steps) / 12
    return sum(np.abs(step).sum(axis=1) for step in steps) / 2, np.sqrt(variance)


def lsb(kind):
    assert kind.rounding in {Rounding.RND, Rounding.RND_CONV}  # else off by up to a whole LSB
    return 2.0**-kind.frac_bits


@every_variant
@every_model
@pytest.mark.parametrize("momentum", [DEFAULT, FINE], ids=["default", "fine"])
def test_met_turns_with_the_event_up_to_rounding(name, variant, momentum):
    """What was rounded before the turn and after it is all that differs; nothing sees phi."""
    config = with_momentum(momentum, name)
    model = scrambled_with(momentum, name, variant)
    candidates = random_candidates(np.random.default_rng(6), 50, filled=40)
    before = predict_met(model, candidates)
    largest, expected = rounding_errors(model, config, candidates, variant)
    of_float32 = 0 if variant == "quantized" else 1e-3
    pulls = []
    for counts in (1, 77, 500, 1000):
        angle = 2 * np.pi * counts / 1440
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        off = predict_met(model, turned(candidates, counts)) - before @ turn
        allowed = largest * (1 + np.abs(turn[0]).sum()) + of_float32
        assert (np.abs(off) <= allowed[:, None]).all()
        pulls.append(off / (np.sqrt(2) * expected[:, None]))
    assert 0.8 < np.sqrt(np.mean(np.square(pulls))) < 1.2


@every_model
def test_a_quarter_turn_is_exact_where_nothing_is_rounded(name):
    """The table is symmetric; rounding, with its ties upwards, is not."""
    momentum = MomentumConfig(table="fixed<11,2>", output="fixed<24,13>")
    model = scrambled_with(momentum, name, "float")
    candidates = random_candidates(np.random.default_rng(8), 50, filled=40)
    x, y = predict_met(model, candidates).T
    for counts, want in ((360, (-y, x)), (720, (-x, -y)), (1080, (y, -x))):
        found = predict_met(model, turned(candidates, counts))
        np.testing.assert_allclose(found, np.stack(want, axis=1), rtol=1e-6, atol=1e-5)


@every_variant
@every_model
def test_no_inner_tensor_sees_phi(name, variant):
    model = scrambled(name, variant)
    candidates = random_candidates(np.random.default_rng(7), 20)
    after = inner_tensors(model, turned(candidates, 123))
    for one, other in zip(inner_tensors(model, candidates), after, strict=True):
        np.testing.assert_array_equal(one, other)
