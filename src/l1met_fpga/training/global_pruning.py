"""Magnitude pruning by one threshold over all kernels, until the firmware fits its budget of LUTs.

The kernels decide among themselves where zeros cost least. The number of weights falls
geometrically; what was pruned never comes back.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.training import PruningConfig
from l1met_fpga.models.build import MASKS, dense_layers
from l1met_fpga.models.keras import keras
from l1met_fpga.models.masks import kernel_masks

__all__ = ["GlobalPruning", "GlobalSteps", "largest"]

logger = logging.getLogger(__name__)

Masks = list[npt.NDArray[np.float32]]
COUNTED_BELOW: Final = 0.7
"""Fraction of weights below which LUTs are counted: above it a count takes seconds, and a budget that so many meet is none."""
WATCHES: Final = 40
"""How often per training LUTs are counted once the masks stay."""
DROPPED: Final = 0.02
"""Part of the weights that go when frozen masks have become too expensive."""


@dataclass(frozen=True, slots=True)
class GlobalSteps:
    """Steps, counted from 1, at which masks change.

    Attributes:
        begin: First change.
        end: Step at which ``kept`` weights are left, if no budget is met before.
        every: Steps between two changes.
        until: Last step at which a mask may change.
        watch: Steps between two looks at the LUTs once the masks stay.
        kept: Weights left at ``end``.
    """

    begin: int
    end: int
    every: int
    until: int
    watch: int
    kept: int

    @classmethod
    def of(cls, config: PruningConfig, total_steps: int) -> "GlobalSteps":
        """Place the changes in a training of so many steps (at least 1)."""
        begin = min(max(round(config.begin * total_steps), 1), total_steps)
        end = min(max(round(config.end * total_steps), begin + 1), max(total_steps, begin + 1))
        every = max(1, min(config.every_steps, (end - begin) // 4))
        until = max(round(config.watch_until * total_steps), end)
        return cls(begin, end, every, until, max(1, total_steps // WATCHES), config.kept)

    def kept_at(self, step: int, size: int) -> int:
        """Return how many of ``size`` weights stay at a step."""
        done = min(max((step - self.begin) / (self.end - self.begin), 0.0), 1.0)
        return max(round(size * math.pow(min(self.kept, size) / size, done)), 1)

    def schedule_for_library(self) -> Any:
        """Return what :func:`~l1met_fpga.models.build.build` takes for a network with masks."""
        return MASKS

    def first_counted_epoch(self, steps_per_epoch: int, epochs: int) -> int:
        """Return the first epoch, from 0, that begins with the final masks; at most the last."""
        return min(-(-self.until // steps_per_epoch), epochs - 1)


def largest(kernels: Masks, masks: Masks, kept: int) -> Masks:
    """Return masks of the ``kept`` largest weights of all kernels together.

    Of equal weights the first ones stay; what a mask has removed is never chosen.
    """
    sizes = np.concatenate(
        [
            np.where(mask > 0, np.abs(kernel), -1.0).ravel()
            for kernel, mask in zip(kernels, masks, strict=True)
        ]
    )
    kept = min(kept, int(np.count_nonzero(sizes >= 0)))
    chosen = np.zeros(len(sizes), np.float32)
    chosen[np.argsort(-sizes, kind="stable")[:kept]] = 1.0
    pieces = np.split(chosen, np.cumsum([mask.size for mask in masks])[:-1])
    return [piece.reshape(mask.shape) for piece, mask in zip(pieces, masks, strict=True)]


class GlobalPruning(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the masks of a network made with them.

    Args:
        steps: When.
        budget: LUTs at which the masks stay; None prunes to ``steps.kept`` weights.
        luts: Counts the LUTs of a network as it is.
    """

    def __init__(
        self, steps: GlobalSteps, budget: float | None, luts: Callable[[Any], float] | None
    ) -> None:
        super().__init__()
        self._steps, self._budget, self._luts = steps, budget, luts
        self._variables: dict[str, Any] = {}
        self.frozen, self.next_step = 0, steps.begin

    def set_model(self, model: Any) -> None:
        """Take the masks of a network."""
        super().set_model(model)
        self._variables = kernel_masks(model)

    @property
    def masks(self) -> Masks:
        """The masks, in the order of the layers; setting them sets the weights too."""
        return [mask.numpy() for mask in self._variables.values()]

    @masks.setter
    def masks(self, values: Masks) -> None:
        layers = dense_layers(self.model)
        for (name, mask), value in zip(self._variables.items(), values, strict=True):
            mask.assign(value)
            layers[name].kernel.assign(layers[name].kernel * mask)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Change the masks where it is time."""
        step = int(self.model.optimizer.iterations)
        if step < self.next_step or step > self._steps.until:
            return
        if self.frozen:
            self._watch()
        else:
            self._prune(step)
        self.next_step = step + (self._steps.watch if self.frozen else self._steps.every)

    def _prune(self, step: int) -> None:
        size = sum(mask.size for mask in self.masks)
        kept = self._steps.kept_at(step, size)
        self._keep(kept)
        met = self._budget is not None and kept < COUNTED_BELOW * size and not self._too_large()
        self.frozen = int(met or step >= self._steps.end)

    def _watch(self) -> None:
        if self._budget is not None and self._too_large():
            kept = sum(int(mask.sum()) for mask in self.masks)
            self._keep(min(round(kept * (1 - DROPPED)), kept - 1))

    def _keep(self, kept: int) -> None:
        layers = dense_layers(self.model)
        kernels = [layers[name].kernel.numpy() for name in self._variables]
        self.masks = largest(kernels, self.masks, max(kept, 1))

    def _too_large(self) -> bool:
        return self._luts is not None and self._luts(self.model) > (self._budget or 0)
