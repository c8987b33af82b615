"""Efficiencies at equal rate of many networks on the same events, means over seeds and differences of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.splits import Part
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.sample import Events, load_store
from l1met_fpga.evaluation.trigger import WorkingPoint, working_points
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.bootstrap_trigger import bootstrap_thresholds, bootstrap_trigger
from l1met_fpga.metrics.seed_pairs import SeedMean, mean_over_seeds
from l1met_fpga.metrics.trigger import binned_efficiency, reached_threshold
from l1met_fpga.results.base import Measured
from l1met_fpga.results.distillation import Effect
from l1met_fpga.tasks.task import Estimator, Task

__all__ = ["Figures", "PartEvents", "effect", "measured"]

BACKGROUND: Final = ""
"""Key of the scores of all pile-up-only events together, beside those of the signal samples."""


class PartEvents:
    """One part of all samples, and the scores that estimates give to its events.

    Args:
        stores: The samples.
        task: What is estimated.
        part: Which part.
        config: Rates and bins.
        columns: Candidate columns that are read.

    Raises:
        DataError: If a store cannot be read, or there is no signal or no pile-up-only event.
    """

    def __init__(
        self,
        stores: Sequence[Path],
        task: Task,
        part: Part,
        config: EvaluationConfig,
        columns: tuple[str, ...],
    ) -> None:
        task.require_rate("a comparison of trainings")
        self.task, self.config = task, config
        events = [load_store(path, task, part, columns=columns) for path in stores]
        self._background = [one for one in events if one.is_background]
        self.signal = {one.label: one for one in events if not one.is_background}
        self.bins = Bins.of(config.efficiency_edges_gev[:2])
        self.truth = {label: self._truth(one) for label, one in self.signal.items()}
        few = [
            n for n, size in self.truth.items() if (self.bins.index(size) >= 0).sum() < MIN_EVENTS
        ]
        if not self._background or not self.signal or few:
            raise DataError(
                f"an efficiency at equal rate needs, in the {part.name.lower()} part, pile-up-only "
                f"events and {MIN_EVENTS} events of each signal sample with {self.title}; there are "
                f"{len(self._background)} pile-up-only and {len(self.signal)} signal samples"
                + (f", with too few in {', '.join(few)}" if few else "")
            )

    @property
    def title(self) -> str:
        """Say which events efficiencies are of."""
        words, (low, high) = self.task.words, self.bins.edges_gev
        return f"{words.truth} {low:g}-{high:g} {words.unit}"

    @property
    def points(self) -> tuple[WorkingPoint, ...]:
        """The lowest of the rates (or the lowest that is supported), and the one that is watched."""
        rates = dict.fromkeys((min(self.config.rates_khz), self.config.monitor_rate_khz))
        return working_points(tuple(rates), sum(len(one) for one in self._background))

    def score(self, estimator: Estimator) -> dict[str, FloatArray]:
        """Return the score of the events of each signal sample, and of ``BACKGROUND``."""
        found = {label: self._score(one, estimator) for label, one in self.signal.items()}
        background = [self._score(one, estimator) for one in self._background]
        return found | {BACKGROUND: np.concatenate(background)}

    def without_background(self, score: Mapping[str, FloatArray]) -> Measured:
        """Return the share of signal events above every pile-up-only event, mean of the samples."""
        highest, shares, variance = float(score[BACKGROUND].max()), [], 0.0
        for label, truth in self.truth.items():
            inside = score[label][self.bins.index(truth) >= 0]
            shares.append(float(np.mean(inside > highest)))
            variance += shares[-1] * (1 - shares[-1]) / len(inside)
        return Measured(value=float(np.mean(shares)), error=float(np.sqrt(variance)) / len(shares))

    def _score(self, events: Events, estimator: Estimator) -> FloatArray:
        examples: Examples = events.examples
        return self.task.score(self.task.measured(examples, estimator(examples)))

    def _truth(self, events: Events) -> FloatArray:
        examples = events.examples
        return self.task.score(self.task.measured(examples, self.task.truth(examples)))


@dataclass(frozen=True, slots=True)
class _Of:
    """Efficiencies of a network: shape (n_points, n_signals), and resampled, (n_samples, ...)."""

    value: FloatArray
    resampled: FloatArray


class Figures:
    """Efficiencies of networks, all thresholds found again in every resampled set of events.

    Args:
        part: The events.
        scores: What :meth:`PartEvents.score` gave, by name of the network.
    """

    def __init__(self, part: PartEvents, scores: Mapping[str, Mapping[str, FloatArray]]) -> None:
        config, self.signal = part.config, tuple(part.signal)
        self.points = part.points
        rates = [point.rate_khz for point in self.points]
        background = {name: score[BACKGROUND] for name, score in scores.items()}
        streams = np.random.default_rng(config.seed).spawn(1 + len(self.signal))
        drawn = bootstrap_thresholds(
            background, rates, rng=streams[0], n_samples=config.bootstrap_samples
        )
        resampled = [
            bootstrap_trigger(
                {name: score[label] for name, score in scores.items()}, part.truth[label], drawn,
                bins=part.bins, rng=stream,
            ).efficiency
            for label, stream in zip(self.signal, streams[1:], strict=True)
        ]  # fmt: skip
        self._found = {
            name: _Of(
                np.array([[self._efficiency(part, score, rate, label) for label in self.signal]
                          for rate in rates]),
                np.stack([one[name][..., 0] for one in resampled], axis=-1),
            )
            for name, score in scores.items()
        }  # fmt: skip

    @staticmethod
    def _efficiency(
        part: PartEvents, score: Mapping[str, FloatArray], rate_khz: float, label: str
    ) -> float:
        cut = reached_threshold(score[BACKGROUND], rate_khz)
        found = binned_efficiency(score[label], part.truth[label], cut, bins=part.bins)
        return float(found.value[0])

    def mean(self, names: Sequence[str], *, signal: str | None = None) -> dict[str, SeedMean]:
        """Return the mean over networks, and over signal samples unless one is named, by rate."""
        return self._means([self._found[name] for name in names], None, signal)

    def difference(self, names: Sequence[str], base: Sequence[str]) -> dict[str, SeedMean]:
        """Return the mean difference of pairs of networks, mean over signal samples, by rate.

        Args:
            names: Networks, as many as of ``base``, or one that is compared with each of them.
            base: Networks that they are compared with, in the same order of seeds.
        """
        several = names if len(names) == len(base) else [*names] * len(base)
        chosen = [self._found[name] for name in several]
        return self._means(chosen, [self._found[name] for name in base], None)

    def _means(
        self, of: Sequence[_Of], minus: Sequence[_Of] | None, signal: str | None
    ) -> dict[str, SeedMean]:
        values = np.stack([one.value for one in of])
        resampled = np.stack([one.resampled for one in of], axis=1)
        if minus is not None:
            values = values - np.stack([one.value for one in minus])
            resampled = resampled - np.stack([one.resampled for one in minus], axis=1)
        kept: Any = slice(None) if signal is None else [self.signal.index(signal)]
        values = values[..., kept].mean(axis=-1)
        resampled = resampled[..., kept].mean(axis=-1)
        return {
            point.key: mean_over_seeds(values[:, i], resampled[:, :, i])
            for i, point in enumerate(self.points)
        }


def measured(found: Mapping[str, SeedMean]) -> dict[str, Measured]:
    """Return means with their errors, by rate."""
    return {
        key: Measured(value=_finite(one.value), error=_finite(one.error))
        for key, one in found.items()
    }


def effect(found: Mapping[str, SeedMean]) -> dict[str, Effect]:
    """Return differences with their errors, by rate."""
    return {
        key: Effect(
            value=_finite(one.value), error=_finite(one.error),
            error_seeds=_finite(one.error_seeds), error_events=_finite(one.error_events),
        )
        for key, one in found.items()
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
