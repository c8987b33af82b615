"""What is said of a training before it begins: the events of an epoch, and a pruning that ends late."""

import logging
from collections.abc import Sequence
from typing import Final

from l1met_fpga.config.run import RunConfig
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.networks import planned

__all__ = ["announce", "epoch_of", "late_pruning"]

RECOVERY_EPOCHS: Final = 3
"""A pruned network needs about so many to win back what it lost."""

logger = logging.getLogger(__name__)


def announce(config: RunConfig, samples: Sequence[LoadedSample], mixture: TrainingMixture) -> None:
    """Say it."""
    logger.info("an epoch: %s", epoch_of(samples, mixture))
    if note := late_pruning(config):
        logger.warning(note)


def epoch_of(samples: Sequence[LoadedSample], mixture: TrainingMixture) -> str:
    """Return the events of each sample in an epoch, and how often each of them is seen."""
    used = [sample.label for sample in samples if sample.share > 0 and len(sample.train)]
    return ", ".join(
        f"{drawn:,} of {label} ({drawn / size:.2g} x each of {size:,})"
        for label, (size, drawn) in zip(used, mixture.drawn, strict=True)
    )


def late_pruning(config: RunConfig) -> str:
    """Say that too few epochs follow the pruning; empty if enough do, or nothing is pruned."""
    epochs = next((one.epochs for one in planned(config) if one.name == "pruned"), 0)
    left = epochs * (1 - config.training.pruning.end)
    if not epochs or left >= RECOVERY_EPOCHS:
        return ""
    return (
        f"pruning ends {left:.1f} epochs before the training of the pruned network, which needs "
        f"about {RECOVERY_EPOCHS} to recover: its figures will be worse than those of a longer "
        "training (training.epochs, or a lower training.pruning.end)"
    )
