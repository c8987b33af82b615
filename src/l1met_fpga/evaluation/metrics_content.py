"""Content of ``metrics.json`` from an evaluation: every figure with its error; NaN becomes ``null``."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from l1met_fpga.evaluation.class_results import class_result
from l1met_fpga.evaluation.estimates import Estimate
from l1met_fpga.evaluation.evaluation import Evaluation
from l1met_fpga.evaluation.resolution import FiguresWithErrors, ResolutionResult, gain
from l1met_fpga.evaluation.told import told_responses
from l1met_fpga.evaluation.trigger import RateResult, SignalResult, bin_key
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import spread
from l1met_fpga.metrics.fitted_curve import FittedCurve
from l1met_fpga.metrics.resolution import x_residual_half_width_gev
from l1met_fpga.metrics.turn_on import TurnOn
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import (
    SCHEMA_VERSION,
    Calibration,
    Efficiency,
    EstimateInfo,
    FittedTurnOn,
    Gains,
    Metrics,
    Rates,
    Resolution,
    ResolutionTable,
    SampleInfo,
    Series,
    Settings,
    Threshold,
    Trigger,
    TurnOnCurve,
    Weights,
)
from l1met_fpga.tasks.task import Task

__all__ = ["to_metrics"]


def to_metrics(evaluation: Evaluation) -> Metrics:
    """Return the content of ``metrics.json``."""
    rates = evaluation.rates
    weights = {name: Weights(**table.to_json()) for name, table in evaluation.baselines.items()}
    return Metrics(
        schema_version=SCHEMA_VERSION,
        words=evaluation.task.words,
        primary=evaluation.primary,
        estimates={name: _about(what) for name, what in evaluation.estimates.items()},
        samples={
            label: SampleInfo(
                events=len(sample), background=sample.is_background, identity=sample.identity
            )
            for label, sample in evaluation.samples.items()
        },
        config=Settings(_clean(evaluation.config.model_dump())),
        notes=list(evaluation.notes),
        resolution={
            label: _resolution(evaluation, label, result)
            for label, result in evaluation.resolution.items()
        },
        rates=None if rates is None else _rates(rates),
        trigger={
            label: _trigger(rates, result)
            for label, result in evaluation.trigger.items()
            if rates is not None
        },
        classes={
            label: {head: class_result(found, evaluation.primary) for head, found in heads.items()}
            for label, heads in evaluation.classes.items()
        },
        baselines=weights,
        network_weights=(
            None if evaluation.weights is None else Weights(**evaluation.weights.to_json())
        ),
        studies=evaluation.studies,
        faults=evaluation.faults,
    )


def _about(what: Estimate) -> EstimateInfo:
    line = what.calibration
    return EstimateInfo(
        kind=what.kind,
        title=what.title,
        form=what.form,
        network=what.network,
        calibration=None
        if line is None
        else Calibration(factor=line.factor, offset_gev=line.offset_gev),
    )


def _clean(value: Any) -> Any:
    """Turn arrays into lists, and NaN and infinity into ``None``, at any depth."""
    if isinstance(value, Mapping):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_clean(inner) for inner in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def _measured(value: Any, error: Any) -> Measured:
    return Measured(value=_clean(value), error=_clean(error))


def _edges(bins: Bins) -> list[float | None]:
    return [float(edge) if np.isfinite(edge) else None for edge in bins.edges_gev]


def _table(result: FiguresWithErrors, task: Task) -> ResolutionTable:
    """Return value and error of every figure of every estimate, per bin."""
    estimates = {
        name: {
            figure.name: Series(
                value=_clean(getattr(figures, figure.name)),
                error=_clean(result.bootstrap.error(name, figure.name)),
            )
            for figure in task.figures
        }
        for name, figures in result.figures.items()
    }
    any_figures = next(iter(result.figures.values()))
    return ResolutionTable(
        edges_gev=_edges(result.bins),
        labels=list(result.bins.labels),
        events=[int(n) for n in any_figures.n_events],
        estimates=estimates,
    )


def _resolution(evaluation: Evaluation, label: str, result: ResolutionResult) -> Resolution:
    sample, task = evaluation.samples[label], evaluation.task
    names, in_range = list(evaluation.estimates), Bins.of(evaluation.config.response_range_gev)
    told = told_responses(sample, task, evaluation.estimates, in_range)
    return Resolution(
        binned=_table(result.binned, task),
        inclusive=_table(result.inclusive, task),
        response={name: _measured(*figure) for name, figure in result.response.items()},
        x_residual_gev={
            name: _clean(x_residual_half_width_gev(task.vector(heads), task.vector(sample.truth)))
            for name, heads in sample.estimates.items()
        },
        gain={
            name: {
                reference: _gains(result, task, name, reference)
                for reference in names
                if reference != name
            }
            for name in names
        },
        told=told_responses(sample, task, evaluation.estimates, result.binned.bins),
        told_response={n: _measured(one.value[0], one.error[0]) for n, one in told.items()},
    )


def _gains(result: ResolutionResult, task: Task, name: str, reference: str) -> Gains:
    found = {
        part: gain(result.inclusive, name, reference, width.figure)
        for part, width in task.words.widths.items()
    }
    return {part: _measured(one.value, one.error) for part, one in found.items()}


def _rates(rates: RateResult) -> Rates:
    return Rates(
        sample=rates.label,
        events=rates.n_events,
        lowest_supported_khz=float(rates.lowest_supported_khz),
        working_points=[point.described() for point in rates.points],
        thresholds={
            name: [
                Threshold(threshold_gev=_clean(float(cut)), error_gev=_clean(float(error)))
                for cut, error in zip(cuts, spread(rates.threshold_samples[name]), strict=True)
            ]
            for name, cuts in rates.thresholds.items()
        },
    )


def _trigger(rates: RateResult, result: SignalResult) -> Trigger:
    edges = zip(result.bins.edges_gev[:-1], result.bins.edges_gev[1:], strict=True)
    keys = [bin_key(low, high) for low, high in edges]
    return Trigger(
        efficiency={
            point.key: {
                key: {name: _efficiency(rates, result, name, p, b) for name in result.efficiency}
                for b, key in enumerate(keys)
            }
            for p, point in enumerate(rates.points)
        },
        turn_on={
            point.key: {name: _turn_on(curves[p]) for name, curves in result.turn_on.items()}
            for p, point in enumerate(rates.points)
        },
        roc_area=_clean(result.roc_area),
    )


def _efficiency(
    rates: RateResult, result: SignalResult, name: str, point: int, index: int
) -> Efficiency:
    found = result.efficiency[name][point]
    reached = bool(np.isfinite(rates.thresholds[name][point]))
    return Efficiency(
        efficiency=_clean(found.value[index]),
        low=_clean(found.low[index]),
        high=_clean(found.high[index]),
        error=_clean(found.error[index]),
        passed=int(found.passed[index]) if reached else None,
        events=int(found.total[index]),
        difference={
            reference: _measured(
                found.value[index] - result.efficiency[reference][point].value[index],
                result.difference_error(name, reference)[point, index],
            )
            for reference in result.efficiency
            if reference != name
        },
    )


def _fitted(fit: FittedCurve) -> FittedTurnOn:
    return FittedTurnOn(
        plateau=_clean(fit.plateau),
        floor=_clean(fit.floor),
        middle_gev=_clean(fit.middle),
        width_gev=_clean(fit.width),
        growth=_clean(fit.growth),
        chi2_per_dof=_clean(fit.chi2_per_dof),
    )


def _turn_on(curve: TurnOn) -> TurnOnCurve:
    found = curve.efficiency
    return TurnOnCurve(
        offline_gev=_clean(curve.offline),
        fit=None if curve.fit is None else _fitted(curve.fit),
        edges_gev=_edges(curve.bins),
        mean_gen_gev=_clean(curve.mean_truth),
        efficiency=_clean(found.value),
        low=_clean(found.low),
        high=_clean(found.high),
        events=[int(n) for n in found.total],
    )
