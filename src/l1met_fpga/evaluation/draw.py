"""All plots of an evaluation."""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import ReportError
from l1met_fpga.evaluation.evaluation import Evaluation
from l1met_fpga.evaluation.plot_classes import (
    plot_class_efficiency,
    plot_class_roc,
    plot_confusion,
)
from l1met_fpga.evaluation.plot_cost import cost_figures
from l1met_fpga.evaluation.plot_faults import plot_faults
from l1met_fpga.evaluation.plot_network import plot_learning_curves, plot_weight_maps
from l1met_fpga.evaluation.plot_resolution import (
    plot_binned,
    plot_multiplicity,
    plot_residuals,
    plot_with_ratio,
)
from l1met_fpga.evaluation.plot_score import plot_rate, plot_roc, plot_turn_on
from l1met_fpga.evaluation.resolution import FiguresWithErrors
from l1met_fpga.evaluation.shown import shown
from l1met_fpga.evaluation.trigger import RateResult, bin_key
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.trigger import roc_error
from l1met_fpga.metrics.weight_table import WeightTable
from l1met_fpga.plots.curves import Curve
from l1met_fpga.plots.figure import labelled, save_figure
from l1met_fpga.puppi.columns import PARTICLE_KINDS
from l1met_fpga.results.base import Measured
from l1met_fpga.results.faults import FaultedEstimate, Faults
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.tasks.task import BinnedFigure

__all__ = ["draw_all", "draw_costs", "figures_of", "read_history"]

logger = logging.getLogger(__name__)
Drawn = TypeVar("Drawn")


def draw_all(
    evaluation: Evaluation, folder: Path, *, history: dict[str, FloatArray] | None = None
) -> list[Path]:
    """Write every plot as PDF and PNG, its numbers as CSV, and return the PNG paths.

    Args:
        evaluation: Figures and events.
        folder: Where the plots go.
        history: Columns of ``history.csv``, for the learning curves.
    """
    paths = []
    with labelled(evaluation.config.plot_label, evaluation.config.plot_conditions):
        for name, made in figures_of(evaluation, history):
            paths.append(save_figure(made, folder, name)[1])
            logger.debug("drew %s", paths[-1])
    return paths


def draw_costs(
    metrics: Metrics, luts: Mapping[str, float], folder: Path, config: EvaluationConfig
) -> None:
    """Write the efficiency of several networks against their LUTs, see :mod:`plot_cost`."""
    with labelled(config.plot_label, config.plot_conditions):
        for name, made in cost_figures(metrics, luts):
            save_figure(made, folder, name)


def read_history(path: Path) -> dict[str, FloatArray]:
    """Read the columns of ``history.csv``.

    Raises:
        ReportError: If a value is not a number.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {
            key: np.array([float(row[key]) if row[key] != "" else np.nan for row in rows])
            for key in (rows[0] if rows else {})
        }
    except (TypeError, ValueError) as err:
        raise ReportError(f"{path} holds something that is not a number: {err}") from None


def figures_of(
    evaluation: Evaluation, history: dict[str, FloatArray] | None
) -> Iterator[tuple[str, Figure]]:
    """Yield the name and the figure of every plot."""
    for label in evaluation.resolution:
        yield from _resolution_figures(evaluation, label)
    for label in evaluation.classes:
        yield from _class_figures(evaluation, label)
    if evaluation.rates is not None:
        curves = {_title(evaluation, n): c for n, c in _shown(evaluation, evaluation.rates.curves)}
        title = f"{evaluation.rates.label}, {evaluation.rates.n_events:,} {evaluation.task.rows}s"
        yield "rate", plot_rate(curves, score_label=evaluation.task.plots.score, title=title)
        for label in evaluation.trigger:
            yield from _trigger_figures(evaluation, evaluation.rates, label)
    maps = {f"weights_{name}": table for name, table in evaluation.baselines.items()}
    if evaluation.weights is not None:
        maps["weights_network"] = evaluation.weights
    for name, table in maps.items():
        if len(table.grid) > len(PARTICLE_KINDS):
            yield name, _weight_map(table, name)
    if evaluation.faults is not None:
        yield "bad_days", _bad_days(evaluation, evaluation.faults)
    if history:
        yield "learning_curves", plot_learning_curves(history)


def _title(evaluation: Evaluation, name: str) -> str:
    return evaluation.estimates[name].title


def _shown(evaluation: Evaluation, found: Mapping[str, Drawn]) -> Iterator[tuple[str, Drawn]]:
    """Yield what plots show, in the order of their looks."""
    return ((name, found[name]) for name in shown(evaluation.estimates) if name in found)


def _curves(evaluation: Evaluation, result: FiguresWithErrors, figure: str) -> list[Curve]:
    return [
        Curve(
            _title(evaluation, name), getattr(found, figure), result.bootstrap.error(name, figure)
        )
        for name, found in _shown(evaluation, result.figures)
    ]


def _ratios(evaluation: Evaluation, result: FiguresWithErrors, figure: str) -> list[Curve]:
    reference = shown(evaluation.estimates)[0]
    bottom = getattr(result.figures[reference], figure)
    return [
        Curve(
            _title(evaluation, name),
            getattr(found, figure) / bottom,
            result.bootstrap.ratio_error(name, reference, figure),
        )
        for name, found in _shown(evaluation, result.figures)
    ]


def _resolution_figures(evaluation: Evaluation, label: str) -> Iterator[tuple[str, Figure]]:
    result, sample = evaluation.resolution[label].binned, evaluation.samples[label]
    task = evaluation.task
    title = f"{label}, {len(sample):,} {task.rows}s"
    for figure in task.figures:
        if figure.plot is not None:
            yield f"{figure.plot}_{label}", _binned(evaluation, result, figure, title)
    truth, text = task.vector(sample.truth)[:, 0], task.plots.residual
    residuals = {
        _title(evaluation, name): task.vector(heads)[:, 0] - truth
        for name, heads in _shown(evaluation, sample.estimates)
    }
    made = plot_residuals(residuals, label=text, title=title)
    yield f"{task.plots.residual_name}_{label}", made
    if sample.n_candidates is not None:
        made = plot_multiplicity(
            sample.n_candidates, residuals, label=text, number=task.plots.multiplicity, title=title
        )
        yield f"multiplicity_{label}", made


def _class_figures(evaluation: Evaluation, label: str) -> Iterator[tuple[str, Figure]]:
    """Yield the figures of the primary network, or of the last estimate without one."""
    task, name = evaluation.task, evaluation.primary or list(evaluation.estimates)[-1]
    for head, found in evaluation.classes[label].items():
        one, names = found.estimates[name], task.words.classes[head]
        title = f"{label}, {_title(evaluation, name)}"
        yield f"{head}_roc_{label}", plot_class_roc(one, names, title=title)
        yield f"{head}_confusion_{label}", plot_confusion(one, names, title=title)
        yield (
            f"{head}_efficiency_{label}",
            plot_class_efficiency(
                one, names, found.bins, truth_label=task.plots.truth,
                title=f"{title}, mistag {100 * found.mistag:g} %",
            ),
        )  # fmt: skip


def _binned(
    evaluation: Evaluation, result: FiguresWithErrors, figure: BinnedFigure, title: str
) -> Figure:
    curves, truth_label = _curves(evaluation, result, figure.name), evaluation.task.plots.truth
    if not figure.ratio:
        return plot_binned(
            result.bins, curves, label=figure.label, truth_label=truth_label, title=title,
            reference=figure.reference,
        )  # fmt: skip
    first = _title(evaluation, shown(evaluation.estimates)[0])
    return plot_with_ratio(
        result.bins, curves, _ratios(evaluation, result, figure.name), label=figure.label,
        ratio_label=f"ratio to\n{first}", truth_label=truth_label, title=title,
    )  # fmt: skip


def _trigger_figures(
    evaluation: Evaluation, rates: RateResult, label: str
) -> Iterator[tuple[str, Figure]]:
    result = evaluation.trigger[label]
    for k, point in enumerate(rates.points):
        curves = {
            _title(evaluation, n): found[k] for n, found in _shown(evaluation, result.turn_on)
        }
        yield (
            f"turn_on_{label}_{point.key}",
            plot_turn_on(
                curves, truth_label=evaluation.task.plots.truth, title=f"{label}, {point.title}"
            ),
        )
    if result.roc:
        above, words = evaluation.config.roc_above_gev, evaluation.task.words
        truth = evaluation.task.score(evaluation.samples[label].truth)
        n_signal = int(np.count_nonzero(truth > above))
        errors = {
            name: roc_error(*curve, n_signal=n_signal, n_background=rates.n_events)
            for name, curve in result.roc.items()
        }
        areas = {
            _title(evaluation, name): (*curve, errors[name], result.roc_area[name])
            for name, curve in _shown(evaluation, result.roc)
        }
        yield (
            f"roc_{label}",
            plot_roc(areas, title=f"{label}, {words.truth} > {above:g} {words.unit}"),
        )


def _bad_days(evaluation: Evaluation, faults: Faults) -> Figure:
    """Draw the first signal sample, in the first bin of the truth."""
    label = next(label for label, sample in evaluation.samples.items() if not sample.is_background)
    low, high = evaluation.config.efficiency_edges_gev[:2]
    key, words = bin_key(low, high), evaluation.task.words

    def change(day: dict[str, FaultedEstimate], name: str) -> Measured | None:
        found = day[name].efficiency.get(label, {}).get(key)
        return None if found is None else found.change

    titles = {name: _title(evaluation, name) for name in faults.none}
    days = faults.days.values()
    return plot_faults(
        list(faults.about.values()),
        {title: _pairs([day[name].growth for day in days]) for name, title in titles.items()},
        {title: _pairs([change(day, name) for day in days]) for name, title in titles.items()},
        change_label=f"change of efficiency ({label}, {words.truth} {low:g}-{high:g} {words.unit})",
        title=f"threshold of {faults.rate_khz:.3g} kHz without a fault",
    )


def _pairs(found: Sequence[Measured | None]) -> FloatArray:
    """Return value and error, shape (n, 2); NaN for what was not measured."""
    known = [(None, None) if one is None else (one.value, one.error) for one in found]
    return np.array(known, dtype=np.float64).reshape(-1, 2)


def _weight_map(table: WeightTable, name: str) -> Figure:
    return plot_weight_maps(
        table.weights,
        table.candidates,
        types=list(PARTICLE_KINDS),
        pt_edges_gev=table.grid.pt_edges_gev,
        abs_eta_edges=table.grid.abs_eta_edges,
        title=f"mean weight in the {name.removeprefix('weights_').replace('_', ' ')}",
    )
