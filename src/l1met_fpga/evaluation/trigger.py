"""Trigger figures of all estimates: rates, thresholds at equal rate, efficiencies, turn-ons."""

from dataclasses import dataclass

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import DataError
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.binomial import Efficiency
from l1met_fpga.metrics.bootstrap import spread
from l1met_fpga.metrics.bootstrap_trigger import (
    TriggerSamples,
    bootstrap_thresholds,
    bootstrap_trigger,
)
from l1met_fpga.metrics.trigger import (
    RateCurve,
    binned_efficiency,
    lowest_supported_rate_khz,
    rate_curve,
    reached_threshold,
    roc_area,
    roc_curve,
)
from l1met_fpga.metrics.turn_on import TurnOn, turn_on
from l1met_fpga.results.metrics import WorkingPointInfo
from l1met_fpga.tasks.task import Task

__all__ = [
    "RateResult",
    "SignalResult",
    "WorkingPoint",
    "bin_key",
    "evaluate_rates",
    "evaluate_signal",
    "working_points",
]


@dataclass(frozen=True, slots=True)
class WorkingPoint:
    """A rate at which all estimates are compared.

    Attributes:
        key: ``18kHz``, or ``lowest`` for the lowest rate that the sample supports.
        rate_khz: The rate used.
        replaces_khz: Wanted rates that the sample does not support.
    """

    key: str
    rate_khz: float
    replaces_khz: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """Text for legends: ``18 kHz``, or ``104 kHz (lowest supported)``."""
        return f"{self.rate_khz:.3g} kHz" + (" (lowest supported)" if self.replaces_khz else "")

    def described(self) -> WorkingPointInfo:
        """Return it as it stands in results."""
        return WorkingPointInfo(
            key=self.key,
            rate_khz=float(self.rate_khz),
            replaces_khz=[float(rate) for rate in self.replaces_khz],
            title=self.title,
        )


def working_points(
    wanted_khz: tuple[float, ...], n_background: int, *, if_supported_khz: tuple[float, ...] = ()
) -> tuple[WorkingPoint, ...]:
    """Return the wanted rates; those below the lowest supported become one point at that rate.

    Rates of ``if_supported_khz`` stand behind them, and are left out below it.
    """
    lowest = lowest_supported_rate_khz(n_background)
    missing = tuple(rate for rate in wanted_khz if rate < lowest)
    points = tuple(
        WorkingPoint(f"{r:g}kHz", r) for r in (*wanted_khz, *if_supported_khz) if r >= lowest
    )
    return (*((WorkingPoint("lowest", lowest, missing),) if missing else ()), *points)


def bin_key(low_gev: float, high_gev: float) -> str:
    """Return ``100_150`` or ``above_150``."""
    return f"above_{low_gev:g}" if np.isinf(high_gev) else f"{low_gev:g}_{high_gev:g}"


@dataclass(frozen=True, slots=True)
class RateResult:
    """Rates of all estimates in one pile-up-only sample.

    Attributes:
        label: The sample.
        n_events: Its events.
        points: Working points.
        thresholds: Per estimate, shape (n_points,); NaN where too many events have the same
            score for any threshold to give the rate.
        threshold_samples: Per estimate, bootstrap samples, shape (n_samples, n_points).
        curves: Per estimate.
        background_scores: Scores per estimate, for ROC curves.
    """

    label: str
    n_events: int
    points: tuple[WorkingPoint, ...]
    thresholds: dict[str, FloatArray]
    threshold_samples: dict[str, FloatArray]
    curves: dict[str, RateCurve]
    background_scores: dict[str, FloatArray]

    @property
    def lowest_supported_khz(self) -> float:
        """Lowest rate that the sample supports."""
        return lowest_supported_rate_khz(self.n_events)


@dataclass(frozen=True, slots=True)
class SignalResult:
    """Efficiencies of all estimates in one signal sample at the working points.

    Attributes:
        bins: Bins of the truth of ``efficiency``.
        efficiency: Per estimate and working point.
        bootstrap: Paired samples of ``efficiency``.
        turn_on: Per estimate and working point.
        roc: Per estimate, rate in kHz and signal efficiency; empty without signal events.
        roc_area: Per estimate; NaN without signal events.
    """

    bins: Bins
    efficiency: dict[str, list[Efficiency]]
    bootstrap: TriggerSamples
    turn_on: dict[str, list[TurnOn]]
    roc: dict[str, tuple[FloatArray, FloatArray]]
    roc_area: dict[str, float]

    def difference_error(self, name: str, reference: str) -> FloatArray:
        """Return the paired error of the difference, shape (n_points, n_bins)."""
        drawn = self.bootstrap.efficiency
        return spread(drawn[name] - drawn[reference])


def evaluate_rates(
    sample: Sample, task: Task, config: EvaluationConfig, rng: np.random.Generator
) -> RateResult:
    """Compute rates and thresholds from pile-up-only events.

    Raises:
        DataError: If there are too few events for any rate.
    """
    if len(sample) < MIN_EVENTS:
        raise DataError(
            f"sample {sample.label!r} has {len(sample)} pile-up-only events; a rate needs at least "
            f"{MIN_EVENTS}; add events or leave the sample out"
        )
    points = working_points(
        config.rates_khz, len(sample), if_supported_khz=config.rates_if_supported_khz
    )
    rates = [point.rate_khz for point in points]
    background = {name: task.score(heads) for name, heads in sample.estimates.items()}
    thresholds = {
        name: np.array([reached_threshold(score, rate) for rate in rates])
        for name, score in background.items()
    }
    drawn = bootstrap_thresholds(background, rates, rng=rng, n_samples=config.bootstrap_samples)
    drawn = {
        name: np.where(np.isnan(thresholds[name]), np.nan, samples)
        for name, samples in drawn.items()
    }
    curves = {name: rate_curve(score) for name, score in background.items()}
    return RateResult(sample.label, len(sample), points, thresholds, drawn, curves, background)


def evaluate_signal(
    sample: Sample,
    task: Task,
    rates: RateResult,
    config: EvaluationConfig,
    rng: np.random.Generator,
) -> SignalResult:
    """Compute efficiencies, turn-ons and ROC curves at the thresholds of ``rates``.

    Raises:
        DataError: If an estimate of the signal sample is missing in the pile-up-only sample.
    """
    missing = sorted(set(sample.estimates) - set(rates.thresholds))
    if missing:
        raise DataError(
            f"{', '.join(missing)} of sample {sample.label!r} has no pile-up-only events in "
            f"{rates.label!r}, so no threshold at equal rate; give both samples for each estimate"
        )
    bins, fine = Bins.of(config.efficiency_edges_gev), Bins.of(config.turn_on_edges_gev)
    truth = task.score(sample.truth)
    chosen = truth > config.roc_above_gev
    scores = {name: task.score(heads) for name, heads in sample.estimates.items()}
    cuts = {name: rates.thresholds[name] for name in scores}
    drawn = bootstrap_trigger(
        scores, truth, {n: rates.threshold_samples[n] for n in scores}, bins=bins, rng=rng
    )
    background = rates.background_scores
    return SignalResult(
        bins,
        {
            n: [binned_efficiency(s, truth, c, bins=bins) for c in cuts[n]]
            for n, s in scores.items()
        },
        drawn,
        {n: [turn_on(s, truth, float(c), bins=fine) for c in cuts[n]] for n, s in scores.items()},
        {n: roc_curve(s[chosen], background[n]) for n, s in scores.items() if chosen.any()},
        {n: roc_area(s[chosen], background[n]) for n, s in scores.items()},
    )
