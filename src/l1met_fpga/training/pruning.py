"""Magnitude pruning by tensorflow-model-optimization, and what is left after it."""

from typing import Any

import numpy as np

from l1met_fpga.config.training import PruningConfig
from l1met_fpga.errors import TrainingError
from l1met_fpga.models.build import copy_weights, dense_layers

__all__ = ["check_sparsity", "copy_masked", "pruning_schedule", "zero_fractions"]


def pruning_schedule(config: PruningConfig, total_steps: int) -> Any:
    """Return the schedule for a training of so many steps."""
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, PolynomialDecay

    begin, end = (round(fraction * total_steps) for fraction in (config.begin, config.end))
    # The masks change every `every_steps` steps from the first on; the last change must see the
    # final sparsity, also in a very short training.
    every = max(1, min(config.every_steps, (end - begin) // 4))
    if config.schedule == "constant":
        return ConstantSparsity(config.sparsity, begin_step=begin, frequency=every)
    return PolynomialDecay(
        0.0, config.sparsity, begin, max(end, begin + 1), power=config.power, frequency=every
    )


def copy_masked(source: Any, target: Any) -> None:
    """Copy weights from a network, pruned or not, to one without pruning wrappers.

    Every pruned kernel is multiplied by its mask: restoring earlier weights brings back values
    that the mask had removed.
    """
    copy_weights(source, target)
    layers = dense_layers(target)
    for wrapper in source.layers:
        for kernel, mask, _ in getattr(wrapper, "pruning_vars", ()):
            layer = layers[wrapper.layer.name]
            masked = np.asarray(kernel) * np.asarray(mask)
            layer.set_weights([masked, *layer.get_weights()[1:]])


def zero_fractions(model: Any) -> dict[str, float]:
    """Return the fraction of zeros in every quantized kernel, and of all as ``total``.

    Args:
        model: Quantized model; kernels are quantized as in its forward pass.
    """
    zeros, sizes = {}, {}
    for name, layer in dense_layers(model).items():
        kernel = np.asarray(layer.get_weights()[0])
        quantizer = getattr(layer, "kernel_quantizer_internal", None)
        if quantizer is not None:
            kernel = quantizer(kernel).numpy()
        zeros[name], sizes[name] = int(np.count_nonzero(kernel == 0)), kernel.size
    fractions = {name: zeros[name] / sizes[name] for name in zeros}
    return fractions | {"total": sum(zeros.values()) / sum(sizes.values())}


def check_sparsity(model: Any, pruned: set[str], sparsity: float) -> dict[str, float]:
    """Check that every pruned layer of a stripped model has the wanted zeros.

    Args:
        model: Quantized model without pruning wrappers.
        pruned: Names of the layers that were pruned.
        sparsity: Wanted fraction of zeros.

    Returns:
        Fractions as in :func:`zero_fractions`.

    Raises:
        TrainingError: If a layer has fewer zeros.
    """
    fractions = zero_fractions(model)
    for name in sorted(pruned):
        size = int(np.prod(dense_layers(model)[name].kernel.shape))
        wanted = int(np.floor(sparsity * size)) - 1  # the library rounds the number to keep
        if round(fractions[name] * size) < wanted:
            raise TrainingError(
                f"layer {name!r} has {fractions[name]:.3f} zeros after pruning, wanted {sparsity}; "
                "train longer, or let the schedule end earlier (training.pruning.end)"
            )
    return fractions
