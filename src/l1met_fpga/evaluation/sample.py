"""Samples and estimates: what every figure and plot of the evaluation starts from."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import LABEL_RULE, is_label
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_PILEUP
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.classes import Classes, classes_of
from l1met_fpga.identity import Identity
from l1met_fpga.metrics.arrays import FloatArray, check_finite, check_same_length
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS
from l1met_fpga.tasks.task import Heads, Task

__all__ = [
    "Estimator",
    "Events",
    "Sample",
    "estimate",
    "load_arrays",
    "load_store",
    "same_truth",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """Examples of one store.

    Attributes:
        label: Sample label.
        examples: With the truth of the task.
        n_candidates: Before truncation, shape (n,).
        is_background: Pile-up-only events.
        identity: What tells these events from others: the store, its part and their number.
        others: Estimates of the source's other algorithms by name; NaN where it had none.
    """

    label: str
    examples: Examples
    n_candidates: npt.NDArray[np.int64]
    is_background: bool = False
    identity: Identity = field(default_factory=dict)
    others: Mapping[str, Heads] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.examples)


Estimator = Callable[[Events], Heads]
"""Gives the heads of events."""


@dataclass(frozen=True)
class Sample:
    """Estimates of the same events, beside the truth.

    Attributes:
        label: ``ttbar``, ``znunu``, ``pileup``, ...
        truth: By head; zeros for pile-up-only events.
        estimates: Heads by name of the estimate.
        is_background: Pile-up-only events: rates come from them, resolutions do not.
        n_candidates: Per event, when known.
        identity: What these events are, when they come from a store.
        classes: Divisions of the events by name, when their candidates are known.
    """

    label: str
    truth: Heads
    estimates: dict[str, Heads]
    is_background: bool = False
    n_candidates: npt.NDArray[np.int64] | None = None
    identity: dict[str, Any] | None = None
    classes: Mapping[str, Classes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for head, truth in self.truth.items():
            size = np.asarray(truth).shape[-1]
            check_finite(truth, size, name=f"the truth of {self.label!r}")
            given = {repr(name): heads[head] for name, heads in self.estimates.items()}
            for name, values in given.items():
                check_finite(values, size, name=f"{name} of {self.label!r}")
            check_same_length({"the truth": truth, **given})

    def __len__(self) -> int:
        return len(next(iter(self.truth.values())))


def load_store(
    path: Path,
    task: Task,
    part: Part | None = Part.TEST,
    *,
    columns: tuple[str, ...] = REQUIRED_COLUMNS,
    max_events: int | None = None,
) -> Events:
    """Read one part of a store.

    Args:
        path: HDF5 store.
        task: Whose truth is needed.
        part: Training, validation or test part; ``None`` takes all events.
        columns: Candidate columns.
        max_events: Take at most so many, from the start.

    Raises:
        DataError: If the file is no store, the part holds no event, or no event has truth.
    """
    with Store.open(path) as store:
        events = np.arange(store.n_events) if part is None else store.events_of(part)
        if len(events) == 0:
            which = "any event" if part is None else f"an event in its {part.name.lower()} part"
            raise DataError(f"{path} does not hold {which}; convert more events or another split")
        if not is_label(store.label):
            raise DataError(
                f"{path}: its label {store.label!r} must have {LABEL_RULE}; convert the sample "
                "again with --label"
            )
        store.require_rows(task.rows)
        events = events[:max_events]
        truths = tuple(task.truths.values())
        if not set(truths) <= set(store.truths):
            raise _nothing_known(store, task)
        besides = [*task.besides, *([N_PILEUP] if store.has_n_pileup else [])]
        examples = store.examples(events, columns, truths=truths, besides=besides)
        known = _known(task.truth(examples))
        if not known.any():
            raise _nothing_known(store, task)
        if not known.all():
            logger.warning(
                "%s: %d of %d events have no %s and are left out",
                path, int((~known).sum()), len(known), task.words.truth_long,
            )  # fmt: skip
            events, examples = events[known], examples.take(np.flatnonzero(known))
        identity = {
            **store.identity,
            "part": "all" if part is None else part.name.lower(),
            "events": len(events),
        }
        return Events(
            store.label,
            examples,
            store.n_candidates(events),
            store.is_background,
            identity,
            task.others(store, events),
        )


def _nothing_known(store: Store, task: Task) -> DataError:
    return DataError(
        f"{store.path} ({store.label!r}): no event has {task.words.truth_long} "
        f"({', '.join(task.truths.values())}), so nothing can be measured with it; if its events are "
        "pile-up only, convert it with --role background, else convert files that hold it (`l1met "
        "simulate` makes some)"
    )


def estimate(events: Events, task: Task, estimators: Mapping[str, Estimator]) -> Sample:
    """Run every estimator on the events of a sample."""
    return Sample(
        events.label,
        task.measured(events.examples, task.truth(events.examples)),
        {n: task.measured(events.examples, run(events)) for n, run in estimators.items()},
        events.is_background,
        events.n_candidates,
        dict(events.identity),
        classes_of(events.examples) if task.rows == "event" else {},
    )


def load_arrays(
    label: str, task: Task, files: Mapping[str, Path], *, is_background: bool = False
) -> Sample:
    """Read other people's estimates of the same events, one file per estimate.

    Args:
        label: Sample label.
        task: What they estimate.
        files: Estimate name to ``.npz``; the first file that holds the truth gives it.
        is_background: Pile-up-only events, which need no truth.

    Raises:
        DataError: If no file holds the truth of a signal sample, or lengths differ.
    """
    read = {name: task.files.read(path) for name, path in files.items()}
    given = {name: heads for name, (heads, _) in read.items()}
    truths = [truth for _, truth in read.values() if truth is not None]
    if not truths and not is_background:
        raise DataError(
            f"no file of sample {label!r} holds the truth ({task.files.truth_keys}): "
            f"{', '.join(map(str, files.values()))}"
        )
    for truth in truths[1:]:
        if not same_truth(truth, truths[0], within_gev=1e-3):
            raise DataError(
                f"the files of sample {label!r} hold different {task.words.truth_long}, so they are "
                f"not the same events in the same order: {', '.join(map(str, files.values()))}"
            )
    if is_background:
        first = next(iter(given.values()))
        zeros = {head: np.zeros_like(values) for head, values in first.items()}
        return Sample(label, zeros, given, is_background=True)
    return _with_known_truth(label, task, truths[0], given)


def same_truth(one: Heads, other: Heads, *, within_gev: float) -> bool:
    """Compare truth; unknown in one file and known in the other is no difference."""
    return all(
        one[head].shape == other[head].shape
        and _close(one[head], other[head], within_gev=within_gev)
        for head in one
    )


def _close(one: FloatArray, other: FloatArray, *, within_gev: float) -> bool:
    both = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    return bool(np.allclose(one[both], other[both], rtol=1e-5, atol=within_gev))


def _known(truth: Heads) -> npt.NDArray[np.bool_]:
    """Tell which events have the truth of every head."""
    known = [np.isfinite(values).all(axis=1) for values in truth.values()]
    return np.asarray(np.logical_and.reduce(known))


def _with_known_truth(label: str, task: Task, truth: Heads, given: dict[str, Heads]) -> Sample:
    """Leave out events without truth; a truth that is zero throughout is none."""
    known = _known(truth)
    if not any((np.abs(values[known]) > 0).any() for values in truth.values()):
        raise DataError(
            f"sample {label!r}: no event has {task.words.truth_long} other than zero; if its events "
            f"are pile-up only, give --background {label}"
        )
    for head, values in truth.items():
        named = {repr(name): heads[head] for name, heads in given.items()}
        check_same_length({"the truth": values, **named})
    if not known.all():
        logger.warning(
            "%s: %d of %d events have no %s and are left out",
            label, int((~known).sum()), len(known), task.words.truth_long,
        )  # fmt: skip

    def kept(heads: Heads) -> Heads:
        return {head: values[known] for head, values in heads.items()}

    return Sample(label, kept(truth), {name: kept(heads) for name, heads in given.items()})
