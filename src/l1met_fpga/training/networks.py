"""Train networks of a run one after another and keep each in the run folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from l1met_fpga.config.run import RunConfig
from l1met_fpga.identity import Identity
from l1met_fpga.models.build import Variant
from l1met_fpga.models.export import export_network
from l1met_fpga.models.storage import save_model
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Task
from l1met_fpga.training.callbacks import EpochReport
from l1met_fpga.training.loop import TrainedNetwork, primary_variant, train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation

__all__ = ["Records", "TrainingInputs", "train_networks"]

Records = dict[str, dict[str, Any]]
"""What ``training.json`` says of each network, by variant."""


@dataclass(frozen=True, slots=True)
class TrainingInputs:
    """What all networks of a run are made from, and where they go.

    Attributes:
        config: The whole run.
        task: What is trained.
        mixture: Training events.
        validation: Validation events.
        folder: Run folder.
        identity: What the training is made from, for the checkpoints.
    """

    config: RunConfig
    task: Task
    mixture: TrainingMixture
    validation: Validation
    folder: RunFolder
    identity: Identity


def train_networks(
    inputs: TrainingInputs,
    variants: Sequence[Variant],
    *,
    report: EpochReport | None = None,
    strategy: Any | None = None,
) -> Records:
    """Train some networks of a run, in this order; each is saved when it is complete.

    Args:
        inputs: What they are made from.
        variants: Which.
        report: Called after every epoch.
        strategy: TensorFlow's distribution strategy, see :mod:`l1met_fpga.training.workers`.

    Raises:
        TrainingError: If a training fails.
        ConfigError: If a network cannot be exact.
    """
    records: Records = {}
    for variant in variants:
        result = train_variant(
            inputs.config, inputs.task, variant, inputs.mixture, inputs.validation,
            inputs.folder.root, identity=inputs.identity, report=report, strategy=strategy,
        )  # fmt: skip
        _save(inputs, variant, result)
        records[variant] = {
            "epochs": result.epochs,
            "seconds": round(result.seconds, 1),
            "parameters": int(result.model.count_params()),
            "zero_fractions": result.zero_fractions,
            "validation": result.validation,
        }
    return records


def _save(inputs: TrainingInputs, variant: Variant, result: TrainedNetwork) -> None:
    folder = inputs.folder
    if variant == primary_variant(inputs.config):
        save_model(result.model, folder.model)
        if variant != "float":  # of an architecture without firmware
            export_network(result.model, inputs.task.heads).save(folder.network)
    else:
        twin = folder.float_model if variant == "float" else folder.unpruned_model
        save_model(result.model, twin)
