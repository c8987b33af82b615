"""``metrics.json``: every figure of an evaluation with its error; NaN becomes ``null``."""

import json
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jsonschema
import numpy as np

from l1met_fpga.errors import ReportError
from l1met_fpga.evaluation.evaluation import Evaluation
from l1met_fpga.evaluation.resolution import FiguresWithErrors, ResolutionResult, gain
from l1met_fpga.evaluation.trigger import RateResult, SignalResult, bin_key
from l1met_fpga.files import write_json
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.bootstrap import spread
from l1met_fpga.metrics.resolution import FIGURES, x_residual_half_width_gev
from l1met_fpga.metrics.turn_on import TurnOn

__all__ = ["SCHEMA_VERSION", "load_metrics", "metrics_schema", "save_metrics", "to_metrics"]

SCHEMA_VERSION: Final = 1
WIDTHS: Final = {"u_par": "parallel_over_slope_gev", "u_perp": "perpendicular_over_slope_gev"}


def to_metrics(evaluation: Evaluation) -> dict[str, Any]:
    """Return the content of ``metrics.json``; its schema is ``metrics.schema.json``."""
    rates = evaluation.rates
    return {
        "schema_version": SCHEMA_VERSION,
        "primary": evaluation.primary,
        "estimates": {name: asdict(what) for name, what in evaluation.estimates.items()},
        "samples": {
            label: {"events": len(sample), "background": sample.is_background}
            for label, sample in evaluation.samples.items()
        },
        "config": _clean(evaluation.config.model_dump()),
        "notes": list(evaluation.notes),
        "resolution": {
            label: _resolution(evaluation, label, result)
            for label, result in evaluation.resolution.items()
        },
        "rates": None if rates is None else _rates(rates),
        "trigger": {
            label: _trigger(rates, result)
            for label, result in evaluation.trigger.items()
            if rates is not None
        },
        "baselines": {name: table.to_json() for name, table in evaluation.baselines.items()},
        "network_weights": None if evaluation.weights is None else evaluation.weights.to_json(),
    }


def metrics_schema() -> dict[str, Any]:
    """Return the JSON schema of ``metrics.json``."""
    text = resources.files(__package__).joinpath("metrics.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def save_metrics(metrics: dict[str, Any], path: Path) -> None:
    """Check the figures against the schema and write them.

    Raises:
        ReportError: If a figure is missing or has another type.
    """
    _check(metrics, path)
    write_json(path, metrics)


def load_metrics(path: Path) -> dict[str, Any]:
    """Read ``metrics.json``.

    Raises:
        ReportError: If it is missing, damaged or of another schema version.
    """
    try:
        metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"no {path}; make it with `l1met evaluate`") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise ReportError(
            f"{path} is not JSON: {err}; make it again with `l1met evaluate`"
        ) from err
    _check(metrics, path)
    return metrics


def _check(metrics: dict[str, Any], path: Path) -> None:
    try:
        jsonschema.validate(metrics, metrics_schema())
    except jsonschema.ValidationError as err:
        raise ReportError(
            f"{path}: {err.json_path}: {err.message[:200]}; make it again with `l1met evaluate`"
        ) from None


def _clean(value: Any) -> Any:
    """Turn arrays into lists, and NaN and infinity into ``null``, at any depth."""
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_clean(inner) for inner in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def _edges(bins: Bins) -> list[float | None]:
    return [edge if np.isfinite(edge) else None for edge in bins.edges_gev]


def _table(result: FiguresWithErrors) -> dict[str, Any]:
    """Return value and error of every figure of every estimate, per bin."""
    estimates = {
        name: {
            figure: {
                "value": _clean(getattr(figures, figure)),
                "error": _clean(result.bootstrap.error(name, figure)),
            }
            for figure in FIGURES
        }
        for name, figures in result.figures.items()
    }
    any_figures = next(iter(result.figures.values()))
    return {
        "edges_gev": _edges(result.bins),
        "labels": list(result.bins.labels),
        "events": [int(n) for n in any_figures.n_events],
        "estimates": estimates,
    }


def _resolution(evaluation: Evaluation, label: str, result: ResolutionResult) -> dict[str, Any]:
    sample = evaluation.samples[label]
    names = list(evaluation.estimates)
    return {
        "binned": _table(result.binned),
        "inclusive": _table(result.inclusive),
        "response": {
            name: {"value": _clean(value), "error": _clean(error)}
            for name, (value, error) in result.response.items()
        },
        "x_residual_gev": {
            name: _clean(x_residual_half_width_gev(met, sample.gen_met_xy_gev))
            for name, met in sample.met_xy_gev.items()
        },
        "gain": {
            name: {
                reference: {
                    component: _clean(asdict(gain(result.inclusive, name, reference, figure)))
                    for component, figure in WIDTHS.items()
                }
                for reference in names
                if reference != name
            }
            for name in names
        },
    }


def _rates(rates: RateResult) -> dict[str, Any]:
    return {
        "sample": rates.label,
        "events": rates.n_events,
        "lowest_supported_khz": rates.lowest_supported_khz,
        "working_points": [
            _clean(asdict(point)) | {"title": point.title} for point in rates.points
        ],
        "thresholds": {
            name: [
                {"threshold_gev": _clean(float(cut)), "error_gev": _clean(float(error))}
                for cut, error in zip(cuts, spread(rates.threshold_samples_gev[name]), strict=True)
            ]
            for name, cuts in rates.thresholds_gev.items()
        },
    }


def _trigger(rates: RateResult, result: SignalResult) -> dict[str, Any]:
    edges = zip(result.bins.edges_gev[:-1], result.bins.edges_gev[1:], strict=True)
    keys = [bin_key(low, high) for low, high in edges]
    return {
        "efficiency": {
            point.key: {
                key: {name: _efficiency(rates, result, name, p, b) for name in result.efficiency}
                for b, key in enumerate(keys)
            }
            for p, point in enumerate(rates.points)
        },
        "turn_on": {
            point.key: {name: _turn_on(curves[p]) for name, curves in result.turn_on.items()}
            for p, point in enumerate(rates.points)
        },
        "roc_area": _clean(result.roc_area),
    }


def _efficiency(
    rates: RateResult, result: SignalResult, name: str, point: int, index: int
) -> dict[str, Any]:
    found = result.efficiency[name][point]
    threshold = rates.thresholds_gev[name][point]
    difference = {
        reference: {
            "value": found.value[index] - result.efficiency[reference][point].value[index],
            "error": result.difference_error(name, reference)[point, index],
        }
        for reference in result.efficiency
        if reference != name
    }
    cleaned: dict[str, Any] = _clean(
        {
            "efficiency": found.value[index],
            "low": found.low[index],
            "high": found.high[index],
            "error": found.error[index],
            "passed": found.passed[index] if np.isfinite(threshold) else None,
            "events": found.total[index],
            "threshold_gev": threshold,
            "difference": difference,
        }
    )
    return cleaned


def _turn_on(curve: TurnOn) -> dict[str, Any]:
    found = curve.efficiency
    cleaned: dict[str, Any] = _clean(
        {
            "threshold_gev": curve.threshold_gev,
            "offline_gev": curve.offline_gev,
            "fit": None if curve.fit is None else asdict(curve.fit),
            "edges_gev": _edges(curve.bins),
            "mean_gen_gev": curve.mean_gen_gev,
            "efficiency": found.value,
            "low": found.low,
            "high": found.high,
            "events": found.total,
        }
    )
    return cleaned
