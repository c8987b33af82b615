"""TensorBoard logs of a training; the package that writes them is an extra."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.keras import keras

__all__ = ["require_tensorboard", "tensorboard_callbacks"]


def require_tensorboard(config: TrainingConfig) -> None:
    """Refuse a training that asks for logs where nothing can write them.

    Raises:
        ConfigError: If the package is missing; names the extra that brings it.
    """
    if config.tensorboard and find_spec("tensorboard") is None:
        raise ConfigError(
            "training.tensorboard is true, but the package tensorboard is not installed; run "
            "`pip install 'l1met_fpga[tensorboard]'` or set training.tensorboard=false"
        )


def tensorboard_callbacks(config: TrainingConfig, folder: Path) -> list[Any]:
    """Return the callback that writes logs into a folder, if the configuration asks for it."""
    return [keras.callbacks.TensorBoard(folder, write_graph=False)] if config.tensorboard else []
