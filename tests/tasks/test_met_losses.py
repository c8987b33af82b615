"""Every loss against numbers worked out by hand."""

import numpy as np
import pytest

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.ht import TASK as HT
from l1met_fpga.tasks.met.losses import LOSSES
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.losses import HeadLoss, head_losses

Q = [[30.0, 40.0], [0.0, 0.0]]
U = [[33.0, 36.0], [-50.0, 10.0]]  # d = (3, -4) and (-50, 10)
RELATIVE = [0.5 * (3 / 30 + 4 / 40), 0.5 * (50 + 10)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "mse"}, [0.5 * (9 + 16), 0.5 * (2500 + 100)]),
        ({"kind": "mae"}, [3.5, 30.0]),
        # delta 30: 50 is in the linear part, 30 (50 - 15) = 1050; 10^2 / 2 = 50
        ({"kind": "huber", "delta_gev": 30}, [0.5 * (4.5 + 8), 0.5 * (1050 + 50)]),
        # |q| = 50, |u| = sqrt(33^2 + 36^2) = 48.8365; r = 1.1635; second: r = -50.9902
        (
            {"kind": "quantile", "quantile": 0.8},
            [0.8 * (50 - 48.836462) + 1.75, 0.2 * 50.990195 + 15],
        ),
        ({"kind": "relative"}, RELATIVE),
        ({"kind": "relative_gen"}, [25 / 2500, 2600.0]),
        # response: u.q = 990 + 1440 = 2430; (2430 - 2500) / (2500 + 400) = -0.0241379
        (
            {"kind": "mae", "response_weight": 100, "response_scale_gev": 20},
            [3.5 + 100 * 0.0241379**2, 30.0],
        ),
    ],
)
def test_loss_equals_the_hand_computed_value(options, expected):
    loss = head_losses(MET, LossConfig(**options))["met"]
    per_event = loss.call(tf.constant(Q), tf.constant(U, tf.float64)).numpy()
    np.testing.assert_allclose(per_event, expected, rtol=1e-5)
    np.testing.assert_allclose(loss(tf.constant(Q), tf.constant(U)), np.mean(expected), rtol=1e-5)


@pytest.mark.parametrize("kind", sorted(LOSSES))
def test_gradient_is_finite_at_zero_met_and_independent_of_batch_size(kind):
    loss = HeadLoss(LOSSES[kind], LossConfig(kind=kind, response_weight=1.0), "met")
    gradients = []
    for copies in (1, 5):
        u = tf.Variable(tf.zeros((2 * copies, 2)))
        with tf.GradientTape() as tape:
            value = loss(tf.constant(Q * copies), u)
        assert np.isfinite(value.numpy())
        gradients.append(copies * tape.gradient(value, u).numpy()[:2])
    assert np.isfinite(gradients[0]).all()
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-5)


@pytest.mark.parametrize("kind", sorted(LOSSES))
def test_perfect_estimate_is_the_minimum(kind):
    loss = HeadLoss(LOSSES[kind], LossConfig(kind=kind, response_weight=1.0, quantile=0.5), "met")
    assert float(loss(tf.constant(Q), tf.constant(Q))) == pytest.approx(0, abs=1e-5)
    assert float(loss(tf.constant(Q), tf.constant(U))) > 0.01


RATE = {"weight": 3.0, "width_gev": 8.0, "background_below_gev": 1, "signal_above_gev": 80}
POINTS = [
    {"threshold_gev": 35, "background_weight": 2},
    {"threshold_gev": 65, "background_weight": 10},
]
SIZES = np.array([20.0, 50.0, 90.0])


def rated(truth_gev, sizes, name="met", **changes):
    """Loss of events of a true and an estimated size, along (0.6, 0.8), beyond the Huber term."""
    config = LossConfig(kind="huber", rate=RATE | {"working_points": POINTS} | changes)
    direction = np.array([[0.6, 0.8]]) if name == "met" else np.ones((1, 1))
    q = tf.constant(np.full((len(sizes), 1), truth_gev) * direction, tf.float64)
    u = tf.Variable(sizes[:, None] * direction)
    task = {"met": MET, "ht": HT}[name]
    kinds = task.losses()[name]
    with tf.GradientTape() as tape:
        value = kinds["huber"](q, u, config) - kinds["huber"](q, u, LossConfig(kind="huber"))
        total = tf.reduce_sum(value)
    return value.numpy(), (tape.gradient(total, u).numpy() * direction).sum(axis=1)


@pytest.mark.parametrize("name", ["met", "ht"])
@pytest.mark.parametrize("truth_gev", [0.0, 40.0, 120.0])
def test_rate_loss_and_its_gradient_are_those_of_two_logarithms(name, truth_gev):
    value, slope = rated(truth_gev, SIZES, name)
    background, signal = truth_gev < 1, truth_gev > 80
    expected, expected_slope = np.zeros(3), np.zeros(3)
    for t, w in ((35, 2), (65, 10)):
        passes = 1 / (1 + np.exp(-(SIZES - t) / 8))  # probability to accept
        expected -= 3 * (w * background * np.log(1 - passes) + signal * np.log(passes))
        expected_slope += 3 / 8 * (w * background * passes - signal * (1 - passes))
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("ratio", [0.5, 10.0, 80.0])
def test_least_rate_loss_orders_by_the_likelihood_ratio(ratio):
    sizes = np.linspace(20, 120, 20001)
    points = POINTS[1:]  # t = 65, W = 10
    below, above = (rated(q, sizes, working_points=points)[0] for q in (0.0, 120.0))
    least = sizes[np.argmin(below + ratio * above)]
    assert least == pytest.approx(65 + 8 * np.log(ratio / 10), abs=0.01)


def test_rate_loss_without_weight_changes_no_bit():
    for kind, loss in LOSSES.items():
        off = LossConfig(kind=kind, rate=RATE | {"weight": 0.0})
        q, u = tf.constant(Q), tf.constant(U)
        np.testing.assert_array_equal(loss(q, u, off), loss(q, u, LossConfig(kind=kind)))


def test_rate_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="needs at least one of working_points"):
        LossConfig(rate={"weight": 1.0, "working_points": []})
    with pytest.raises(ValueError, match=r"is above signal_above_gev 0\.5: an event cannot"):
        LossConfig(rate={"signal_above_gev": 0.5})
