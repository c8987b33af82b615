"""Losses of any number or vector, one value per example: a mean over components, and the rate loss.

Notation: q = truth, u = output, both shape (n, size), d = u - q, in the head's unit. Of classes q is
one-hot and u are logits.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from l1met_fpga.config.training import LossConfig, RateLossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.task import Loss

__all__ = [
    "REGRESSION", "cross_entropy", "huber", "log_cosh", "mae", "mse", "norm", "rate", "with_rate",
]  # fmt: skip

Score = Callable[[Any], Any]
"""Numbers of a head, shape (n, size) -> the one that a trigger cuts on, shape (n,)."""


def huber(q: Any, u: Any, config: LossConfig) -> Any:
    """Mean over components of d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2)."""
    d = tf.abs(u - q)
    inner = tf.minimum(d, config.delta_gev)
    return tf.reduce_mean(inner * (d - 0.5 * inner), axis=-1)


def mse(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """Mean over components of d^2."""
    return tf.reduce_mean(tf.square(u - q), axis=-1)


def mae(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """Mean over components of |d|."""
    return tf.reduce_mean(tf.abs(u - q), axis=-1)


def cross_entropy(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """- sum_k q_k log softmax(u)_k."""
    return tf.nn.softmax_cross_entropy_with_logits(q, u)


def log_cosh(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """Mean of log cosh d: quadratic near 0, linear far from it."""
    d = tf.abs(u - q)
    return tf.reduce_mean(d + tf.math.softplus(-2.0 * d) - tf.math.log(2.0), axis=-1)


def norm(v: Any) -> Any:
    """Length with a gradient that is finite at zero."""
    return tf.sqrt(tf.reduce_sum(tf.square(v), axis=-1) + 1e-12)


def rate(true_score: Any, score: Any, config: RateLossConfig) -> Any:
    """Sum over working points (t, W) of W b softplus((s - t) / w) + a softplus((t - s) / w).

    s is the score, w the width, b = 1 for background and a = 1 for signal, else 0. These are the
    negative logarithms of the probabilities to decide right, sigmoid((t - s) / w) for background
    and sigmoid((s - t) / w) for signal. Where signal is r times as likely as background, the mean is
    smallest at s = t + w log(r / W): the score rises with the likelihood ratio, the best that a
    trigger can cut on (Neyman and Pearson 1933, doi:10.1098/rsta.1933.0009), and it is the threshold
    at r = W.
    """
    background = tf.cast(true_score < config.background_below_gev, score.dtype)
    signal = tf.cast(true_score > config.signal_above_gev, score.dtype)
    total = tf.zeros_like(score)
    for point in config.working_points:
        above = (score - point.threshold_gev) / config.width_gev
        total += point.background_weight * background * tf.nn.softplus(above)
        total += signal * tf.nn.softplus(-above)
    return total


def with_rate(losses: Mapping[str, Loss], score: Score) -> dict[str, Loss]:
    """Return losses to which ``training.loss.rate`` adds the rate loss of a score."""

    def added(main: Loss) -> Loss:
        def loss(q: Any, u: Any, config: LossConfig) -> Any:
            value = main(q, u, config)
            if config.rate.weight:
                value += config.rate.weight * rate(score(q), score(u), config.rate)
            return value

        return loss

    return {kind: added(main) for kind, main in losses.items()}


REGRESSION: Final[dict[str, Loss]] = {"huber": huber, "mse": mse, "mae": mae}
