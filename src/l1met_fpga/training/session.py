"""A whole training run: all variants of a network, into a run folder."""

import logging
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l1met_fpga.config.run import RunConfig, load_run, save_run
from l1met_fpga.config.training import EarlyStoppingConfig
from l1met_fpga.data.samples import LoadedSample, load_samples
from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.identity import Identity, require_same
from l1met_fpga.models.build import Variant
from l1met_fpga.models.export import export_network
from l1met_fpga.models.registry import builder
from l1met_fpga.models.storage import save_model
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Task
from l1met_fpga.training import workers
from l1met_fpga.training.callbacks import EpochReport
from l1met_fpga.training.environment import environment
from l1met_fpga.training.inputs import training_identity
from l1met_fpga.training.loop import TrainedNetwork, primary_variant, train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.resume import require_same_inputs
from l1met_fpga.training.tensorboard import require_tensorboard

__all__ = ["TrainingRun", "load_training", "train_run", "variants"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a run gave.

    Attributes:
        folder: The run folder, complete for evaluation and firmware.
        primary: Variant that firmware is made from.
        summary: Content of ``training.json``.
    """

    folder: RunFolder
    primary: Variant
    summary: dict[str, Any]


def variants(config: RunConfig) -> tuple[Variant, ...]:
    """Return the variants to train, twins first."""
    primary = primary_variant(config)
    if primary == "float":
        return (primary,)
    chosen: list[Variant] = ["float"] if config.training.float_twin else []
    if config.training.unpruned_twin and primary != "quantized":
        chosen.append("quantized")
    return (*chosen, primary)


def train_run(
    config: RunConfig,
    task: Task,
    root: Path,
    *,
    command: str,
    overwrite: bool = False,
    resume: bool = False,
    report: EpochReport | None = None,
    on_start: Callable[[Mapping[str, float]], None] | None = None,
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
            today, on the validation events.

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
    strategy, root = workers.strategy(), workers.own_folder(root)
    # Everything that can be wrong with the input is found before the folder is made.
    builder(config.model.architecture, task.heads)
    if not resume:  # before minutes of conversion
        RunFolder.require_free(root, clear=overwrite)
    samples, mixture, validation = load_training(config, task)
    validation.direction(config.training.early_stopping or EarlyStoppingConfig())
    identity = training_identity(config, samples)
    if on_start is not None:
        on_start(validation.reference)
    with exclusive(root):
        folder = _open(config, root, identity, overwrite=overwrite, resume=resume)
        write_json(folder.environment, environment(seed=config.training.seed, command=command))
        results: dict[str, TrainedNetwork] = {}
        for variant in variants(config):
            results[variant] = train_variant(
                config, task, variant, mixture, validation, folder.root,
                identity=identity, report=report, strategy=strategy,
            )  # fmt: skip
            _save(folder, config, task, variant, results[variant])
        summary = _summary(config, samples, mixture, validation, results)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        write_json(folder.training, summary)  # the last: the training is complete
    return TrainingRun(folder, primary_variant(config), summary)


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
        rows=task.rows, besides=task.besides,
    )  # fmt: skip
    mixture = TrainingMixture(
        [s.train for s in samples], [s.share for s in samples], config.training, task
    )
    return samples, mixture, Validation(samples, config.training.loss, task, config.evaluation)


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
    require_same(
        _settings(load_run(folder.config)),
        _settings(config),
        what=str(folder.config),
        next_step=(
            "Go on with the same settings "
            f"(l1met train {folder.config} --output {root} --resume), or start again with --overwrite"
        ),
        error=ConfigError,
    )
    require_same_inputs(folder.checkpoints, identity)
    return folder


def _settings(config: RunConfig) -> dict[str, Any]:
    """Return every setting under its dotted name."""

    def flat(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in section.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    return dict(flat(config.model_dump(mode="json"), ""))


def _save(
    folder: RunFolder, config: RunConfig, task: Task, variant: Variant, result: TrainedNetwork
) -> None:
    if variant == primary_variant(config):
        save_model(result.model, folder.model)
        if variant == "float":  # an architecture without firmware
            return
        export_network(result.model, task.heads).save(folder.network)
    else:
        save_model(
            result.model, folder.float_model if variant == "float" else folder.unpruned_model
        )


def _summary(
    config: RunConfig,
    samples: Sequence[LoadedSample],
    mixture: TrainingMixture,
    validation: Validation,
    results: dict[str, TrainedNetwork],
) -> dict[str, Any]:
    def finite(figures: dict[str, float]) -> dict[str, float | None]:
        return {k: v if math.isfinite(v) else None for k, v in figures.items()}

    return {
        "task": config.task,
        "model": config.model.name,
        "architecture": config.model.architecture,
        "primary": primary_variant(config),
        "seed": config.training.seed,
        "training_events": sum(len(sample.train) for sample in samples),
        "steps_per_epoch": mixture.steps_per_epoch,
        "samples": [sample.record() for sample in samples],
        "puppi": finite(validation.reference),
        "networks": {
            variant: {
                "epochs": result.epochs,
                "seconds": round(result.seconds, 1),
                "parameters": int(result.model.count_params()),
                "zero_fractions": result.zero_fractions,
                "validation": finite(result.validation),
            }
            for variant, result in results.items()
        },
    }
