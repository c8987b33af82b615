"""Pruning of one layer by tensorflow-model-optimization, with exactly the wanted number of zeros."""

from typing import Any

import numpy as np
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import (
    PruneLowMagnitude,
)

from l1met_fpga.models.keras import tf
from l1met_fpga.models.masks import require_zero

__all__ = ["PrunedLayer", "kept_weights", "pruned"]


def kept_weights(size: int, sparsity: float) -> int:
    """Return how many weights of a kernel stay, at least 1.

    Rounded as in the library: half to even, in float32.
    """
    return max(int(np.round(np.float32(size) * (np.float32(1) - np.float32(sparsity)))), 1)


class _ExactNumber(Pruning):  # type: ignore[misc]
    """Keeps the largest weights by their number.

    The library keeps every weight as large as the smallest that stays, so a kernel of equal
    magnitudes (the state after one step of Adam from zero) would stay dense.
    """

    def _update_mask(self, weights: Any) -> tuple[Any, Any]:
        sparsity = self._pruning_schedule(self._step_fn())[1]
        magnitudes = tf.reshape(tf.abs(weights), [-1])
        kept = tf.math.round(tf.cast(tf.size(weights), tf.float32) * (1 - sparsity))
        kept = tf.cast(tf.math.maximum(kept, 1), tf.int32)
        order = tf.argsort(magnitudes, direction="DESCENDING", stable=True)
        mask = tf.cast(tf.argsort(order) < kept, weights.dtype)
        return magnitudes[order[kept - 1]], tf.reshape(mask, tf.shape(weights))


class PrunedLayer(PruneLowMagnitude):  # type: ignore[misc]
    """The library's wrapper, with ties between equal weights broken by their place."""

    def build(self, input_shape: Any) -> None:
        """Make the masks and what updates them."""
        super().build(input_shape)
        self.pruning_obj = _ExactNumber(
            training_step_fn=lambda: self.pruning_step,
            pruning_vars=self.pruning_vars,
            pruning_schedule=self.pruning_schedule,
            block_size=self.block_size,
            block_pooling_type=self.block_pooling_type,
        )


def pruned(layer: Any, schedule: Any) -> PrunedLayer:
    """Wrap a layer so that a schedule sets its smallest weights to zero.

    Raises:
        ConfigError: As :func:`~l1met_fpga.models.masks.require_zero`.
    """
    require_zero(layer)
    return PrunedLayer(layer, pruning_schedule=schedule)
