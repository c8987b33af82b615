"""Losses of the jet heads, one value per jet; one name chooses that of both.

Notation: q = truth, u = output. The class's is always the cross entropy, - sum_k q_k log p_k with p
the softmax of the logits; the ratio's, of d = u - min(max(q, 0.3), 2), goes by the name.
"""

from typing import Any, Final

from l1met_fpga.config.training import LossConfig
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.losses import cross_entropy, log_cosh, mae, mse
from l1met_fpga.tasks.task import Loss

__all__ = ["CLASSES", "RATIO"]

RATIO_RANGE: Final = (0.3, 2.0)
"""That of the jet tagger's trainings; beyond it a jet says little about its generated one."""


def _within_range(loss: Loss) -> Loss:
    def within(q: Any, u: Any, config: LossConfig) -> Any:
        return loss(tf.clip_by_value(q, *RATIO_RANGE), u, config)

    return within


RATIO: Final[dict[str, Loss]] = {
    kind: _within_range(loss) for kind, loss in (("log_cosh", log_cosh), ("mse", mse), ("mae", mae))
}
CLASSES: Final[dict[str, Loss]] = dict.fromkeys(RATIO, cross_entropy)
