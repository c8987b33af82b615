"""The size that a network tells the global trigger, brought to the scale of the truth on validation events."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from l1met_fpga.config.run import RunConfig
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.errors import ConfigError
from l1met_fpga.metrics.size_calibration import fit_line, require_events
from l1met_fpga.models.network import Network
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.tasks.task import Task
from l1met_fpga.training.monitor import Validation, packed_predictor

__all__ = ["calibrated", "require_calibration"]

logger = logging.getLogger(__name__)


def require_calibration(config: RunConfig, task: Task, samples: Sequence[LoadedSample]) -> None:
    """Find out before the training whether its network can be calibrated as asked.

    Raises:
        ConfigError: If the sample is none with truth, or the task gives no vector in GeV.
        DataError: If the sample has too few validation events.
    """
    wanted = config.training.calibrate
    if wanted is None:
        return
    signals = [s.label for s in samples if not s.is_background and len(s.validation)]
    if wanted not in signals:
        raise ConfigError(
            f"training.calibrate is {wanted!r}; it is one of the signal samples with validation "
            f"events: {', '.join(signals) or 'there is none'}. Name one of them, or null"
        )
    if not any(head.told_in_word for head in task.heads):
        raise ConfigError(
            "training.calibrate corrects the size of a vector in GeV in the word for the global "
            f"trigger; the task {task.name!r} gives {', '.join(h.name for h in task.heads)}. Set "
            "it to null"
        )
    sample = next(one for one in samples if one.label == wanted)
    truth = task.score(task.truth(sample.validation))
    require_events(truth, config.evaluation.response_range_gev)


def calibrated(
    network: Network, packed: Any, config: RunConfig, validation: Validation, task: Task
) -> Network:
    """Return a network that tells its vector's size at the scale of the truth, if that is asked for.

    Args:
        network: The integers.
        packed: The same as a packed Keras model.
        config: Of the run; ``training.calibrate`` names the sample.
        validation: Validation events.
        task: What the network gives.

    Raises:
        DataError: If the sample has too few events.
    """
    wanted = config.training.calibrate
    if wanted is None:
        return network
    head = next(head for head in network.heads if head.told_in_word)
    events, truth = validation.of(wanted)
    given = packed_predictor(packed, task)(events)
    line = fit_line(given[head.name], truth[head.name], config.evaluation.response_range_gev)
    found = SizeCalibration.of(*line)
    if not np.allclose(line, (found.factor, found.offset_gev), rtol=0, atol=1 / 32):
        logger.warning(
            "the fitted line, %.3f times the size %+.1f GeV, has no place in the word: the nearest that has one "
            "is told, so the mean response is not 1", *line,
        )  # fmt: skip
    logger.info(
        "%s is told as %.3f times its size %+.1f GeV (mean response 1 in %s)",
        head.name, found.factor, found.offset_gev, wanted,
    )  # fmt: skip
    return network.calibrated(head.name, found)
