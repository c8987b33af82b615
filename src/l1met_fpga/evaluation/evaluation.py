"""Evaluate any number of estimates on any number of samples."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.class_figures import ClassFiguresOf, evaluate_classes
from l1met_fpga.evaluation.estimates import Estimate, odd_responses
from l1met_fpga.evaluation.resolution import ResolutionResult, evaluate_resolution
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.evaluation.shown import judged
from l1met_fpga.evaluation.studies import evaluate_studies
from l1met_fpga.evaluation.trigger import (
    RateResult,
    SignalResult,
    evaluate_rates,
    evaluate_signal,
)
from l1met_fpga.metrics.weight_table import WeightTable
from l1met_fpga.results.faults import Faults
from l1met_fpga.results.studies import Studies
from l1met_fpga.tasks.task import Task

__all__ = ["Estimate", "Evaluation", "evaluate"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """All figures of a call.

    Attributes:
        task: What they estimate.
        estimates: What was evaluated, in the order of tables.
        primary: The estimate that ``report.json`` is about, ``None`` without a network.
        samples: The events.
        config: Bins, rates, bootstrap.
        resolution: Per signal sample.
        rates: From the pile-up-only sample; ``None`` without one.
        trigger: Per signal sample; empty without a pile-up-only sample.
        classes: Per signal sample and head of classes.
        baselines: Fitted weights, where baselines were fitted.
        weights: Mean weight of the primary network per cell, when candidates were at hand.
        notes: What a reader must know, such as rates that the sample does not support.
        studies: Further studies.
        faults: Bad days of the detector, where they were tried.
    """

    task: Task
    estimates: dict[str, Estimate]
    primary: str | None
    samples: dict[str, Sample]
    config: EvaluationConfig
    resolution: dict[str, ResolutionResult]
    rates: RateResult | None
    trigger: dict[str, SignalResult]
    classes: dict[str, dict[str, ClassFiguresOf]] = field(default_factory=dict)
    baselines: dict[str, WeightTable] = field(default_factory=dict)
    weights: WeightTable | None = None
    notes: tuple[str, ...] = ()
    studies: Studies | None = None
    faults: Faults | None = None


def evaluate(
    samples: Sequence[Sample],
    task: Task,
    estimates: Mapping[str, Estimate],
    config: EvaluationConfig,
    *,
    primary: str | None = None,
    baselines: Mapping[str, WeightTable] | None = None,
    weights: WeightTable | None = None,
) -> Evaluation:
    """Compute every figure.

    Args:
        samples: Signal samples and at most one pile-up-only sample, all with the same estimates.
        task: What is estimated.
        estimates: Description of each estimate, in the order of tables.
        config: Bins, rates, bootstrap.
        primary: Estimate that the report is about.
        baselines: Fitted weights, kept for the files.
        weights: Mean weights of the primary network, kept for the files and plots.

    Raises:
        DataError: If there is no sample or estimate, two samples have one label, or a sample lacks
            an estimate.
    """
    by_label = {sample.label: sample for sample in samples}
    if not samples or not estimates:
        raise DataError("nothing to evaluate: give at least one sample and one estimate")
    if len(by_label) < len(samples):
        raise DataError(f"two samples have the same label: {[s.label for s in samples]}")
    for sample in samples:
        if set(sample.estimates) != set(estimates):
            raise DataError(
                f"sample {sample.label!r} has estimates {sorted(sample.estimates)}, expected "
                f"{sorted(estimates)}: every estimate is needed for every sample"
            )
    background = [sample for sample in samples if sample.is_background]
    if len(background) > 1:
        raise DataError(f"one pile-up-only sample, please: {[s.label for s in background]}")
    signal = {label: sample for label, sample in by_label.items() if not sample.is_background}
    rng = np.random.default_rng(config.seed)
    streams = {label: rng.spawn(1)[0] for label in sorted(by_label)}
    logger.info("evaluating %s on %s", ", ".join(estimates), ", ".join(by_label))
    resolution = {
        label: evaluate_resolution(sample, task, config, streams[label].spawn(1)[0])
        for label, sample in signal.items()
    }
    rates, trigger = None, {}
    if background:
        stream = streams[background[0].label]
        rates = evaluate_rates(background[0], task, config, stream)
        trigger = {
            label: evaluate_signal(sample, task, rates, config, streams[label].spawn(1)[0])
            for label, sample in signal.items()
        }
    classes = {
        label: {head: evaluate_classes(sample, task, head, config) for head in task.words.classes}
        for label, sample in signal.items()
        if task.words.classes
    }
    names = judged(estimates)
    studies = evaluate_studies(
        samples,
        task,
        names,
        config,
        subject=primary or names[-1],
        rates=rates,
        resolution=resolution,
    )
    odd = odd_responses(signal.values(), estimates, task, config.response_range_gev)
    return Evaluation(
        task, dict(estimates), primary, by_label, config, resolution, rates, trigger, classes,
        dict(baselines or {}), weights,
        (*_rate_notes(rates, task.words.score), *odd), studies,
    )  # fmt: skip


def _rate_notes(rates: RateResult | None, score: str) -> tuple[str, ...]:
    """Say what the samples could not give."""
    if rates is None:
        return ("No pile-up-only sample was given: no rates, thresholds, turn-ons or ROC curves.",)
    lowest = [point for point in rates.points if point.replaces_khz]
    ties = tuple(
        f"{name}: no threshold gives {', '.join(out_of_reach)}, because too many pile-up-only events "
        f"have the same {score} there (has it a largest value, or few digits?)."
        for name, cuts in rates.thresholds.items()
        if (
            out_of_reach := [
                point.title for point, cut in zip(rates.points, cuts, strict=True) if np.isnan(cut)
            ]
        )
    )
    return ties + tuple(
        f"{', '.join(f'{rate:g} kHz' for rate in point.replaces_khz)} not supported by "
        f"{rates.n_events} pile-up-only events; the lowest supported rate, {point.rate_khz:.3g} "
        "kHz, is used instead."
        for point in lowest
    )
