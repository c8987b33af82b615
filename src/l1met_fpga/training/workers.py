"""Training on several machines: workers that ``TF_CONFIG`` describes, as TensorFlow defines it.

The chief and the workers train, in this order; the chief, or worker 0 where there is no chief, makes
the result. Parameter servers and evaluators have no part in synchronous training.
"""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.models.keras import tf

__all__ = ["Place", "own_folder", "place", "require_same_epoch", "strategy"]

logger = logging.getLogger(__name__)

_TRAINING_JOBS: Final = ("chief", "worker")
_EXAMPLE: Final = (
    '{"cluster": {"chief": ["a:2222"], "worker": ["b:2222"]}, "task": {"type": "worker", '
    '"index": 0}}'
)


@dataclass(frozen=True, slots=True)
class Place:
    """This process among those that train together.

    Attributes:
        number: 0 for the one that makes the result.
        count: How many train.
    """

    number: int = 0
    count: int = 1


def place() -> Place:
    """Read ``TF_CONFIG``; without it this process trains alone.

    Raises:
        ConfigError: If it is not what TensorFlow expects, or gives this process a task that does
            not train.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return Place()
    try:
        described = json.loads(text)
        cluster = tf.train.ClusterSpec(described.get("cluster") or {})
        task = described.get("task") or {}
        job, index = str(task.get("type", "")), int(task.get("index", 0))
        sizes = {name: cluster.num_tasks(name) for name in cluster.jobs}
    except (AttributeError, TypeError, ValueError, RecursionError):
        raise ConfigError(
            f"TF_CONFIG is not what TensorFlow expects, got {text[:200]!r}; for example {_EXAMPLE}"
        ) from None
    return _place(sizes, job, index) if sizes else Place()


def _place(sizes: dict[str, int], job: str, index: int) -> Place:
    if job not in _TRAINING_JOBS or "ps" in sizes:
        what = f"task type {job!r}" if job not in _TRAINING_JOBS else "parameter servers ('ps')"
        raise ConfigError(
            f"TF_CONFIG has {what}, which cannot train: all machines take equal part, as 'chief' "
            "(at most one) or 'worker'; leave other tasks out of the cluster and do not start "
            "l1met there"
        )
    chiefs, workers = (sizes.get(name, 0) for name in _TRAINING_JOBS)
    if chiefs > 1:
        raise ConfigError(f"TF_CONFIG names {chiefs} chiefs; there may be one")
    if not 0 <= index < sizes.get(job, 0):
        raise ConfigError(
            f"TF_CONFIG says that this is {job} {index}, but its cluster has {sizes.get(job, 0)} "
            f"tasks of that type (numbers from 0); for example {_EXAMPLE}"
        )
    return Place(index if job == "chief" else chiefs + index, chiefs + workers)


def strategy() -> Any | None:
    """Return the strategy for two or more processes, else None (TensorFlow's default).

    Must be called before any other TensorFlow operation of the program. Waits for the others.

    Raises:
        TrainingError: If this process cannot listen at its address, or the others do not come.
    """
    here = place()
    if here.count < 2:
        return None
    logger.warning(
        "this is number %d of the %d processes in TF_CONFIG; waiting for the others",
        here.number + 1, here.count,
    )  # fmt: skip
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as err:
        raise TrainingError(
            f"the processes in TF_CONFIG do not find each other ({err.message}); its addresses must "
            "be those of these machines, with a free port above 1023 each, and all must be started"
        ) from err


def require_same_epoch(strategy: Any, epochs_done: int) -> None:
    """Refuse to go on when the processes' checkpoints are of different epochs.

    Raises:
        TrainingError: If they are (one was killed before it had written its file).
    """

    @tf.function  # type: ignore[untyped-decorator]
    def moments() -> Any:
        value = tf.constant([epochs_done, epochs_done**2], tf.float64)
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, strategy.run(lambda: value), axis=None)

    mean, mean_of_squares = moments().numpy()
    if mean**2 != mean_of_squares:
        raise TrainingError(
            f"the checkpoints of the machines are of different epochs (here {epochs_done}, on "
            f"average {mean:g}): one was stopped before it had written its own. Start again with "
            "--overwrite"
        )


def own_folder(root: Path) -> Path:
    """Return the run folder of this process: number 0 makes the result, others keep copies."""
    number = place().number
    return root if number == 0 else root.with_name(f"{root.name}-worker{number}")
