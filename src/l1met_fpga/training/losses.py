"""The loss of a head, as Keras takes it: the mean over examples, whatever the batch size."""

import difflib
from typing import Any

from l1met_fpga.config.training import LossConfig, RateLossConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.tasks.task import Loss, Task

__all__ = ["HeadLoss", "head_losses"]


class HeadLoss(keras.losses.Loss):  # type: ignore[misc]
    """A task's loss of one head with the configured settings.

    Args:
        loss: The task's.
        config: Its settings.
        head: Name of the head.
        teacher_weight: Weight of the main term to teachers, above 0 if what they give follows the
            truth in the same row.
        bounded: Whether the term counts only where the teachers are nearer to the truth.
    """

    def __init__(
        self,
        loss: Loss,
        config: LossConfig,
        head: str,
        teacher_weight: float = 0.0,
        *,
        bounded: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=config.kind, **kwargs)
        self.loss, self.config, self.weight = loss, config, config.head_weights.get(head, 1.0)
        self.teacher_weight, self.bounded = teacher_weight, bounded
        self._main = config.model_copy(update={"rate": RateLossConfig(), "response_weight": 0.0})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per example."""
        u, q = tf.cast(y_pred, tf.float32), tf.cast(y_true, tf.float32)
        if not self.teacher_weight:
            return self.weight * self.loss(q, u, self.config)
        size = q.shape[-1] - u.shape[-1]
        truth, taught = q[:, :size], q[:, size:]
        term = self.loss(taught, u, self._main)
        if self.bounded:
            term *= tf.cast(_distance(taught, truth) < _distance(u, truth), tf.float32)
        return self.weight * (self.loss(truth, u, self.config) + self.teacher_weight * term)


def _distance(one: Any, other: Any) -> Any:
    """Return the squared distance per example; which is nearer needs no root."""
    return tf.reduce_sum(tf.square(one - other), axis=1)


def head_losses(
    task: Task, config: LossConfig, teacher_weight: float = 0.0, *, bounded: bool = False
) -> dict[str, HeadLoss]:
    """Return the loss of every head, by head; arguments as those of :class:`HeadLoss`.

    Raises:
        ConfigError: If the task has no loss of the configured kind, or no head that a weight is
            given for; names the nearest. Or if teachers give classes, which no loss compares.
    """
    made = {}
    classes = [head.name for head in task.heads if head.kind == "classes"]
    if teacher_weight and classes:
        raise ConfigError(
            f"training.teacher: {', '.join(classes)} of the task {task.name!r} gives classes; teachers "
            "can give vectors and numbers only. Set training.teacher.weight: 0"
        )
    for name in config.head_weights:
        if name not in task.truths:
            raise ConfigError(
                f"training.loss.head_weights names {name!r}, which is no head of the task "
                f"{task.name!r}; it has {', '.join(task.truths)}"
            )
    for head, known in task.losses().items():
        if config.kind not in known:
            near = difflib.get_close_matches(config.kind, known, n=1, cutoff=0.0)
            raise ConfigError(
                f"training.loss.kind is {config.kind!r}, which is no loss of the task {task.name!r}; "
                f"did you mean {near[0]!r}? There are {', '.join(known)}"
            )
        loss = known[config.kind]
        made[head] = HeadLoss(loss, config, head, teacher_weight, bounded=bounded)
    return made
