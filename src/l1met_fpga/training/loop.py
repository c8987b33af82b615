"""Train one variant of a network."""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from l1met_fpga.config.run import RunConfig
from l1met_fpga.config.training import PruningConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.identity import Identity
from l1met_fpga.models.build import Variant, build, copy_weights
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.models.network import Network
from l1met_fpga.tasks.task import Task
from l1met_fpga.training.callbacks import (
    EpochReport,
    HistoryFile,
    Monitor,
    RefuseNan,
    best_weights,
    learning_rate,
    plateau,
)
from l1met_fpga.training.global_pruning import GlobalPruning, GlobalSteps
from l1met_fpga.training.losses import head_losses
from l1met_fpga.training.mixture import Batch, TrainingMixture
from l1met_fpga.training.monitor import Validation, packed_predictor
from l1met_fpga.training.pruning import (
    PruningSteps,
    check_sparsity,
    copy_masked,
    zero_fractions,
)
from l1met_fpga.training.resume import Checkpoint
from l1met_fpga.training.tensorboard import tensorboard_callbacks
from l1met_fpga.training.workers import require_same_epoch

__all__ = ["TrainedNetwork", "history_path", "primary_variant", "train_variant"]

logger = logging.getLogger(__name__)

Cost = Callable[[Network], float]
"""LUTs of a network."""


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """Result of training one variant.

    Attributes:
        model: Padded Keras model without pruning wrappers, weights baked when quantized.
        packed: The same network in the packed layout, weights not baked.
        trained: What Keras trained, pruning wrappers included.
        epochs: Epochs done.
        seconds: Wall time of this call.
        zero_fractions: Zeros of the quantized kernels by layer and in ``total``; empty for float.
        validation: Figures of the final weights on the validation part.
        luts: What a budget of LUTs was compared with, where there is one.
    """

    model: Any
    packed: Any
    trained: Any
    epochs: int
    seconds: float
    zero_fractions: dict[str, float]
    validation: dict[str, float]
    luts: float | None = None


def train_variant(
    config: RunConfig,
    task: Task,
    variant: Variant,
    mixture: TrainingMixture,
    validation: Validation,
    folder: Path,
    *,
    identity: Identity,
    report: EpochReport | None = None,
    strategy: Any | None = None,
    start: Any | None = None,
    cost: Cost | None = None,
    name: str | None = None,
) -> TrainedNetwork:
    """Train one variant; goes on from a checkpoint in ``folder`` if there is one.

    Args:
        config: The whole run.
        task: What is trained.
        variant: ``float``, ``quantized`` or ``pruned``.
        mixture: Training events.
        validation: Validation events.
        folder: Run folder: history, checkpoints and TensorBoard logs go there.
        identity: What the training is made from; a checkpoint of another one is refused.
        report: Called after every epoch.
        strategy: TensorFlow's distribution strategy, see :mod:`l1met_fpga.training.workers`.
        start: Network whose weights this one starts from; None starts from random ones.
        cost: Counts LUTs, where the pruning has a budget of them.
        name: Name in files and reports; the variant unless given.

    Raises:
        TrainingError: If the loss is not finite, a checkpoint belongs to another training, or the
            sparsity was not reached.
        ConfigError: If the network cannot be exact, or nothing counts LUTs for its budget.
    """
    started = time.monotonic()
    training, name = config.training.of(variant), name or variant
    keras.backend.clear_session()
    keras.utils.set_random_seed(training.seed)
    if training.deterministic:
        tf.config.experimental.enable_op_determinism()
    steps = mixture.steps_per_epoch
    plan = None if variant != "pruned" else _plan(training.pruning, steps * training.epochs)
    scope = nullcontext if strategy is None else strategy.scope
    with scope():
        schedule = None if plan is None else plan.schedule_for_library()
        model = build(config.model, task.heads, variant=variant, packed=True, schedule=schedule)
        rate = learning_rate(training, steps * training.epochs)
        lesson = 0.0 if variant == "float" else training.teacher.weight
        losses = head_losses(task, training.loss, lesson, bounded=training.teacher.bounded)
        model.compile(
            keras.optimizers.Adam(rate, jit_compile=False), [losses[h.name] for h in task.heads]
        )
        # Made here, or the first step would be traced twice: once to make them, once to run.
        model.optimizer.build(model.trainable_variables)
        if start is not None:
            copy_weights(start, model)
    plain: Variant = "float" if variant == "float" else "quantized"
    alone = strategy is None and schedule is None
    twin = model if alone else build(config.model, task.heads, variant=plain, packed=True)
    final = build(config.model, task.heads, variant=plain)
    estimate = packed_predictor(twin, task)
    luts = _counter(final, task, cost)
    history = HistoryFile(history_path(folder, config, name), name, report)
    first_counted = 0 if plan is None else plan.first_counted_epoch(steps, training.epochs)
    pruners = _pruners(plan, training.pruning, luts)
    stateful = [*plateau(training), best_weights(training, validation, first_counted)]
    kept = [*stateful, *(one for one in pruners if isinstance(one, GlobalPruning))]
    checkpoint = Checkpoint(
        folder / "checkpoints" / f"{name}.npz",
        kept,
        history,
        every=training.checkpoint_every,
        identity=identity,
    )
    callbacks = [
        RefuseNan(name),
        *pruners,
        Monitor(validation, twin, estimate),
        *stateful,
        *tensorboard_callbacks(training, folder / "tensorboard" / name),
        history,
        checkpoint,
    ]
    with scope():
        before = checkpoint.restore(model, training.epochs)
    if strategy is not None:
        require_same_epoch(strategy, before.epochs_done)
    if before.epochs_done:
        logger.info("%s network: going on after epoch %d", name, before.epochs_done)
    if not before.finished:
        model.fit(
            _dataset(task, model, mixture, before.epochs_done, strategy),
            epochs=training.epochs,
            initial_epoch=before.epochs_done,
            steps_per_epoch=steps,
            callbacks=callbacks,
            verbose=0,
        )
    copy_masked(model, twin)
    copy_weights(twin, final)
    figures = validation.figures(estimate)
    seconds = time.monotonic() - started
    result = TrainedNetwork(final, twin, model, len(history.rows), seconds, {}, figures)
    return result if variant == "float" else _baked(result, plan, training.pruning, luts)


def history_path(folder: Path, config: RunConfig, name: str) -> Path:
    """``history.csv`` of the firmware variant, ``history_NAME.csv`` of the other networks."""
    primary = name == primary_variant(config)
    return folder / ("history.csv" if primary else f"history_{name}.csv")


def primary_variant(config: RunConfig) -> Variant:
    """Return the variant that becomes firmware; the float one where there is none."""
    if config.model.no_firmware:
        return "float"
    return "pruned" if config.training.pruning.enabled else "quantized"


def _plan(config: PruningConfig, total_steps: int) -> PruningSteps | GlobalSteps:
    kind = GlobalSteps if config.schedule == "global" else PruningSteps
    return kind.of(config, total_steps)


def _pruners(
    plan: PruningSteps | GlobalSteps | None, config: PruningConfig, luts: Callable[[Any], float]
) -> list[Any]:
    if plan is None:
        return []
    if isinstance(plan, PruningSteps):
        return plan.callbacks()
    return [GlobalPruning(plan, config.luts, luts)]


def _counter(final: Any, task: Task, cost: Cost | None) -> Callable[[Any], float]:
    """Return what counts the LUTs of a network in training as it is.

    Args:
        final: The same network as it is exported; it gets the weights.
        task: What it is trained for.
        cost: Counts LUTs.
    """

    def luts(model: Any) -> float:
        if cost is None:
            raise ConfigError("training.pruning.luts is a budget, but nothing here counts LUTs")
        copy_masked(model, final)
        bake_weights(final)
        return cost(export_network(final, task.heads))

    return luts


def _baked(
    result: TrainedNetwork,
    plan: PruningSteps | GlobalSteps | None,
    config: PruningConfig,
    luts: Callable[[Any], float],
) -> TrainedNetwork:
    """Bake the weights of a quantized network and count its zeros, and its LUTs for a budget."""
    bake_weights(result.model)
    zeros = zero_fractions(result.model)
    if isinstance(plan, PruningSteps):
        check_sparsity(result.model, _pruned_layers(result.trained), config.sparsity)
    if plan is None or config.luts is None:
        return replace(result, zero_fractions=zeros)
    needed = luts(result.trained)
    if needed > config.luts:
        logger.warning(
            "the pruned network needs %.0f LUTs by the estimate, more than training.pruning.luts "
            "%d: fewer weights (training.pruning.kept) or narrower kernels would meet it",
            needed, config.luts,
        )  # fmt: skip
    return replace(result, zero_fractions=zeros, luts=needed)


def _dataset(
    task: Task, model: Any, mixture: TrainingMixture, first_epoch: int, strategy: Any | None
) -> Any:
    """Batches of all epochs from the given one on; each worker gets its part of every batch."""

    def make(worker: int, n_workers: int) -> Any:
        def batches() -> Any:
            epoch = first_epoch
            while True:
                for batch in mixture.batches(epoch, worker=worker, n_workers=n_workers):
                    yield _as_taken(task, model, batch)
                epoch += 1

        return tf.data.Dataset.from_generator(
            batches, output_signature=_signature(task, model, mixture)
        ).prefetch(4)

    if strategy is None:
        return make(0, 1)
    return strategy.distribute_datasets_from_function(
        lambda context: make(context.input_pipeline_id, context.num_input_pipelines)
    )


def _as_taken(task: Task, model: Any, batch: Batch) -> Any:
    """Return a batch with the columns that the model reads and the truth of its outputs."""
    inputs, truth, weights = batch
    columns = {name: inputs[name] for name in model.input_names}
    return columns, tuple(truth[head.name] for head in task.heads), weights


def _signature(task: Task, model: Any, mixture: TrainingMixture) -> Any:
    columns, truth, _ = _as_taken(task, model, next(iter(mixture.batches(0))))
    inputs = {
        name: tf.TensorSpec((None,), tf.as_dtype(values.dtype)) for name, values in columns.items()
    }
    heads = tuple(tf.TensorSpec((None, values.shape[1]), tf.float32) for values in truth)
    return inputs, heads, tf.TensorSpec((None,), tf.float32)


def _pruned_layers(model: Any) -> set[str]:
    return {layer.layer.name for layer in model.layers if hasattr(layer, "pruning_vars")}
