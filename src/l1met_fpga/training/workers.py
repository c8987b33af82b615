"""Training on several machines: workers that ``TF_CONFIG`` describes, as TensorFlow defines it."""

import json
import os
from pathlib import Path
from typing import Any

from l1met_fpga.errors import ConfigError
from l1met_fpga.models.keras import tf

__all__ = ["own_folder", "strategy"]


def _task() -> tuple[int, int]:
    """This worker's number and the number of workers."""
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        described = json.loads(text)
        workers = described.get("cluster", {}).get("worker", [])
        return int(described.get("task", {}).get("index", 0)), len(workers)
    except (json.JSONDecodeError, AttributeError, TypeError, ValueError):
        raise ConfigError(
            f"TF_CONFIG is not what TensorFlow expects, got {text[:200]!r}; for example "
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
        ) from None


def strategy() -> Any | None:
    """Return the strategy for two or more workers, else None (TensorFlow's default).

    Must be called before any other TensorFlow operation of the program.
    """
    if _task()[1] < 2:
        return None
    return tf.distribute.MultiWorkerMirroredStrategy()


def own_folder(root: Path) -> Path:
    """Return the run folder of this worker: the first one's is the result, others keep copies."""
    number, _ = _task()
    return root if number == 0 else root.with_name(f"{root.name}-worker{number}")
