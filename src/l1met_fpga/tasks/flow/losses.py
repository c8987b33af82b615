"""Losses of the heads of an element, one value per element; one name chooses that of both.

Notation: q = truth, u = output. The class's is always the cross entropy, - sum_k q_k log p_k with p
the softmax of the logits; the ratio's, of d = u - min(max(q, 0.2), 3), goes by the name and is 0 for
elements that no particle belongs to.
"""

from typing import Any, Final

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.losses import cross_entropy, log_cosh, mae, mse
from l1met_fpga.tasks.task import Loss

__all__ = ["CLASSES", "RATIO"]

RATIO_RANGE: Final = (0.2, 3.0)
"""Beyond it a soft element holds energy of many particles, and says little about the one it stands for."""


def _of_particles(loss: Loss) -> Loss:
    def within(q: Any, u: Any, config: LossConfig) -> Any:
        is_particle = tf.cast(q[:, 0] > 0, u.dtype)
        return is_particle * loss(tf.clip_by_value(q, *RATIO_RANGE), u, config)

    return within


RATIO: Final[dict[str, Loss]] = {
    kind: _of_particles(loss) for kind, loss in (("log_cosh", log_cosh), ("mse", mse), ("mae", mae))
}
CLASSES: Final[dict[str, Loss]] = dict.fromkeys(RATIO, cross_entropy)
