"""Physics figures of ``metrics.json`` under the stable keys of ``report.json``."""

from typing import Final

from l1met_fpga.evaluation.worst_cell import worst_cell
from l1met_fpga.report.bad_days import fault_figures
from l1met_fpga.report.studies import class_figures, tail_figures
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import Gains, Metrics
from l1met_fpga.results.report import SIGNALS, EfficiencyCell, EvaluatedSample, Gain, Physics

__all__ = ["evaluated_samples", "physics_figures"]

GAIN_SAMPLE: Final = "ttbar"
"""Sample of the gains and of the response."""
RATES: Final = ("18kHz", "62kHz", "310kHz")
REFERENCES: Final = ("puppi", "scaled_puppi", "per_type", "table")
RESPONSE_RANGE_GEV: Final = (80.0, 200.0)
"""What the name of the key ``response_80_200`` says."""


def evaluated_samples(metrics: Metrics) -> dict[str, EvaluatedSample]:
    """Return what was evaluated, by label."""
    return {
        label: EvaluatedSample(
            events=about.events, background=about.background, identity=about.identity
        )
        for label, about in metrics.samples.items()
    }


def physics_figures(metrics: Metrics) -> Physics | None:
    """Return the figures of the primary network; None for an evaluation without a network."""
    primary = metrics.primary
    if primary is None:
        return None
    resolution = metrics.resolution.get(GAIN_SAMPLE)
    gains = {} if resolution is None else resolution.gain[primary]
    in_range = tuple(metrics.config.response_range_gev) == RESPONSE_RANGE_GEV
    labels = dict.fromkeys((*SIGNALS, *metrics.trigger))
    return Physics(
        gain_vs_puppi=_gain(gains.get("puppi")),
        gain_vs_scaled_puppi=_gain(gains.get("scaled_puppi")),
        gain_vs_per_type=_gain(gains.get("per_type")),
        gain_vs_table=_gain(gains.get("table")),
        loss_vs_float=_loss(gains.get(f"{primary}_float")),
        trigger={label: _trigger(metrics, label, primary) for label in labels},
        worst_cell=worst_cell(metrics, primary),
        faults=fault_figures(metrics),
        pileup_dependence=class_figures(metrics, "pileup"),
        regions=class_figures(metrics, "region"),
        tails=tail_figures(metrics),
        response_80_200=(
            resolution.response[primary].value if resolution is not None and in_range else None
        ),
        told_response_80_200=(
            resolution.told_response[primary].value
            if resolution is not None and in_range and primary in resolution.told_response
            else None
        ),
        reasons=_reasons(metrics, primary),
    )


def _gain(found: Gains | None) -> Gain | None:
    return None if found is None else Gain(**found)


def _loss(found: Gains | None) -> Gain | None:
    """Turn a gain over the float network into a loss: positive means worse."""
    if found is None:
        return None
    return Gain(**{part: _negative(gain) for part, gain in found.items()})


def _negative(found: Measured) -> Measured:
    return Measured(value=None if found.value is None else -found.value, error=found.error)


def _trigger(
    metrics: Metrics, label: str, primary: str
) -> dict[str, dict[str, EfficiencyCell] | None] | None:
    """Return efficiencies of one sample by rate and bin; None for unsupported rates."""
    found = metrics.trigger.get(label)
    if found is None or metrics.rates is None:
        return None
    result: dict[str, dict[str, EfficiencyCell] | None] = dict.fromkeys(RATES)
    for point in metrics.working_points:
        threshold = metrics.rates.threshold(primary, point.key).threshold_gev
        cells = {}
        for key, row in found.efficiency[point.key].items():
            others = {name: row[name].efficiency if name in row else None for name in REFERENCES}
            cells[key] = EfficiencyCell(
                rate_khz=point.rate_khz,
                efficiency=row[primary].efficiency,
                error=row[primary].error,
                threshold_gev=threshold,
                puppi=others["puppi"],
                per_type=others["per_type"],
                table=others["table"],
                difference=row[primary].difference,
            )
        result[point.key] = cells
    return result


def _reasons(metrics: Metrics, primary: str) -> dict[str, str]:
    """Say why figures are ``null``, by their keys below ``physics``."""
    reasons: dict[str, str] = {}
    there = ", ".join(metrics.samples)
    gain_keys = {f"gain_vs_{name}": name for name in REFERENCES}
    gain_keys |= {"loss_vs_float": f"{primary}_float"}
    if GAIN_SAMPLE not in metrics.resolution:
        no_sample = f"no sample {GAIN_SAMPLE!r} was evaluated (there are {there})"
        reasons |= dict.fromkeys((*gain_keys, "response_80_200"), no_sample)
    else:
        reasons |= {
            key: f"no estimate {name!r} was evaluated"
            for key, name in gain_keys.items()
            if name not in metrics.estimates
        }
        low, high = metrics.config.response_range_gev
        if (low, high) != RESPONSE_RANGE_GEV:
            reasons["response_80_200"] = (
                f"the evaluation used response_range_gev {low:g} to {high:g}; it must be 80 to 200"
            )
        if metrics.estimates[primary].calibration is None:
            reasons["told_response_80_200"] = "the network has no calibration (training.calibrate)"
    if metrics.rates is None:
        return reasons | {"trigger": "no pile-up-only sample was evaluated, so there are no rates"}
    for label in SIGNALS:
        if label not in metrics.trigger:
            reasons[f"trigger.{label}"] = f"no sample {label!r} was evaluated (there are {there})"
    known = {point.key for point in metrics.working_points}
    for label in metrics.trigger:
        for rate in (*RATES, "lowest"):
            if rate not in known:
                reasons[f"trigger.{label}.{rate}"] = _no_rate(metrics, rate)
    return reasons


def _no_rate(metrics: Metrics, rate: str) -> str:
    rates = metrics.rates
    if rates is None or rate == "lowest":
        return "every wanted rate is supported, so the lowest supported one was not used"
    khz = float(rate.removesuffix("kHz"))
    if khz < rates.lowest_supported_khz:
        return (
            f"{rates.events} pile-up-only events do not support it, only "
            f"{rates.lowest_supported_khz:.3g} kHz and above"
        )
    return "it is not among the evaluation's rates_khz"
