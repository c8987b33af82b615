"""What other networks give of the training events, for a student to learn from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.caches import cache_folder
from l1met_fpga.config.run import load_run
from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.files import atomic_path
from l1met_fpga.identity import content_digest, file_digest
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.models.build import Variant, build, copy_weights
from l1met_fpga.models.storage import load_model
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Heads, Task
from l1met_fpga.training.monitor import packed_predictor

__all__ = ["network_of_run", "of_other_events", "run_identity", "taught"]

_CACHE: Final = "teachers"


def taught(models: Sequence[Any], task: Task, events: Examples) -> Heads:
    """Return the mean of what some networks give of events, by head.

    Each network's output is kept in the cache by the content of network and events.

    Args:
        models: Packed Keras models of the task, at least one.
        task: What they give.
        events: Training events.

    Raises:
        TrainingError: If an output is not finite.
    """
    given = [_outputs(model, task, events) for model in models]
    return {head.name: np.mean([one[head.name] for one in given], axis=0) for head in task.heads}


def of_other_events(given: Heads, task: Task, events: Examples, rng: np.random.Generator) -> Heads:
    """Return for each event what teachers give of one of about the same true size, as a control.

    The other event is the next larger one (of the largest the next smaller one); of equal ones any.
    Its vectors are turned by the angle between the two truths.

    Args:
        given: What teachers give of the events, by head.
        task: What they give.
        events: The events, with their truth.
        rng: Chooses among events of equal truth.
    """
    truth = task.truth(events)
    size = task.score(task.measured(events, truth))
    order = np.lexsort((rng.random(len(size)), size))
    other = np.empty_like(order)
    other[order] = np.append(order[1:], order[-2:-1] if len(order) > 1 else order)
    return {
        head.name: _turned(given[head.name][other], truth[head.name], other)
        if head.kind == "vector"
        else given[head.name][other]
        for head in task.heads
    }


def _turned(vectors: FloatArray, truth: FloatArray, other: npt.NDArray[np.intp]) -> FloatArray:
    """Turn vectors of other events by the angle from their truth to the events' own."""
    angle = np.arctan2(truth[:, 1], truth[:, 0])
    turn = angle - angle[other]
    x, y = vectors[:, 0], vectors[:, 1]
    return np.stack(
        [x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1
    )


def run_identity(runs: Sequence[Path]) -> dict[str, str]:
    """Return what runs that teach are, by content, for the identity of a training."""
    return {f"teacher {i}": file_digest(_network(run)[0]) for i, run in enumerate(runs)}


def network_of_run(root: Path, task: Task, events: Examples) -> Any:
    """Return the float network of a run, else its firmware network, packed.

    Args:
        root: Run folder.
        task: What it must be trained for.
        events: What it is to run on.

    Raises:
        ConfigError: If it is of another task, or reads a column that the events do not have.
        RunFolderError: If it is no run or has no model.
    """
    path, variant = _network(root)
    config = load_run(RunFolder.open(root).config)
    if config.task != task.name:
        raise ConfigError(
            f"training.teacher.runs: {root} is a network of the task {config.task!r}; this run is "
            f"of {task.name!r}"
        )
    model = build(config.model, task.heads, variant=variant, packed=True)
    copy_weights(load_model(path), model)
    missing = sorted({*model.input_names} - {*events.columns, "row_splits"})
    if missing:
        raise ConfigError(
            f"training.teacher.runs: {root} reads {', '.join(missing)}, which this network does "
            "not; give both the same columns (model.features)"
        )
    return model


def _network(root: Path) -> tuple[Path, Variant]:
    run = RunFolder.open(root)
    if run.float_model.is_file():
        return run.float_model, "float"
    return run.model, "float" if load_run(run.config).model.no_firmware else "quantized"


def _outputs(model: Any, task: Task, events: Examples) -> Heads:
    path = cache_folder(_CACHE) / f"{_digest(model, events)}.npz"
    if path.is_file():
        return read_npz(path, error=TrainingError, next_step="remove the file")
    found = dict(packed_predictor(model, task)(events))
    if not all(np.isfinite(values).all() for values in found.values()):
        raise TrainingError(f"the teacher {model.name!r} gives numbers that are not finite")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **found)
    return found


def _digest(model: Any, events: Examples) -> str:
    """Return the content of a network and of events."""
    digest = hashlib.sha256(content_digest(_layers(model)).encode())
    arrays = [*model.get_weights(), *(events.columns[name] for name in sorted(events.columns))]
    for array in (*arrays, events.row_splits):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _layers(model: Any) -> list[str]:
    return [f"{layer.name} {layer.get_config()}" for layer in model.layers]
