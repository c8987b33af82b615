"""Train one variant of a network."""

import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l1met_fpga.config.run import RunConfig
from l1met_fpga.identity import Identity
from l1met_fpga.models.build import Variant, build, copy_weights
from l1met_fpga.models.export import bake_weights
from l1met_fpga.models.keras import keras, tf
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
from l1met_fpga.training.losses import head_losses
from l1met_fpga.training.mixture import Batch, TrainingMixture
from l1met_fpga.training.monitor import Validation, packed_predictor
from l1met_fpga.training.pruning import PruningSteps, check_sparsity, copy_masked
from l1met_fpga.training.resume import Checkpoint
from l1met_fpga.training.tensorboard import tensorboard_callbacks
from l1met_fpga.training.workers import require_same_epoch

__all__ = ["TrainedNetwork", "history_path", "primary_variant", "train_variant"]

logger = logging.getLogger(__name__)


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
    """

    model: Any
    packed: Any
    trained: Any
    epochs: int
    seconds: float
    zero_fractions: dict[str, float]
    validation: dict[str, float]


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

    Raises:
        TrainingError: If the loss is not finite, a checkpoint belongs to another training, or the
            sparsity was not reached.
        ConfigError: If the network cannot be exact.
    """
    started = time.monotonic()
    training = config.training
    keras.backend.clear_session()
    keras.utils.set_random_seed(training.seed)
    if training.deterministic:
        tf.config.experimental.enable_op_determinism()
    steps = mixture.steps_per_epoch
    pruning = PruningSteps.of(training.pruning, steps * training.epochs)
    scope = nullcontext if strategy is None else strategy.scope
    with scope():
        schedule = pruning.schedule_for_library()
        model = build(config.model, task.heads, variant=variant, packed=True, schedule=schedule)
        rate = learning_rate(training, steps * training.epochs)
        losses = head_losses(task, training.loss)
        model.compile(
            keras.optimizers.Adam(rate, jit_compile=False), [losses[h.name] for h in task.heads]
        )
    plain: Variant = "float" if variant == "float" else "quantized"
    twin = build(config.model, task.heads, variant=plain, packed=True)
    history = HistoryFile(history_path(folder, config, variant), variant, report)
    first_counted = pruning.first_counted_epoch(steps, training.epochs)
    best = best_weights(training, validation, first_counted if variant == "pruned" else 0)
    stateful = [*plateau(training), best]
    checkpoint = Checkpoint(
        folder / "checkpoints" / f"{variant}.npz",
        stateful,
        history,
        every=training.checkpoint_every,
        identity=identity,
    )
    callbacks = [
        *_before_monitoring(variant),
        Monitor(validation, twin, task),
        *stateful,
        *tensorboard_callbacks(training, folder / "tensorboard" / variant),
        history,
        checkpoint,
    ]
    with scope():
        before = checkpoint.restore(model, training.epochs)
    if strategy is not None:
        require_same_epoch(strategy, before.epochs_done)
    if before.epochs_done:
        logger.info("%s network: going on after epoch %d", variant, before.epochs_done)
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
    final = build(config.model, task.heads, variant=plain)
    copy_weights(twin, final)
    zeros: dict[str, float] = {}
    if variant != "float":
        bake_weights(final)
        zeros = check_sparsity(final, _pruned_layers(model), training.pruning.sparsity)
    figures = validation.figures(packed_predictor(twin, task))
    seconds = time.monotonic() - started
    return TrainedNetwork(final, twin, model, len(history.rows), seconds, zeros, figures)


def history_path(folder: Path, config: RunConfig, variant: Variant) -> Path:
    """``history.csv`` of the firmware variant, ``history_VARIANT.csv`` of its twins."""
    primary = variant == primary_variant(config)
    return folder / ("history.csv" if primary else f"history_{variant}.csv")


def primary_variant(config: RunConfig) -> Variant:
    """Return the variant that becomes firmware; the float one where there is none."""
    if config.model.no_firmware:
        return "float"
    return "pruned" if config.training.pruning.enabled else "quantized"


def _before_monitoring(variant: Variant) -> list[Any]:
    if variant != "pruned":
        return [RefuseNan(variant)]
    from tensorflow_model_optimization.sparsity.keras import UpdatePruningStep

    return [RefuseNan(variant), UpdatePruningStep()]


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
