"""Networks and baselines on bad days of the detector, at the threshold that was right before."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.faults import Fault, FaultsConfig, OtherSamples
from l1met_fpga.data.faults import with_fault
from l1met_fpga.data.splits import Part
from l1met_fpga.errors import ConfigError
from l1met_fpga.evaluation.evaluation import Evaluation
from l1met_fpga.evaluation.sample import Estimator, Events, load_store
from l1met_fpga.evaluation.shown import judged
from l1met_fpga.evaluation.studies import as_measured, share
from l1met_fpga.evaluation.trigger import bin_key
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.paired import change_of_share, growth
from l1met_fpga.metrics.trigger import (
    BUNCH_CROSSING_RATE_KHZ,
    lowest_supported_rate_khz,
    passes,
    reached_threshold,
)
from l1met_fpga.results.faults import FaultedEfficiency, FaultedEstimate, Faults
from l1met_fpga.tasks.task import Task

__all__ = ["evaluate_faults"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Scores:
    """One sample as one estimate sees it: what is cut on, and its truth."""

    score: FloatArray
    truth: FloatArray


Seen = dict[str, dict[str, _Scores]]
"""By sample and estimate."""


def evaluate_faults(
    evaluation: Evaluation,
    stores: Sequence[Path],
    estimators: Mapping[str, Estimator],
    config: FaultsConfig,
    *,
    columns: tuple[str, ...],
) -> Faults:
    """Try every fault on the test parts of stores.

    Args:
        evaluation: Of the same stores without a fault, with a pile-up-only one.
        stores: Samples.
        estimators: Of the evaluation's estimates.
        config: Faults.
        columns: Candidate columns that the estimators need.

    Raises:
        ConfigError: If there is no pile-up-only sample, or a fault names other samples.
        DataError: If a store cannot be used.
    """
    if evaluation.rates is None:
        raise ConfigError(
            "faults need rates, and no pile-up-only sample was given; add one with --sample"
        )
    task, most = evaluation.task, evaluation.config.max_events
    chosen = {name: estimators[name] for name in judged(evaluation.estimates)}
    _require_labels(config, evaluation)

    def read(path: Path) -> Events:
        return load_store(path, task, Part.TEST, columns=columns, max_events=most)

    nominal = {
        label: {name: _scores(task, sample.truth, sample.estimates[name]) for name in chosen}
        for label, sample in evaluation.samples.items()
    }
    seen: dict[str, Seen] = {name: {} for name in config.days}
    for path in stores:
        events = read(path)
        for name, fault in config.days.items():
            if not isinstance(fault, OtherSamples):
                logger.info("%s: %s", events.label, fault.text)
                day = _on_the_day(events, fault, _generator(config.seed, name, events.label))
                seen[name][events.label] = _estimated(day, task, chosen)
    for name, fault in config.days.items():
        if isinstance(fault, OtherSamples):
            seen[name] = {
                label: _estimated(read(path), task, chosen) for label, path in fault.stores.items()
            }
    return _figures(evaluation, nominal, seen, config)


def _require_labels(config: FaultsConfig, evaluation: Evaluation) -> None:
    for name, fault in config.days.items():
        for label in fault.stores if isinstance(fault, OtherSamples) else ():
            if label not in evaluation.samples:
                raise ConfigError(
                    f"faults.days.{name}: no sample {label!r} is evaluated, so no other can stand "
                    f"for it; there are {', '.join(evaluation.samples)}"
                )


def _generator(seed: int, fault: str, label: str) -> np.random.Generator:
    """Return a generator that depends on nothing but the seed and these names."""
    return np.random.default_rng([seed, *f"{fault}/{label}".encode()])


def _on_the_day(events: Events, fault: Fault, rng: np.random.Generator) -> Events:
    examples = with_fault(events.examples, fault, rng)
    return Events(events.label, examples, examples.counts, events.is_background)


def _estimated(
    events: Events, task: Task, estimators: Mapping[str, Estimator]
) -> dict[str, _Scores]:
    truth = task.truth(events.examples)
    return {name: _scores(task, truth, run(events)) for name, run in estimators.items()}


def _scores(
    task: Task, truth: Mapping[str, FloatArray], heads: Mapping[str, FloatArray]
) -> _Scores:
    return _Scores(task.score(heads), task.score(truth))


def _figures(
    evaluation: Evaluation, nominal: Seen, seen: dict[str, Seen], config: FaultsConfig
) -> Faults:
    background = next(label for label, sample in evaluation.samples.items() if sample.is_background)
    bins = Bins.of(evaluation.config.efficiency_edges_gev)
    rate_khz = max(config.rate_khz, lowest_supported_rate_khz(len(evaluation.samples[background])))
    cuts = {
        name: reached_threshold(found.score, rate_khz)
        for name, found in nominal[background].items()
    }

    def of(day: Seen, *, paired: bool) -> dict[str, FaultedEstimate]:
        return {
            name: _faulted(_Compared(nominal, day, name, cut, paired), background, bins)
            for name, cut in cuts.items()
        }

    return Faults(
        rate_khz=rate_khz,
        thresholds_gev={name: cut if np.isfinite(cut) else None for name, cut in cuts.items()},
        seed=config.seed,
        about={name: fault.text for name, fault in config.days.items()},
        none=of(nominal, paired=True),
        days={
            name: of(day, paired=not isinstance(config.days[name], OtherSamples))
            for name, day in seen.items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """One estimate on a day and without a fault."""

    before: Seen
    after: Seen
    name: str
    threshold_gev: float
    paired: bool

    def passing(self, label: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which events of a sample pass, without the fault and with it."""
        before, after = (
            passes(seen[label][self.name].score, self.threshold_gev)
            for seen in (self.before, self.after)
        )
        return before, after

    def bins(self, label: str, bins: Bins) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the bin of each event of a sample, without the fault and with it."""
        before, after = (
            bins.index(seen[label][self.name].truth) for seen in (self.before, self.after)
        )
        return before, after


def _faulted(found: _Compared, background: str, bins: Bins) -> FaultedEstimate:
    if np.isnan(found.threshold_gev):
        return FaultedEstimate(rate_khz=None, growth=None, efficiency={})
    rate, ratio = None, None
    if background in found.after:
        before, after = found.passing(background)
        rate = share(after, BUNCH_CROSSING_RATE_KHZ)
        ratio = as_measured(growth(before, after, paired=found.paired))
    return FaultedEstimate(
        rate_khz=rate,
        growth=ratio,
        efficiency={
            label: dict(_efficiencies(found, label, bins))
            for label in found.after
            if label != background
        },
    )


def _efficiencies(
    found: _Compared, label: str, bins: Bins
) -> Iterator[tuple[str, FaultedEfficiency]]:
    (before, after), (was, now) = found.passing(label), found.bins(label, bins)
    if found.paired:
        now = was  # truth that was turned is the same to rounding; pairs stay pairs at an edge
    edges = zip(bins.edges_gev[:-1], bins.edges_gev[1:], strict=True)
    for k, (low, high) in enumerate(edges):
        change = change_of_share(before[was == k], after[now == k], paired=found.paired)
        yield (
            bin_key(low, high),
            FaultedEfficiency(efficiency=share(after[now == k]), change=as_measured(change)),
        )
