"""A task: what a network is to give, from what truth, and how one sees that it does it well.

A task is a value. Training, evaluation, firmware and report are handed one and import none, so a new
task is one file (or folder) beside this one, its line in :mod:`l1met_fpga.tasks.registry`, and a
model's YAML file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.training import LossConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.store import Store
from l1met_fpga.errors import ConfigError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.weight_table import WeightTable
from l1met_fpga.models.heads import Head
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS
from l1met_fpga.results.metrics import Words

__all__ = [
    "Augment",
    "Baseline",
    "BinnedFigure",
    "Estimator",
    "Files",
    "Heads",
    "Inputs",
    "Loss",
    "Plots",
    "Step",
    "Task",
]

Heads = Mapping[str, FloatArray]
"""Numbers by head, shape (n_examples, size)."""
Inputs = dict[str, npt.NDArray[Any]]
"""Inputs of a packed model: columns, shape (n_rows,), and ``row_splits``, shape (n + 1,)."""
Loss = Callable[[Any, Any, LossConfig], Any]
"""(truth, output, settings) -> one value per example; both tensors have shape (n, size)."""
Augment = Callable[[Inputs, Heads, np.random.Generator], tuple[Inputs, Heads]]
"""(inputs, truth by head, random numbers) -> the same examples seen otherwise, truth with them."""
Estimator = Callable[[Examples], Heads]
"""Gives every head of examples."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a network must beat.

    Attributes:
        title: Text in legends and tables.
        estimate: Gives the heads.
        weights: Table of weights that was fitted, where it is one.
    """

    title: str
    estimate: Estimator
    weights: WeightTable | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What the trigger can do with an estimate before it cuts on it.

    Attributes:
        title: Text in legends and tables, behind that of the estimate.
        run: (examples, heads) -> heads.
    """

    title: str
    run: Callable[[Examples, Heads], Heads]


@dataclass(frozen=True, slots=True)
class BinnedFigure:
    """A figure in bins of the truth and how it is shown.

    Attributes:
        name: Attribute of :class:`~l1met_fpga.metrics.resolution.BinnedResolution`.
        table: Its title in tables; None leaves it out there.
        plot: Name of its plot; None draws none.
        label: Vertical axis of the plot.
        reference: Dotted line of the plot.
        ratio: Whether the plot has ratios to the first estimate below.
    """

    name: str
    table: str | None = None
    plot: str | None = None
    label: str = ""
    reference: float | None = None
    ratio: bool = False


@dataclass(frozen=True, slots=True)
class Plots:
    """Text of plots that is not in :class:`~l1met_fpga.results.metrics.Words`.

    Attributes:
        score: Axis of what is cut on, with its unit.
        truth: Axis of the truth, with its unit.
        residual: Axis of the residual.
        residual_name: Name of the plot of residuals.
        multiplicity: Axis of the number of candidates.
    """

    score: str
    truth: str
    residual: str
    residual_name: str
    multiplicity: str = "PUPPI candidates per event, before truncation"


@dataclass(frozen=True, slots=True)
class Files:
    """Estimates that others made, in files.

    Attributes:
        read: Reads an estimate, and the truth if the file holds it.
        truth_keys: Arrays that would hold the truth.
        hint: What to look at in an estimate whose size cannot be right.
    """

    read: Callable[[Path], tuple[Heads, Heads | None]]
    truth_keys: str
    hint: str


def _as_it_is(
    inputs: Inputs,
    truth: Heads,
    rng: np.random.Generator,  # noqa: ARG001
) -> tuple[Inputs, Heads]:
    return inputs, truth


def _measured(examples: Examples, heads: Heads) -> Heads:  # noqa: ARG001
    return heads


def _equal_weights(examples: Examples) -> FloatArray:
    return np.ones(len(examples))


def _same(examples: Examples) -> Examples:
    return examples


def _none(store: Store, events: npt.NDArray[np.int64]) -> Mapping[str, Heads]:  # noqa: ARG001
    return {}


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything that is special to a task.

    Attributes:
        name: Name in ``task:`` of a model's YAML file.
        rows: What an example is.
        heads: What its networks give.
        truths: Name of the truth of each head in a store (:mod:`l1met_fpga.data.truth`), by head.
        losses: Loss functions by head and ``training.loss.kind``. A function gives them, because
            TensorFlow is loaded only where a network is.
        reference: What the trigger gives today; a network starts from it.
        baselines: Fitted on training examples, by name, in the order of tables; ``puppi``, the
            reference, is the first.
        measured: (examples, heads that networks give, or their truth) -> what figures are made of,
            where that is something else: a pt, of networks that give its ratio to another.
        score: What is measured -> the one number per example that a trigger cuts on.
        vector: What is measured -> what resolution is measured of, as vectors (n, 2); a number is a vector
            along x.
        files: How estimates of others are read.
        figures: Figures in bins of the size of the truth.
        words: Names in files, tables and sentences.
        plots: Text of plots.
        augment: The symmetry that training makes use of.
        weights: Fits the mean weight of candidates, in cells, with which today's sum becomes the
            given heads; None where the heads are no sum over candidates.
        example_weights: Weight of each of all training examples.
        taught: What training learns from, made of the examples, with truth by the same names: their
            candidates one by one, where the truth of each is known. Validation and evaluation take
            the examples as they are.
        taught_columns: Columns that only it reads, such as those that a simulation alone knows.
        columns: Columns that reference and baselines read.
        evaluation: Bins and ranges of the truth that hold where a model's YAML file gives none.
        besides: What else is read of each example (:mod:`l1met_fpga.data.layout`).
        steps: What the trigger can put behind a network, by name.
        oracle: The heads from what only a simulation knows of each candidate (the column
            ``hard_share``): no weights of candidates do better. None where the heads are no sum
            over candidates.
        others: (store, events) -> estimates of other algorithms that the store's sources held.
    """

    name: str
    rows: Literal["event", "jet", "element"] = "event"
    heads: tuple[Head, ...]
    truths: Mapping[str, str]
    losses: Callable[[], Mapping[str, Mapping[str, Loss]]]
    reference: Estimator
    baselines: Callable[[Examples], dict[str, Baseline]]
    score: Callable[[Heads], FloatArray]
    vector: Callable[[Heads], FloatArray]
    files: Files
    figures: tuple[BinnedFigure, ...]
    words: Words
    plots: Plots
    augment: Augment = _as_it_is
    weights: Callable[[Examples, Heads], WeightTable] | None = None
    measured: Callable[[Examples, Heads], Heads] = _measured
    example_weights: Callable[[Examples], FloatArray] = _equal_weights
    taught: Callable[[Examples], Examples] = _same
    taught_columns: tuple[str, ...] = ()
    columns: tuple[str, ...] = REQUIRED_COLUMNS
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    besides: tuple[str, ...] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)
    oracle: Estimator | None = None
    others: Callable[[Store, npt.NDArray[np.int64]], Mapping[str, Heads]] = _none

    def truth(self, examples: Examples) -> dict[str, FloatArray]:
        """Return the truth of examples by head; of classes 1 for the true one, else 0."""
        return {
            head.name: _truth(head, examples.truth[self.truths[head.name]]) for head in self.heads
        }

    @property
    def learns_whole_events(self) -> bool:
        """Whether training sees events as the trigger does, all candidates of one together."""
        return self.rows == "event" and self.taught is _same

    def require_rate(self, what: str) -> None:
        """Check that a trigger rate can be told of the task.

        Args:
            what: What needs it, for the message.

        Raises:
            ConfigError: If its examples are not events.
        """
        if self.rows != "event":
            raise ConfigError(
                f"{what} goes by efficiencies at equal rate, which are of whole events; the task "
                f"{self.name!r} is of one {self.rows} at a time"
            )


def _truth(head: Head, values: FloatArray) -> FloatArray:
    if head.kind != "classes":
        return values.reshape(len(values), -1)
    chosen = (values[:, None] == np.arange(head.size)).astype(np.float64)
    return np.where(np.isnan(values)[:, None], np.nan, chosen)
