"""Keras callbacks of the training loop, from the configuration."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from l1met_fpga.config.training import EarlyStoppingConfig, TrainingConfig
from l1met_fpga.errors import TrainingError
from l1met_fpga.files import atomic_path
from l1met_fpga.models.keras import keras
from l1met_fpga.tasks.task import Estimator
from l1met_fpga.training.monitor import LOSS, Validation, require_finite
from l1met_fpga.training.pruning import copy_masked

__all__ = [
    "BestWeights",
    "EpochReport",
    "HistoryFile",
    "Monitor",
    "Plateau",
    "RefuseNan",
    "best_weights",
    "learning_rate",
    "plateau",
]

EpochReport = Callable[[str, int, dict[str, float]], None]
"""Called after every epoch with the variant, the number of epochs done and the figures."""


class RefuseNan(keras.callbacks.Callback):  # type: ignore[misc]
    """Stop with an error as soon as the loss is not finite."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        self._variant = variant
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Remember where we are."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Check the running mean of the loss."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of the {self._variant} network became {loss} in epoch "
                f"{self._epoch + 1}, step {batch + 1}; lower training.learning_rate.initial, or "
                "check training.loss and training.truth_weights"
            )


class Monitor(keras.callbacks.Callback):  # type: ignore[misc]
    """Add the figures of the validation part to the logs of every epoch.

    Args:
        validation: Events and figures.
        twin: The same network, packed, without pruning wrappers and distribution; gets the
            weights after every epoch.
        estimate: Runs the twin.
    """

    def __init__(self, validation: Validation, twin: Any, estimate: Estimator) -> None:
        super().__init__()
        self._validation, self._twin, self._estimate = validation, twin, estimate

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Evaluate the network as it is."""
        copy_masked(self.model, self._twin)
        logs.update(self._validation.figures(self._estimate))


class BestWeights(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Early stopping; Keras restores the best weights whether it stopped early or not."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Refuse a figure that is no number: no epoch would be better than the first."""
        if epoch >= self.start_from_epoch:
            where = f"after epoch {epoch + 1} the figure that decides (early_stopping.monitor)"
            require_finite(logs or {}, self.monitor, where=where)
        super().on_epoch_end(epoch, logs)


class Plateau(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """Halve the learning rate when the validation loss stops falling."""

    def __init__(self, patience: int) -> None:
        super().__init__(LOSS, factor=0.5, patience=patience, mode="min")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Refuse a figure that is no number: the rate would fall for no reason."""
        where = f"after epoch {epoch + 1} the figure that decides (learning_rate.schedule plateau)"
        require_finite(logs or {}, self.monitor, where=where)
        super().on_epoch_end(epoch, logs)


class HistoryFile(keras.callbacks.Callback):  # type: ignore[misc]
    """Write one row per epoch, the file whole or not at all."""

    def __init__(self, path: Path, variant: str, report: EpochReport | None) -> None:
        super().__init__()
        self._path, self._variant, self._report = path, variant, report
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add one row."""
        figures = {k: float(v) for k, v in (logs or {}).items()}
        rate = self.model.optimizer.learning_rate
        figures["learning_rate"] = float(keras.backend.get_value(rate))
        self.rows.append({"epoch": epoch + 1, **figures})
        _write_history(self._path, self.rows)
        if self._report is not None:
            self._report(self._variant, epoch + 1, figures)


def _write_history(path: Path, rows: list[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def learning_rate(config: TrainingConfig, total_steps: int) -> Any:
    """Return the learning rate, a function of the step alone (so that resuming needs no state)."""
    rate = config.learning_rate
    if rate.schedule != "cosine":
        return rate.initial
    warmup = round(rate.warmup * total_steps)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else rate.initial,
        decay_steps=max(total_steps - warmup, 1),
        alpha=rate.final_fraction,
        warmup_target=rate.initial if warmup else None,
        warmup_steps=warmup,
    )


def plateau(config: TrainingConfig) -> list[Any]:
    """Return the callback that halves the learning rate, if the schedule is ``plateau``."""
    rate = config.learning_rate
    return [Plateau(rate.patience)] if rate.schedule == "plateau" else []


def best_weights(config: TrainingConfig, validation: Validation, first_counted_epoch: int) -> Any:
    """Return the callback that stops early and restores the best weights.

    Args:
        config: Whether and how to stop early; all epochs are trained otherwise.
        validation: Knows the figures and which way each is better.
        first_counted_epoch: Earlier epochs cannot be the best one.

    Raises:
        ConfigError: If the monitored figure does not exist, has no value or no direction.
    """
    stop = config.early_stopping or EarlyStoppingConfig(patience=config.epochs)
    return BestWeights(
        monitor=stop.monitor,
        min_delta=stop.min_delta,
        patience=stop.patience,
        mode=validation.direction(stop),
        restore_best_weights=True,
        start_from_epoch=first_counted_epoch,
    )
