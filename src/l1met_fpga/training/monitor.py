"""Physics figures on the validation part, after every epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.training import EarlyStoppingConfig, LossConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.errors import ConfigError, DataError, TrainingError
from l1met_fpga.metrics.arrays import FloatArray, magnitude_gev
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.resolution import binned_resolution
from l1met_fpga.metrics.trigger import lowest_supported_rate_khz, passes, threshold_within_rate
from l1met_fpga.metrics.worst_cell import Cell, Scores, worst_cell
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.task import Estimator, Heads, Task
from l1met_fpga.training.losses import head_losses
from l1met_fpga.training.mixture import packed_inputs

__all__ = ["LOSS", "Direction", "Validation", "packed_predictor", "require_finite"]

EVENTS_PER_STEP: Final = 4096

Direction = Literal["min", "max"]

LOSS: Final = "val_loss"
_EFFICIENCY: Final = "efficiency"


def packed_predictor(model: Any, task: Task) -> Estimator:
    """Return a function of examples that runs a packed model."""
    signature = {
        tensor.name: tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    }
    # One trace, made here. TensorFlow counts the traces of all functions of this line together and
    # takes those of several short trainings for one function that is traced again and again.
    run = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])
    call = run.get_concrete_function()

    def predict(events: Examples) -> Heads:
        parts = [[np.zeros((0, head.size))] for head in task.heads]
        for first in range(0, len(events), EVENTS_PER_STEP):
            some = np.arange(first, min(first + EVENTS_PER_STEP, len(events)))
            given = packed_inputs(events, some)
            inputs = {name: tf.constant(given[name]) for name in signature}
            for part, out in zip(parts, tf.nest.flatten(call(inputs)), strict=True):
                part.append(np.asarray(out, dtype=np.float64))
        return {
            head.name: np.concatenate(part) for head, part in zip(task.heads, parts, strict=True)
        }

    return predict


def require_finite(figures: Mapping[str, float], column: str, *, where: str) -> None:
    """Refuse to go by a figure that does not exist or is no number.

    Args:
        figures: Figures of an epoch.
        column: The one that decides.
        where: Setting or part of the program that goes by it, for the message.

    Raises:
        ConfigError: If it is missing or not finite; names the columns that could be used.
    """
    if math.isfinite(figures.get(column, math.nan)):
        return
    finite = sorted(k for k, v in figures.items() if k.startswith("val_") and math.isfinite(v))
    wrong = ""
    if column in figures:
        wrong = f", which is {figures[column]}: too few validation events to measure it"
    raise ConfigError(f"{where} is {column!r}{wrong}; choose from {finite}")


class Validation:
    """Validation examples of all samples and the figures that are watched on them.

    Args:
        samples: Loaded samples; :attr:`Examples.besides` holds the task's reference.
        loss: Loss that is minimised.
        task: What is trained.
        ranges: Bins and rate of the figures.

    Raises:
        TrainingError: If no sample has a validation event.
        ConfigError: If the task has no such loss.
    """

    def __init__(
        self,
        samples: Sequence[LoadedSample],
        loss: LossConfig,
        task: Task,
        ranges: EvaluationConfig,
    ) -> None:
        self._samples = [sample for sample in samples if len(sample.validation)]
        if not self._samples:
            raise TrainingError("no sample has validation events; convert with another split")
        self._task, self._ranges = task, ranges
        self._losses = head_losses(task, loss)
        self._truth = {sample.label: task.truth(sample.validation) for sample in self._samples}
        self._measured_truth = self._measured(self._truth)
        shares = np.array([sample.share for sample in self._samples])
        self._shares = shares / shares.sum() if shares.sum() > 0 else shares + 1 / len(shares)
        self.reference = self.figures(
            lambda events: {head.name: events.besides[head.name] for head in task.heads}
        )
        """Figures of what the trigger gives today."""

    @property
    def efficiency_range_gev(self) -> tuple[float, float]:
        """Truth of the watched efficiency: the first bin of the evaluation."""
        low, high, *_ = self._ranges.efficiency_edges_gev
        return low, high

    def of(self, label: str) -> tuple[Examples, Heads]:
        """Return the events of a sample and their truth."""
        sample = next(one for one in self._samples if one.label == label)
        return sample.validation, self._truth[label]

    def worst_cell(self, estimate: Estimator, other: Estimator) -> Cell | None:
        """Return where an estimate is worst against another, of processes, rates and ranges of the truth.

        None without pile-up-only events, or where no range has enough signal events.
        """
        both = {
            sample.label: [
                self._task.score(self._task.measured(sample.validation, one(sample.validation)))
                for one in (estimate, other)
            ]
            for sample in self._samples
        }
        background = [both[s.label] for s in self._samples if s.is_background]
        if not background:
            return None
        return worst_cell(
            Scores(
                mine=np.concatenate([scores[0] for scores in background]),
                other=np.concatenate([scores[1] for scores in background]),
            ),
            {
                s.label: Scores(
                    mine=both[s.label][0],
                    other=both[s.label][1],
                    truth=self._task.score(self._measured_truth[s.label]),
                )
                for s in self._samples
                if not s.is_background
            },
            rates_khz=self._ranges.rates_khz,
            bins=Bins.of(self._ranges.efficiency_edges_gev),
            rng=np.random.default_rng(self._ranges.seed),
        )

    def figures(self, estimate: Estimator) -> dict[str, float]:
        """Return loss, response, slope-corrected widths, efficiency and errors of an estimate.

        NaN where a sample has too few events.
        """
        given = {sample.label: estimate(sample.validation) for sample in self._samples}
        signal = [sample for sample in self._samples if not sample.is_background]
        result = {LOSS: self._mean_loss(given)}
        given = self._measured(given)
        for sample in signal:
            found = self._resolution(given[sample.label], self._measured_truth[sample.label])
            result |= {f"val_{sample.label}_{name}": value for name, value in found.items()}
        background = [sample for sample in self._samples if sample.is_background]
        if background:
            below = np.concatenate([self._task.score(given[s.label]) for s in background])
            result |= self._efficiencies(below, [sample.label for sample in signal], given)
        return result

    def _measured(self, heads: Mapping[str, Heads]) -> dict[str, Heads]:
        return {s.label: self._task.measured(s.validation, heads[s.label]) for s in self._samples}

    def direction(self, config: EarlyStoppingConfig) -> Direction:
        """Return whether the monitored figure should fall or rise.

        Raises:
            ConfigError: If there is no such figure, it cannot be measured on these events, or it
                has no direction and the configuration gives none.
        """
        where = "training.early_stopping"
        if config.monitor != LOSS:  # it is there for any event; training refuses a NaN by itself
            require_finite(self.reference, config.monitor, where=f"{where}.monitor")
        known = self._directions().get(config.monitor)
        if known is None and config.mode is None:
            raise ConfigError(
                f"{where}.monitor {config.monitor!r} is a figure of which neither less nor more is "
                f"better; say which you want with {where}.mode (min or max), or choose from "
                f"{sorted(self._directions())}"
            )
        if known is not None and config.mode not in (None, known):
            raise ConfigError(
                f"{where}.mode is {config.mode!r}, but {config.monitor!r} is better when it is "
                f"{'smaller' if known == 'min' else 'larger'}; leave the mode out"
            )
        return known or config.mode or "min"

    def _directions(self) -> dict[str, Direction]:
        """Direction of every column that has one.

        The response should be one, and threshold and rate say nothing by themselves.
        """
        found: dict[str, Direction] = {LOSS: "min", f"val_{_EFFICIENCY}": "max"}
        falls = (*self._widths, *self._errors)
        for sample in self._samples:
            found |= {f"val_{sample.label}_{name}": "min" for name in falls}
            found[f"val_{sample.label}_{_EFFICIENCY}"] = "max"
        return {name: way for name, way in found.items() if name in self.reference}

    def _mean_loss(self, given: Mapping[str, Heads]) -> float:
        """Mean loss in the mixture that is trained on, all heads together."""
        means = [
            sum(
                float(tf.reduce_mean(loss.call(self._truth[s.label][head], given[s.label][head])))
                for head, loss in self._losses.items()
            )
            for s in self._samples
        ]
        return float(np.dot(self._shares, means))

    @property
    def _widths(self) -> dict[str, str]:
        """Figure of each watched width, by its name."""
        return {f"{k}_gev": width.figure for k, width in self._task.words.widths.items()}

    @property
    def _errors(self) -> dict[str, float]:
        """Truth above which a mean error is watched, by its name."""
        edges = self._ranges.efficiency_edges_gev
        return {f"error_above_{edge:g}_gev": edge for edge in edges if math.isfinite(edge)}

    def _resolution(self, given: Heads, truth: Heads) -> dict[str, float]:
        u, q = self._task.vector(given), self._task.vector(truth)
        in_range = binned_resolution(u, q, bins=Bins.of(self._ranges.gain_range_gev))
        response = binned_resolution(u, q, bins=Bins.of(self._ranges.response_range_gev))
        figures = {k: float(getattr(in_range, name)[0]) for k, name in self._widths.items()}
        figures["response"] = float(response.response[0])
        size, error = magnitude_gev(q), magnitude_gev(u - q)
        for name, limit in self._errors.items():
            above = error[size > limit]
            figures[name] = float(above.mean()) if len(above) else float("nan")
        return figures

    def _efficiencies(
        self, background: FloatArray, signal: Sequence[str], given: Mapping[str, Heads]
    ) -> dict[str, float]:
        """Efficiency in the first bin of the truth at the watched rate."""
        wanted = self._ranges.monitor_rate_khz
        rate = max(wanted, lowest_supported_rate_khz(len(background)))
        try:
            threshold = threshold_within_rate(background, rate)
        except DataError:  # a handful of validation events in a test: no rate to speak of
            threshold = float("nan")
        result = {"val_threshold_gev": threshold, "val_rate_khz": rate}
        low, high = self.efficiency_range_gev
        values = []
        for label in signal:
            size = self._task.score(self._measured_truth[label])
            u = self._task.score(given[label])[(size >= low) & (size < high)]
            measured = len(u) and not np.isnan(threshold)
            values.append(float(np.mean(passes(u, threshold))) if measured else float("nan"))
            result[f"val_{label}_{_EFFICIENCY}"] = values[-1]
        mean = float(np.mean(values)) if values else float("nan")
        return result | {f"val_{_EFFICIENCY}": mean}
