"""Losses on MET; every one is a value per event, whatever the batch size.

Notation: q = genMET (px, py), u = estimate, d = u - q, all in GeV.
"""

from typing import Any, Final

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.losses import REGRESSION, mae, norm, with_rate
from l1met_fpga.tasks.task import Loss

__all__ = ["LOSSES"]


def quantile(q: Any, u: Any, config: LossConfig) -> Any:
    """Pinball loss on the magnitude: max(t r, (t - 1) r), r = |q| - |u|, t the level.

    Half of the mean absolute error is added, because the magnitude alone has no direction.
    """
    r = norm(q) - norm(u)
    pinball = tf.maximum(config.quantile * r, (config.quantile - 1.0) * r)
    return pinball + 0.5 * mae(q, u, config)


def relative(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """Mean over x and y of |d| / max(|q_component|, 1 GeV).

    The relative loss of L1DeepMETv2 with its poles at zero removed; for comparison.
    """
    return tf.reduce_mean(tf.abs(u - q) / tf.maximum(tf.abs(q), 1.0), axis=-1)


def relative_gen(q: Any, u: Any, config: LossConfig) -> Any:  # noqa: ARG001
    """|d|^2 / max(|q|, 1 GeV)^2, relative to genMET as a whole; for comparison."""
    size = tf.maximum(tf.reduce_sum(tf.square(q), axis=-1), 1.0)
    return tf.reduce_sum(tf.square(u - q), axis=-1) / size


def response_term(q: Any, u: Any, config: LossConfig) -> Any:
    """((u . q - |q|^2) / (|q|^2 + s^2))^2.

    The squared deviation of the event's response from one; it fades out below genMET s and is
    zero, not infinite, at genMET 0.
    """
    size = tf.reduce_sum(tf.square(q), axis=-1)
    along = tf.reduce_sum(u * q, axis=-1)
    return tf.square((along - size) / (size + config.response_scale_gev**2))


def _with_response(main: Loss) -> Loss:
    """Return a loss with ``response_weight`` times the response term added."""

    def loss(q: Any, u: Any, config: LossConfig) -> Any:
        value = main(q, u, config)
        if config.response_weight:
            value += config.response_weight * response_term(q, u, config)
        return value

    return loss


_MAIN: Final[dict[str, Loss]] = REGRESSION | {
    "quantile": quantile, "relative": relative, "relative_gen": relative_gen
}  # fmt: skip
LOSSES: Final[dict[str, Loss]] = with_rate(
    {kind: _with_response(main) for kind, main in _MAIN.items()}, norm
)
