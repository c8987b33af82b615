"""Losses of any number or vector; every one is a mean over components, one value per example.

Notation: q = truth, u = output, both shape (n, size), d = u - q, in the head's unit.
"""

from typing import Any, Final

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.task import Loss

__all__ = ["REGRESSION", "huber", "mae", "mse"]


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


REGRESSION: Final[dict[str, Loss]] = {"huber": huber, "mse": mse, "mae": mae}
