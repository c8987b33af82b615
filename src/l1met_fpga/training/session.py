"""A whole training run: all variants of a network, into a run folder."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.base import dotted
from l1met_fpga.config.run import RunConfig, load_run, save_run
from l1met_fpga.config.training import EarlyStoppingConfig
from l1met_fpga.data.samples import LoadedSample, load_samples, require_samples
from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.identity import Identity, require_same
from l1met_fpga.models.build import Variant
from l1met_fpga.models.keras import tf
from l1met_fpga.models.nodes import Origin
from l1met_fpga.models.registry import builder
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.results.base import finite_or_none
from l1met_fpga.results.run import TrainingStart, TrainingSummary
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Task
from l1met_fpga.training import workers
from l1met_fpga.training.announced import announce
from l1met_fpga.training.beside import Beside
from l1met_fpga.training.calibration import require_calibration
from l1met_fpga.training.callbacks import EpochReport
from l1met_fpga.training.environment import environment
from l1met_fpga.training.inputs import training_identity
from l1met_fpga.training.loop import Cost, primary_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.networks import Records, TrainingInputs, planned, train_networks
from l1met_fpga.training.resume import require_same_inputs
from l1met_fpga.training.tensorboard import require_tensorboard

__all__ = ["TrainingRun", "load_training", "require_same_settings", "train_run"]

Lanes = tuple[tuple[str, ...], ...]
"""Networks that train one after another, by process."""
STEPS_WORTH_A_PROCESS: Final = 1000
"""Training steps of a network in about twice the time that a second process needs to start."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a run gave.

    Attributes:
        folder: The run folder, complete for evaluation and firmware.
        primary: Variant that firmware is made from.
        summary: What was trained on what.
    """

    folder: RunFolder
    primary: Variant
    summary: TrainingSummary


def train_run(
    config: RunConfig,
    task: Task,
    root: Path,
    *,
    command: str,
    overwrite: bool = False,
    resume: bool = False,
    report: EpochReport | None = None,
    on_start: Callable[[Mapping[str, float], Lanes], None] | None = None,
    cost: Cost | None = None,
) -> TrainingRun:
    """Train a network and its twins and write the run folder.

    Models appear in the folder only when their training is complete; an interrupted run keeps
    checkpoints and goes on with ``resume``.

    Args:
        config: The run.
        task: What is trained.
        root: Run folder to make (or to go on with).
        command: What was run, for ``environment.json``.
        overwrite: Replace an earlier run there.
        resume: Go on with an interrupted run there.
        report: Called after every epoch.
        on_start: Called once before the first epoch, with the figures of what the trigger gives
            today, on the validation events, and the networks of each process, in the order of
            their training.
        cost: Counts LUTs, for ``training.pruning.luts``.

    Raises:
        ConfigError: If a sample is missing or a setting makes no sense.
        DataError: If a sample cannot be read.
        RunFolderError: If the folder holds something else.
        TrainingError: If training fails.
    """
    if resume and overwrite:
        raise ConfigError(
            "--resume goes on with a run and --overwrite removes it; give one of them"
        )
    require_tensorboard(config.training)
    require_samples(config.samples)  # before other machines are waited for
    strategy, root = workers.strategy(), workers.own_folder(root)
    # Everything that can be wrong with the input is found before the folder is made.
    builder(config.model.architecture, task.heads)
    if not resume:  # before minutes of conversion
        RunFolder.require_free(root, clear=overwrite)
    samples, mixture, validation = load_training(config, task)
    validation.direction(config.training.early_stopping or EarlyStoppingConfig())
    identity = training_identity(config, samples)
    lanes = _lanes(config, mixture)
    announce(config, samples, mixture)
    if on_start is not None:
        on_start(validation.reference, lanes)
    with exclusive(root):
        folder = _open(config, root, identity, overwrite=overwrite, resume=resume)
        write_json(folder.started, _start(config, validation).model_dump())
        made = environment(seed=config.training.seed, command=command)
        write_json(folder.environment, made.model_dump())
        inputs = TrainingInputs(
            config, task, mixture, validation, folder, identity, cost, _z0_origin(samples)
        )
        records = _train(inputs, lanes, report, strategy)
        summary = _summary(config, samples, mixture, validation, records, identity)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        write_json(folder.training, summary.model_dump())  # the last: the training is complete
    return TrainingRun(folder, primary_variant(config), summary)


def _z0_origin(samples: Sequence[LoadedSample]) -> Origin:
    """Say where z0 counts from; samples that disagree are refused when firmware is made of them."""
    from_vertex = COLUMNS["z0"].count_unit_from("vertex")
    return "vertex" if any(s.units.get("z0") == from_vertex for s in samples) else "beam"


def _lanes(config: RunConfig, mixture: TrainingMixture) -> Lanes:
    """Say which networks train in this process and which, if any, in one beside it.

    No network that follows another in a lane waits for one of the other lane. Several machines, or
    a GPU, whose memory TensorFlow takes for one process, train one network after another.
    """
    chosen, training = _names(config), config.training
    waits = training.start_from_float or training.teacher.weight > 0
    alone = [name for name in chosen if name == "quantized" and not waits]
    worth = mixture.steps_per_epoch * training.of("quantized").epochs >= STEPS_WORTH_A_PROCESS
    several = len(chosen) > 1 and allowed_processors() > 1 and workers.place().count == 1
    if not (alone and worth and several) or tf.config.list_physical_devices("GPU"):
        return (chosen,)
    return tuple(name for name in chosen if name not in alone), tuple(alone)


def _names(config: RunConfig) -> tuple[str, ...]:
    return tuple(one.name for one in planned(config))


def _train(
    inputs: TrainingInputs, lanes: Lanes, report: EpochReport | None, strategy: Any | None
) -> Records:
    """Train the first lane here and the second, if there is one, beside it."""
    here, *there = lanes
    if not there:
        return train_networks(inputs, here, report=report, strategy=strategy)
    with Beside(inputs, there[0], report) as other:
        return train_networks(inputs, here, report=other.report) | other.records()


def load_training(
    config: RunConfig, task: Task
) -> tuple[tuple[LoadedSample, ...], TrainingMixture, Validation]:
    """Read the samples of a run: the batches of its training and the figures to watch.

    Raises:
        ConfigError: If a sample is missing, or the task has no such loss.
        DataError: If a sample cannot be read, or has no such truth.
        TrainingError: If there is too little to train on or to watch.
    """
    samples = load_samples(
        config.samples, config.model, tuple(task.truths.values()), reference=task.reference,
        rows=task.rows, besides=task.besides, taught_columns=task.taught_columns,
    )  # fmt: skip
    require_calibration(config, task, samples)
    mixture = TrainingMixture(
        [s.train for s in samples], [s.share for s in samples], config.training, task
    )
    return samples, mixture, Validation(samples, config.training.loss, task, config.evaluation)


def _start(config: RunConfig, validation: Validation) -> TrainingStart:
    return TrainingStart(
        networks={one.name: one.epochs for one in planned(config)},
        puppi=finite_or_none(validation.reference),
    )


def _open(
    config: RunConfig, root: Path, identity: Identity, *, overwrite: bool, resume: bool
) -> RunFolder:
    """Make the folder, or open the one to go on with if it was made from the same inputs."""
    if not (resume and root.is_dir()):
        folder = RunFolder.create(root, clear=overwrite)
        save_run(config, folder.config)
        return folder
    folder = RunFolder.open(root)
    if folder.training.exists():
        raise TrainingError(
            f"the training in {root} is complete; what follows are `l1met evaluate {root}` and "
            f"`l1met report {root}`, or start again with --overwrite"
        )
    if not folder.config.exists():  # killed before it had done anything
        save_run(config, folder.config)
        return folder
    require_same_settings(folder.config, load_run(folder.config), config)
    require_same_inputs(folder.checkpoints, identity)
    return folder


def require_same_settings(path: Path, recorded: RunConfig, config: RunConfig) -> None:
    """Refuse to go on with a run that was started with other settings.

    Args:
        path: Its ``config.yaml``.
        recorded: What it holds.
        config: The settings now.

    Raises:
        ConfigError: If one differs; names all that do.
    """
    require_same(
        dotted(recorded.model_dump(mode="json")),
        dotted(config.model_dump(mode="json")),
        what=str(path),
        next_step=(
            f"Go on with the same settings (l1met train {path} --output {path.parent} --resume), "
            "or start again with --overwrite"
        ),
        error=ConfigError,
    )


def _summary(
    config: RunConfig,
    samples: Sequence[LoadedSample],
    mixture: TrainingMixture,
    validation: Validation,
    records: Records,
    identity: Identity,
) -> TrainingSummary:
    return TrainingSummary(
        task=config.task,
        model=config.model.name,
        architecture=config.model.architecture,
        primary=primary_variant(config),
        seed=config.training.seed,
        made_from=dict(identity),
        training_events=sum(len(sample.train) for sample in samples),
        steps_per_epoch=mixture.steps_per_epoch,
        samples=[sample.record() for sample in samples],
        puppi=finite_or_none(validation.reference),
        networks={name: records[name] for name in _names(config)},
    )
