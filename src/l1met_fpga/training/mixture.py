"""Events of all samples in memory, and the batches that training draws from them.

Only filled slots are kept, one after another ("packed"), as int16: about 500 bytes per event. The
order of events, the mixture and the augmentation depend on the seed and the epoch alone, so a
resumed training sees what an uninterrupted one would have seen.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.faults import with_random_faults
from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.tasks.task import Heads, Task

__all__ = ["Batch", "TrainingMixture", "packed_inputs"]

Batch = tuple[
    dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[np.float32]], npt.NDArray[np.float32]
]
"""Inputs of a packed model, truth by head, shape (examples, size), weight per example."""


def packed_inputs(examples: Examples, chosen: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """Return the packed model's inputs for some examples, in that order."""
    rows, splits = examples.rows_of(chosen)
    inputs: dict[str, npt.NDArray[Any]] = {
        name: counts[rows].astype(np.float32) for name, counts in examples.columns.items()
    }
    return inputs | {"row_splits": splits}


def _known_truth(events: Examples, task: Task) -> dict[str, FloatArray]:
    truth = task.truth(events)
    for head, values in truth.items():
        unknown = ~np.isfinite(values).all(axis=1)
        if unknown.any():
            raise TrainingError(
                f"{int(unknown.sum())} of {unknown.size} events have no finite "
                f"{task.words.truth_long} ({task.truths[head]}); training needs it. Convert a "
                "sample with truth"
            )
    return truth


class TrainingMixture:
    """Draws the batches of each epoch.

    Args:
        samples: Events of each sample; the task says what is learnt from them.
        shares: Share of each sample in an epoch, any scale; a share of 0 leaves it out.
        config: Batch size, seed, augmentation, weights.
        task: What is trained.

    Raises:
        ConfigError: If faults of whole events are asked for where single candidates or jets are seen.
        TrainingError: If no event is left to train on, fewer than one batch, or one has no truth.
    """

    def __init__(
        self,
        samples: Sequence[Examples],
        shares: Sequence[float],
        config: TrainingConfig,
        task: Task,
    ) -> None:
        _require_whole_events(config, task)
        used = [
            (task.taught(s), w) for s, w in zip(samples, shares, strict=True) if w > 0 and len(s)
        ]
        if not used:
            raise TrainingError("no training events: every sample is empty or has weight 0")
        self.events = Examples.concatenate([sample for sample, _ in used])
        self._task = task
        self._truth = _known_truth(self.events, task)
        self._sizes = np.array([len(sample) for sample, _ in used])
        self._config = config
        weights = np.array([weight for _, weight in used], dtype=np.float64)
        wanted = config.events_per_epoch or int(self._sizes.sum())
        self._drawn = np.round(wanted * weights / weights.sum()).astype(np.int64)
        self.steps_per_epoch = int(self._drawn.sum()) // config.batch_size
        if self.steps_per_epoch < 1:
            raise TrainingError(
                f"{int(self._drawn.sum())} events per epoch are fewer than one batch of "
                f"{config.batch_size}; lower training.batch_size or add events"
            )
        self._weights = self._example_weights()
        self._teacher: Heads | None = None

    @property
    def drawn(self) -> list[tuple[int, int]]:
        """Events of each sample that is used, and how many of them an epoch draws."""
        return [(int(size), int(n)) for size, n in zip(self._sizes, self._drawn, strict=True)]

    def taught(self, teacher: Heads) -> "TrainingMixture":
        """Return the same mixture; targets have what teachers give of each event behind the truth.

        Args:
            teacher: By head, of :attr:`events`.
        """
        other = copy.copy(self)
        other._teacher = teacher
        return other

    def seeded(self, seed: int) -> "TrainingMixture":
        """Return the same events in the order and the views of another seed."""
        other = copy.copy(self)
        other._config = self._config.model_copy(update={"seed": seed})
        return other

    def _example_weights(self) -> npt.NDArray[np.float32]:
        own: npt.NDArray[np.float32] = self._task.example_weights(self.events).astype(np.float32)
        if not self._config.truth_edges_gev:
            return own
        size = self._task.score(self._task.measured(self.events, self._truth))
        index = np.searchsorted(self._config.truth_edges_gev, size, side="right")
        chosen: npt.NDArray[np.float32] = np.array(self._config.truth_weights, np.float32)[index]
        return own * chosen

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """Return the events of an epoch, shuffled; a sample is used up before it repeats."""
        chosen, base = [], 0
        for number, (size, drawn) in enumerate(zip(self._sizes, self._drawn, strict=True)):
            first, last = epoch * drawn, (epoch + 1) * drawn
            passes = [
                np.random.default_rng([self._config.seed, number, turn]).permutation(size)
                for turn in range(first // size, -(-last // size))
            ]
            start = first - first // size * size
            chosen.append(base + np.concatenate(passes)[start : start + drawn])
            base += size
        events = np.concatenate(chosen)
        np.random.default_rng([self._config.seed, 1 << 20, epoch]).shuffle(events)
        return events[: self.steps_per_epoch * self._config.batch_size]

    def _inputs(
        self, events: npt.NDArray[np.int64], place: list[int]
    ) -> dict[str, npt.NDArray[Any]]:
        """Return inputs of some events, some of them as on a bad day of the detector."""
        faults = self._config.faults
        if not faults.share:
            return packed_inputs(self.events, events)
        rng = np.random.default_rng([self._config.seed, 1 << 22, *place])
        seen = with_random_faults(self.events.take(events), faults, rng)
        return packed_inputs(seen, np.arange(len(seen)))

    def batches(self, epoch: int, *, worker: int = 0, n_workers: int = 1) -> Iterator[Batch]:
        """Yield the batches of an epoch.

        Args:
            epoch: Number of the epoch.
            worker: This worker's number; each gets its own events of every batch.
            n_workers: Workers that share a batch.
        """
        order = self.order(epoch).reshape(self.steps_per_epoch, -1)
        for step, events in enumerate(order):
            mine = events[worker::n_workers]
            inputs, *seen = self._seen(mine, [epoch, step, worker])
            targets = {
                head: np.concatenate([values[head] for values in seen], axis=1, dtype=np.float32)
                for head in seen[0]
            }
            yield inputs, targets, self._weights[mine]

    def _seen(self, events: npt.NDArray[np.int64], batch: list[int]) -> tuple[Any, ...]:
        """Return inputs, truth and teacher of the events of a batch, turned alike."""
        seed = [self._config.seed, 1 << 21, *batch]
        inputs, truth = self._inputs(events, batch), _rows(self._truth, events)
        if not self._config.augment:
            teacher = [] if self._teacher is None else [_rows(self._teacher, events)]
            return inputs, truth, *teacher
        seen = self._task.augment(inputs, truth, np.random.default_rng(seed))
        if self._teacher is None:
            return seen
        splits = {"row_splits": inputs["row_splits"]}  # the same draws, without the candidates
        given = _rows(self._teacher, events)
        return *seen, self._task.augment(splits, given, np.random.default_rng(seed))[1]


def _rows(heads: Heads, chosen: npt.NDArray[np.int64]) -> Heads:
    return {head: values[chosen] for head, values in heads.items()}


def _require_whole_events(config: TrainingConfig, task: Task) -> None:
    """Refuse faults of the detector where the training sees no whole event."""
    if config.faults.share and not task.learns_whole_events:
        seen = "candidate" if task.rows == "event" else task.rows
        raise ConfigError(
            f"training.faults changes whole events, and the task {task.name!r} is trained on one {seen} "
            "at a time; set training.faults.share to 0"
        )
