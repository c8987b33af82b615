"""Physics figures on the validation part, after every epoch."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.training import EarlyStoppingConfig, LossConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError, DataError, TrainingError
from l1met_fpga.metrics.binning import GAIN_RANGE_GEV, Bins
from l1met_fpga.metrics.resolution import binned_resolution
from l1met_fpga.metrics.trigger import lowest_supported_rate_khz, threshold_at_rate
from l1met_fpga.models.keras import tf
from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.training.losses import MetLoss
from l1met_fpga.training.mixture import packed_inputs

__all__ = [
    "LOSS",
    "MONITOR_RATE_KHZ",
    "Direction",
    "Validation",
    "packed_predictor",
    "puppi_reference",
    "require_finite",
]

MONITOR_RATE_KHZ: Final = 62.0
"""Trigger rate of the monitored efficiency; the lowest supported one in smaller samples."""
EFFICIENCY_RANGE_GEV: Final = (100.0, 150.0)
RESPONSE_RANGE_GEV: Final = (80.0, 200.0)
ERROR_ABOVE_GEV: Final = (100.0, 150.0)
EVENTS_PER_STEP: Final = 4096

PUPPI_MET: Final = "puppi_met_xy_gev"
"""Name of the PUPPI MET among what is known besides."""

FloatArray = npt.NDArray[np.float64]
Direction = Literal["min", "max"]

LOSS: Final = "val_loss"
_FALLS: Final = ("u_par_gev", "u_perp_gev", *(f"error_above_{e:g}_gev" for e in ERROR_ABOVE_GEV))
_RISES: Final = ("efficiency",)
"""Figures of a sample of which less, or more, is better. The response should be one and threshold
and rate say nothing by themselves: they have no direction."""


def puppi_reference(events: Examples) -> dict[str, FloatArray]:
    """Return the PUPPI MET of all candidates, px, py in GeV, under its name."""
    return {PUPPI_MET: puppi_met_xy_gev(events.padded(N_CANDIDATES))}


def packed_predictor(model: Any) -> Callable[[Examples], FloatArray]:
    """Return a function of events that runs a packed model: MET px, py in GeV, shape (n, 2)."""
    signature = {
        tensor.name: tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    }
    # One trace, made here. TensorFlow counts the traces of all functions of this line together and
    # takes those of several short trainings for one function that is traced again and again.
    run = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])
    call = run.get_concrete_function()

    def predict(events: Examples) -> FloatArray:
        parts = [np.zeros((0, 2))]
        for first in range(0, len(events), EVENTS_PER_STEP):
            some = np.arange(first, min(first + EVENTS_PER_STEP, len(events)))
            inputs = {k: tf.constant(v) for k, v in packed_inputs(events, some).items()}
            parts.append(np.asarray(call(inputs), dtype=np.float64))
        return np.concatenate(parts)

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
    """Validation events of all samples and the figures that are watched on them.

    Args:
        samples: Loaded samples.
        loss: Loss that is minimised.

    Raises:
        TrainingError: If no sample has a validation event.
    """

    def __init__(self, samples: Sequence[LoadedSample], loss: LossConfig) -> None:
        self._samples = [sample for sample in samples if len(sample.validation)]
        if not self._samples:
            raise TrainingError("no sample has validation events; convert with another split")
        self._loss = MetLoss(loss)
        shares = np.array([sample.share for sample in self._samples])
        self._shares = shares / shares.sum() if shares.sum() > 0 else shares + 1 / len(shares)
        self.puppi = self.figures(lambda events: events.besides[PUPPI_MET])

    def figures(self, estimate: Callable[[Examples], FloatArray]) -> dict[str, float]:
        """Return loss, response, slope-corrected widths, efficiency and errors of an estimate.

        NaN where a sample has too few events.
        """
        met = {sample.label: estimate(sample.validation) for sample in self._samples}
        signal = [sample for sample in self._samples if not sample.is_background]
        result = {LOSS: self._mean_loss(met)}
        for sample in signal:
            q, u = sample.validation.truth[GEN_MET], met[sample.label]
            result |= {f"val_{sample.label}_{k}": v for k, v in _resolution(u, q).items()}
        background = [sample for sample in self._samples if sample.is_background]
        if background:
            below = np.concatenate([np.hypot(*met[s.label].T) for s in background])
            result |= _efficiencies(below, signal, met)
        return result

    def direction(self, config: EarlyStoppingConfig) -> Direction:
        """Return whether the monitored figure should fall or rise.

        Raises:
            ConfigError: If there is no such figure, it cannot be measured on these events, or it
                has no direction and the configuration gives none.
        """
        where = "training.early_stopping"
        if config.monitor != LOSS:  # it is there for any event; training refuses a NaN by itself
            require_finite(self.puppi, config.monitor, where=f"{where}.monitor")
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
        """Direction of every column that has one."""
        found: dict[str, Direction] = {LOSS: "min", "val_efficiency": "max"}
        for sample in self._samples:
            found |= {f"val_{sample.label}_{name}": "min" for name in _FALLS}
            found |= {f"val_{sample.label}_{name}": "max" for name in _RISES}
        return {name: way for name, way in found.items() if name in self.puppi}

    def _mean_loss(self, met: dict[str, FloatArray]) -> float:
        """Mean loss in the mixture that is trained on."""
        means = [
            float(tf.reduce_mean(self._loss.call(s.validation.truth[GEN_MET], met[s.label])))
            for s in self._samples
        ]
        return float(np.dot(self._shares, means))


def _resolution(u: FloatArray, q: FloatArray) -> dict[str, float]:
    in_range = binned_resolution(u, q, bins=Bins.of(GAIN_RANGE_GEV))
    response = binned_resolution(u, q, bins=Bins.of(RESPONSE_RANGE_GEV))
    size, error = np.hypot(*q.T), np.hypot(*(u - q).T)
    figures = {
        "u_par_gev": float(in_range.parallel_over_slope_gev[0]),
        "u_perp_gev": float(in_range.perpendicular_over_slope_gev[0]),
        "response": float(response.response[0]),
    }
    for limit in ERROR_ABOVE_GEV:
        above = error[size > limit]
        figures[f"error_above_{limit:g}_gev"] = float(above.mean()) if len(above) else float("nan")
    return figures


def _efficiencies(
    background_gev: FloatArray, signal: Sequence[LoadedSample], met: dict[str, FloatArray]
) -> dict[str, float]:
    """Efficiency for genMET of 100 to 150 GeV at the monitored rate."""
    rate = max(MONITOR_RATE_KHZ, lowest_supported_rate_khz(len(background_gev)))
    try:
        threshold = threshold_at_rate(background_gev, rate)
    except DataError:  # a handful of validation events in a test: no rate to speak of
        threshold = float("nan")
    result = {"val_threshold_gev": threshold, "val_rate_khz": rate}
    low, high = EFFICIENCY_RANGE_GEV
    for sample in signal:
        size = np.hypot(*sample.validation.truth[GEN_MET].T)
        u = np.hypot(*met[sample.label].T)[(size >= low) & (size < high)]
        passing = float(np.mean(u >= threshold)) if len(u) and np.isfinite(threshold) else np.nan
        result[f"val_{sample.label}_efficiency"] = passing
    values = [result[f"val_{s.label}_efficiency"] for s in signal]
    return result | {"val_efficiency": float(np.mean(values)) if values else float("nan")}
