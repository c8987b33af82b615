"""Magnitude pruning by tensorflow-model-optimization, and what is left after it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from l1met_fpga.config.training import PruningConfig
from l1met_fpga.errors import TrainingError
from l1met_fpga.models.build import copy_weights, dense_layers

__all__ = ["PruningSteps", "check_sparsity", "copy_masked", "zero_fractions"]


@dataclass(frozen=True, slots=True)
class PruningSteps:
    """Steps, counted from 1, at which the masks change.

    They change at ``begin``, ``begin + every``, ... and the last change of the polynomial schedule
    is at ``end``, where the final sparsity is reached: ``end - begin`` is a multiple of ``every``.

    Attributes:
        schedule: ``polynomial`` or ``constant``, which changes the masks until training ends.
        sparsity: Final fraction of zeros.
        power: Exponent of the polynomial.
        begin: First change.
        end: Step of the final sparsity.
        every: Steps between two changes.
    """

    schedule: Literal["polynomial", "constant"]
    sparsity: float
    power: int
    begin: int
    end: int
    every: int

    @classmethod
    def of(cls, config: PruningConfig, total_steps: int) -> "PruningSteps":
        """Place the changes in a training of so many steps (at least 1).

        The first change moves to a later step, by less than ``every_steps``, so that the last one
        is exactly where the configuration wants the end. Between the two there are at least four,
        however short the training is, if it has so many steps.
        """
        wanted = min(max(round(config.begin * total_steps), 1), total_steps)
        if config.schedule == "constant":
            return cls("constant", config.sparsity, 1, wanted, wanted, config.every_steps)
        end = min(max(round(config.end * total_steps), 1), total_steps)
        span = max(end - min(wanted, end), 0)
        every = max(1, min(config.every_steps, span // 4))
        begin = end - span // every * every
        if begin == end:  # the library divides by their difference
            begin = end - 1
        return cls("polynomial", config.sparsity, config.power, begin, end, every)

    def schedule_for_library(self) -> Any:
        """Return the schedule of tensorflow-model-optimization."""
        from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, PolynomialDecay

        if self.schedule == "constant":
            return ConstantSparsity(self.sparsity, begin_step=self.begin, frequency=self.every)
        return PolynomialDecay(
            0.0, self.sparsity, self.begin, self.end, power=self.power, frequency=self.every
        )

    def callbacks(self) -> list[Any]:
        """Return the library's callback that counts the steps."""
        from tensorflow_model_optimization.sparsity.keras import UpdatePruningStep

        return [UpdatePruningStep()]

    def first_counted_epoch(self, steps_per_epoch: int, epochs: int) -> int:
        """Return the first epoch, from 0, that begins with the final sparsity; at most the last."""
        return min(-(-self.end // steps_per_epoch), epochs - 1)


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
        TrainingError: If a layer has fewer zeros after quantization than the masks give.
    """
    from l1met_fpga.models.pruning_wrapper import kept_weights

    fractions = zero_fractions(model)
    for name in sorted(pruned):
        size = int(np.prod(dense_layers(model)[name].kernel.shape))
        zeros, wanted = round(fractions[name] * size), size - kept_weights(size, sparsity)
        if zeros < wanted:
            raise TrainingError(
                f"layer {name!r} has {zeros} zeros among {size} weights after pruning, wanted "
                f"{wanted} (training.pruning.sparsity {sparsity:g}); train longer, or let the "
                "schedule end earlier (training.pruning.end)"
            )
    return fractions
