"""Train networks of a run one after another and keep each in the run folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from l1met_fpga.config.run import RunConfig
from l1met_fpga.identity import Identity
from l1met_fpga.models.build import Variant
from l1met_fpga.models.export import export_network
from l1met_fpga.models.nodes import Origin
from l1met_fpga.models.storage import save_model
from l1met_fpga.results.base import finite_or_none
from l1met_fpga.results.run import TrainingRecord
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Task
from l1met_fpga.training.calibration import calibrated
from l1met_fpga.training.callbacks import EpochReport
from l1met_fpga.training.loop import Cost, TrainedNetwork, primary_variant, train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.teacher import network_of_run, of_other_events, taught

__all__ = ["PlannedNetwork", "Records", "TrainingInputs", "planned", "train_networks"]

Records = dict[str, TrainingRecord]
"""What ``training.json`` says of each network, by its name."""


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
        cost: Counts LUTs, for a budget of them.
        z0_origin: Where z0 of the events counts from.
    """

    config: RunConfig
    task: Task
    mixture: TrainingMixture
    validation: Validation
    folder: RunFolder
    identity: Identity
    cost: Cost | None = None
    z0_origin: Origin = "beam"


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """A network that a run trains.

    Attributes:
        name: Name in files: the variant, or ``teacher_N``.
        variant: Its variant.
        config: The run, with the settings that it is trained with.
    """

    name: str
    variant: Variant
    config: RunConfig

    @property
    def epochs(self) -> int:
        """Epochs that it trains at most."""
        return self.config.training.of(self.variant).epochs


def planned(config: RunConfig) -> tuple[PlannedNetwork, ...]:
    """Return the networks that a run trains, in this order: float ones, then quantized ones."""
    training, primary = config.training, primary_variant(config)
    if primary == "float":
        return (PlannedNetwork(primary, primary, config),)
    found = [PlannedNetwork("float", "float", config)] if training.float_twin else []
    for number in range(training.teacher.train if training.teacher.weight else 0):
        settings = config.model_copy(update={"training": training.of_teacher(number)})
        found.append(PlannedNetwork(f"teacher_{number + 1}", "float", settings))
    if training.unpruned_twin and primary != "quantized":
        found.append(PlannedNetwork("quantized", "quantized", config))
    return (*found, PlannedNetwork(primary, primary, config))


def train_networks(
    inputs: TrainingInputs,
    names: Sequence[str],
    *,
    report: EpochReport | None = None,
    strategy: Any | None = None,
) -> Records:
    """Train some networks of a run, in this order; each is saved when it is complete.

    Args:
        inputs: What they are made from.
        names: Which of :func:`planned`; after those that they start or learn from.
        report: Called after every epoch.
        strategy: TensorFlow's distribution strategy, see :mod:`l1met_fpga.training.workers`.

    Raises:
        TrainingError: If a training fails.
        ConfigError: If a network cannot be exact, or a teacher cannot teach it.
    """
    records: Records = {}
    results: dict[str, TrainedNetwork] = {}
    chosen = {one.name: one for one in planned(inputs.config)}
    for name in names:
        one = chosen[name]
        result = results[name] = train_variant(
            one.config, inputs.task, one.variant, _lesson(one, inputs, results), inputs.validation,
            inputs.folder.root, identity=inputs.identity, report=report, strategy=strategy,
            start=_start(one, results), cost=inputs.cost, name=name,
        )  # fmt: skip
        _save(inputs, name, result)
        records[name] = TrainingRecord(
            epochs=result.epochs,
            seconds=round(result.seconds, 1),
            parameters=int(result.model.count_params()),
            zero_fractions=result.zero_fractions,
            luts=result.luts,
            validation=finite_or_none(result.validation),
        )
    return records


def _lesson(
    one: PlannedNetwork, inputs: TrainingInputs, results: Mapping[str, TrainedNetwork]
) -> TrainingMixture:
    """Return what a network is trained on: with what its teachers give, if it has any."""
    teacher, task, events = one.config.training.teacher, inputs.task, inputs.mixture.events
    if one.variant == "float" or not teacher.weight:
        return inputs.mixture.seeded(one.config.training.seed)
    own = [n for n in results if n.startswith("teacher_") or (n == "float" and teacher.twin)]
    models = [results[name].packed for name in own]
    models += [network_of_run(run, task, events) for run in teacher.runs]
    given = taught(models, task, events)
    if teacher.shuffled:
        rng = np.random.default_rng([one.config.training.seed, 1 << 23])
        given = of_other_events(given, task, events, rng)
    return inputs.mixture.taught(given)


def _start(one: PlannedNetwork, results: Mapping[str, TrainedNetwork]) -> Any | None:
    if one.variant == "float" or not one.config.training.start_from_float:
        return None
    return results["float"].packed


def _save(inputs: TrainingInputs, name: str, result: TrainedNetwork) -> None:
    folder = inputs.folder
    if name == primary_variant(inputs.config):
        save_model(result.model, folder.model)
        if name != "float":  # of an architecture without firmware
            task, validation = inputs.task, inputs.validation
            network = export_network(result.model, task.heads, z0_origin=inputs.z0_origin)
            calibrated(network, result.packed, inputs.config, validation, task).save(folder.network)
    elif name in ("float", "quantized"):
        twin = folder.float_model if name == "float" else folder.unpruned_model
        save_model(result.model, twin)
