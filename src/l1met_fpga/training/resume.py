"""State of a training after an epoch, so that an interrupted one goes on as if nothing happened.

Everything that an epoch depends on is either a function of the seed and the epoch (order of events,
augmentation, learning rate) or in this one file (weights, masks, optimizer, callbacks, history).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.archives import read_npz
from l1met_fpga.errors import TrainingError
from l1met_fpga.files import atomic_path
from l1met_fpga.identity import Identity, require_same
from l1met_fpga.models.keras import keras
from l1met_fpga.training.callbacks import HistoryFile

__all__ = ["Checkpoint", "Restored", "require_same_inputs"]

REMEMBERED: Final = (
    "wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter", "frozen", "next_step",
)  # fmt: skip
"""Numbers in which Keras's callbacks and ours keep what they saw."""
ARRAYS: Final = ("best_weights", "masks")
"""Lists of arrays in which they do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a checkpoint held.

    Attributes:
        epochs_done: 0 without a checkpoint.
        finished: Whether the last or an early-stopping epoch was behind it.
    """

    epochs_done: int
    finished: bool


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Write the state after every ``every`` epochs; must be the last callback.

    Args:
        path: File to write (``.npz``).
        callbacks: Callbacks whose state belongs to the training.
        history: Rows of the epochs done.
        every: Epochs between two files.
        identity: What the training is made from; a file with another one is refused.
    """

    def __init__(
        self,
        path: Path,
        callbacks: Sequence[Any],
        history: HistoryFile,
        *,
        every: int,
        identity: Identity,
    ) -> None:
        super().__init__()
        self._path, self._callbacks, self._history = path, list(callbacks), history
        self._every, self._identity = every, dict(identity)
        self._restored: dict[str, Any] | None = None

    def restore(self, model: Any, epochs: int) -> Restored:
        """Load the state into a compiled model if there is one.

        A training that was over already gets its best weights back.

        Args:
            model: Compiled model.
            epochs: Epochs that the training has at most.

        Raises:
            TrainingError: If the file belongs to a training with other settings or data.
        """
        if not self._path.is_file():
            return Restored(0, finished=False)
        state, arrays = _read(self._path)
        _require_same_inputs(self._path, state, self._identity)
        model.set_weights(_numbered(arrays, "weight"))
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(
            model.optimizer.variables, _numbered(arrays, "optimizer"), strict=True
        ):
            variable.assign(value)
        self._history.rows = state["history"]
        self._restored = {"state": state, "arrays": arrays}
        finished = state["epochs_done"] >= epochs or any(
            seen.get("stopped_epoch", 0) > 0 for seen in state["callbacks"]
        )
        if finished:
            for number in range(len(self._callbacks)):
                best = _numbered(arrays, f"best_weights{number}_")
                model.set_weights(best or model.get_weights())
        return Restored(int(state["epochs_done"]), finished=finished)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Give the callbacks back what they knew (they forget it when training begins)."""
        if self._restored is None:
            return
        state, arrays = self._restored["state"], self._restored["arrays"]
        for number, callback in enumerate(self._callbacks):
            for name, value in state["callbacks"][number].items():
                setattr(callback, name, value)
            for name in ARRAYS:
                if values := _numbered(arrays, f"{name}{number}_"):
                    setattr(callback, name, values)
        if state["learning_rate"] is not None:
            keras.backend.set_value(self.model.optimizer.learning_rate, state["learning_rate"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Write the file, whole or not at all."""
        if (epoch + 1) % self._every:
            return
        optimizer = self.model.optimizer
        arrays = {f"weight{i}": w for i, w in enumerate(self.model.get_weights())}
        arrays |= {f"optimizer{i}": v.numpy() for i, v in enumerate(optimizer.variables)}
        for number, callback in enumerate(self._callbacks):
            for name in ARRAYS:
                values = getattr(callback, name, None) or []
                arrays |= {f"{name}{number}_{i}": value for i, value in enumerate(values)}
        state = {
            "identity": self._identity,
            "epochs_done": epoch + 1,
            "callbacks": [_numbers(callback) for callback in self._callbacks],
            "history": self._history.rows,
            "learning_rate": _fixed_rate(optimizer),
        }
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            np.savez(file, state=np.array(json.dumps(state)), **arrays)


def require_same_inputs(folder: Path, identity: Identity) -> None:
    """Refuse to go on with the checkpoints in a folder if they were made from other inputs.

    Raises:
        TrainingError: If one belongs to other settings, samples or versions; names what differs.
    """
    for path in sorted(folder.glob("*.npz")):
        _require_same_inputs(path, _read(path)[0], identity)


def _require_same_inputs(path: Path, state: Mapping[str, Any], identity: Identity) -> None:
    recorded = state["identity"]
    require_same(
        recorded if isinstance(recorded, dict) else {"all inputs": recorded},
        identity,
        what=str(path),
        next_step="Go on with the inputs it was made from, or start again with --overwrite",
        error=TrainingError,
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the state and the arrays of a checkpoint."""
    tip = "start the training again with --overwrite"
    arrays = read_npz(path, error=TrainingError, next_step=tip)
    try:
        return json.loads(str(arrays.pop("state"))), arrays
    except (ValueError, KeyError, RecursionError) as err:
        raise TrainingError(f"{path} is damaged ({err}); {tip}") from err


def _numbered(arrays: dict[str, Any], prefix: str) -> list[Any]:
    """Return ``prefix0``, ``prefix1``, ... in order."""
    count = sum(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in arrays)
    return [arrays[f"{prefix}{i}"] for i in range(count)]


def _numbers(callback: Any) -> dict[str, float]:
    found = {name: getattr(callback, name, None) for name in REMEMBERED}
    return {k: v.item() if hasattr(v, "item") else v for k, v in found.items() if v is not None}


def _fixed_rate(optimizer: Any) -> float | None:
    """Learning rate when it is a number that a callback changes, not a schedule."""
    rate = optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return None
    return float(keras.backend.get_value(rate))
