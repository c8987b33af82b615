"""Masks of kernels: a weight whose mask is 0 is 0, whatever the optimizer does to it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from l1met_fpga.errors import ConfigError
from l1met_fpga.models.keras import keras, tf

__all__ = ["KernelMask", "kernel_masks", "masked", "require_zero"]


class KernelMask(keras.constraints.Constraint):  # type: ignore[misc]
    """Applies another constraint, then a mask; Keras does so after every step.

    Args:
        other: Constraint that the layer has already, or None.
        shape: Shape of the kernel.
    """

    def __init__(self, other: Any | None, shape: Sequence[int]) -> None:
        self.other = other
        self.mask = tf.Variable(tf.ones(shape), trainable=False, name="mask")

    def __call__(self, kernel: Any) -> Any:
        """Return the kernel with zeros where the mask is 0."""
        return (kernel if self.other is None else self.other(kernel)) * self.mask


def masked(layer: Any, shape: Sequence[int]) -> Any:
    """Give a layer that is not built yet a mask of ones for its kernel.

    Raises:
        ConfigError: As :func:`require_zero`.
    """
    require_zero(layer)
    layer.kernel_constraint = KernelMask(layer.kernel_constraint, shape)
    return layer


def kernel_masks(model: Any) -> dict[str, Any]:
    """Return the masks, TensorFlow variables, by layer."""
    constraints = {layer.name: getattr(layer, "kernel_constraint", None) for layer in model.layers}
    return {name: one.mask for name, one in constraints.items() if isinstance(one, KernelMask)}


def require_zero(layer: Any) -> None:
    """Refuse a layer whose pruned weights would come back.

    Raises:
        ConfigError: If the layer's kernel quantizer has no zero (binary, power-of-two).
    """
    quantizer = getattr(layer, "kernel_quantizer_internal", None)
    if quantizer is not None and np.any(np.asarray(quantizer(tf.zeros((1, 1)))) != 0):
        raise ConfigError(
            f"layer {layer.name!r} cannot be pruned: its kernel quantizer {quantizer} has no zero, "
            "so that every pruned weight would come back; prune: false, or another type"
        )
