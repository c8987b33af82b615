"""Every loss against numbers worked out by hand."""

import numpy as np
import pytest

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
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
    loss = HeadLoss(LOSSES[kind], LossConfig(kind=kind, response_weight=1.0))
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
    loss = HeadLoss(LOSSES[kind], LossConfig(kind=kind, response_weight=1.0, quantile=0.5))
    assert float(loss(tf.constant(Q), tf.constant(Q))) == pytest.approx(0, abs=1e-5)
    assert float(loss(tf.constant(Q), tf.constant(U))) > 0.01
