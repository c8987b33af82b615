"""Turn-on, rate and ROC curves of any score."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.trigger import RateCurve
from l1met_fpga.metrics.turn_on import OFFLINE_EFFICIENCY, TurnOn
from l1met_fpga.plots.curves import (
    bin_positions,
    binned_label,
    figure,
    legend,
    look,
)
from l1met_fpga.plots.figure import styled

__all__ = ["plot_rate", "plot_roc", "plot_turn_on"]

MAX_ROWS: Final = 500
"""Points per curve in the table beside a plot."""


def plot_turn_on(curves: Mapping[str, TurnOn], *, truth_label: str, title: str = "") -> Figure:
    """Draw efficiencies against the truth at equal rate, with Clopper-Pearson errors and fits.

    Args:
        curves: By name of the estimate.
        truth_label: What the truth is, with its unit.
        title: Line above the axis.
    """
    with styled():
        made, axis = figure(title)
        drawn, bins = (0.0, 1.0), None
        for k, (name, curve) in enumerate(curves.items()):
            bins = curve.bins
            found = curve.efficiency
            shown = found.total >= MIN_EVENTS
            drawn = (0.0, max(drawn[1], _end(bins, shown)))
            errors = np.stack([found.value - found.low, found.high - found.value])
            text = f"{name} > {curve.threshold:.0f} GeV"
            if np.isnan(curve.threshold):
                text = f"{name}: no threshold gives this rate"
            if np.isfinite(curve.offline):
                text += f", 90 % at {curve.offline:.0f} GeV"
            axis.errorbar(
                curve.mean_truth[shown], found.value[shown], np.nan_to_num(errors)[:, shown],
                label=text, markersize=6, **look(k),
            )  # fmt: skip
            x = (curve.mean_truth, bins.edges_gev[:-1], bins.edges_gev[1:])
            made.keep("efficiency", name, x, (found.value, found.low, found.high))
        for k, curve in enumerate(curves.values()):
            if curve.fit is not None:
                gen = np.linspace(*drawn, 400)
                axis.plot(gen, curve.fit(gen), **look(k, line=True))
        axis.axhline(OFFLINE_EFFICIENCY, color="0.5", linewidth=1, linestyle=":")
        axis.set(ylabel="efficiency", xlim=drawn, ylim=(0, 1.16 + 0.1 * len(curves)))
        axis.set_yticks(np.arange(0, 1.01, 0.2))
        if bins is not None:
            axis.set_xlabel(binned_label(truth_label, bins.edges_gev))
        legend(axis, list(curves), loc="upper left")
    return made


def _end(bins: Bins, shown: npt.NDArray[np.bool_]) -> float:
    """Return the end of the last bin with enough events; an open bin ends half as wide again."""
    *_, (_, last) = bin_positions(bins.edges_gev)
    ends = np.minimum(bins.edges_gev[1:], last)
    return float(ends[shown].max()) if shown.any() else last


def plot_rate(curves: Mapping[str, RateCurve], *, score_label: str, title: str = "") -> Figure:
    """Draw rate against threshold; faint where the sample does not support the rate.

    Args:
        curves: By name of the estimate.
        score_label: What is cut on, with its unit.
        title: Line above the axis.
    """
    with styled():
        made, axis = figure(title)
        lowest = np.inf
        for k, (name, curve) in enumerate(curves.items()):
            line, some = look(k, line=True), curve.rate_khz > 0
            colour = line["color"]
            good = some & curve.supported
            faint = some & ~np.append(curve.supported[1:], False)
            axis.plot(curve.thresholds[good], curve.rate_khz[good], label=name, **line)
            thinned = slice(None, None, max(1, len(curve.thresholds) // MAX_ROWS))
            rates = (curve.rate_khz, curve.low_khz, curve.high_khz)
            made.keep("rate [kHz]", name, [curve.thresholds[thinned]], [r[thinned] for r in rates])
            axis.plot(
                curve.thresholds[faint], curve.rate_khz[faint], color=colour, alpha=0.4,
                linestyle=":",
            )  # fmt: skip
            axis.fill_between(
                curve.thresholds[good], curve.low_khz[good], curve.high_khz[good],
                color=colour, alpha=0.2, linewidth=0,
            )  # fmt: skip
            if good.any():
                lowest = min(lowest, float(curve.rate_khz[good].min()))
        if np.isfinite(lowest):
            axis.axhline(lowest, color="0.5", linewidth=1, linestyle="--")
            axis.annotate(
                "lowest supported rate", (0.02, lowest), xycoords=("axes fraction", "data"),
                va="bottom", fontsize=11, color="0.4",
            )  # fmt: skip
        if any((curve.rate_khz > 0).any() for curve in curves.values()):
            axis.set_yscale("log")
        axis.set(xlabel=f"threshold on {score_label}", ylabel="rate [kHz]")
        axis.set_xlim(left=0)
        legend(axis, list(curves), loc="upper right")
    return made


def plot_roc(
    curves: Mapping[str, tuple[FloatArray, FloatArray, FloatArray, float]], *, title: str = ""
) -> Figure:
    """Draw signal efficiency against rate, with a band of its error.

    Args:
        curves: Per estimate the rate in kHz, the efficiency and its error, and the area under the
            curve (of signal against pile-up-only efficiency).
        title: Line above the axis.
    """
    with styled():
        made, axis = figure(title)
        for k, (name, (rate, selected, error, area)) in enumerate(curves.items()):
            line = look(k, line=True)
            low, high = np.clip((selected - error, selected + error), 0.0, 1.0)
            axis.plot(rate, selected, label=f"{name}, area {area:.4f}", **line)
            axis.fill_between(rate, low, high, color=line["color"], alpha=0.2, linewidth=0)
            thinned = slice(None, None, max(1, len(rate) // MAX_ROWS))
            rows = [values[thinned] for values in (selected, low, high)]
            made.keep("signal efficiency", name, [rate[thinned]], rows)
        axis.set(xlabel="rate [kHz]", ylabel="signal efficiency", xscale="log", ylim=(0, 1.02))
        legend(axis, list(curves), loc="lower right")
    return made
