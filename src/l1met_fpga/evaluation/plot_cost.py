"""What LUTs buy: efficiency at the lowest rate against the LUTs of several networks."""

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.figure import Figure

from l1met_fpga.evaluation.summary import bin_text
from l1met_fpga.plots.curves import figure, legend, look
from l1met_fpga.plots.figure import styled
from l1met_fpga.results.metrics import Efficiency, Metrics

__all__ = ["cost_figures"]

_BASELINE = "puppi"


def cost_figures(metrics: Metrics, luts: Mapping[str, float]) -> Iterator[tuple[str, Figure]]:
    """Yield name and figure for every signal: first bin of the truth, lowest rate.

    Args:
        metrics: Joint evaluation of several networks.
        luts: LUTs of those that were built, by name of the estimate.
    """
    point = min(metrics.working_points, key=lambda one: one.rate_khz, default=None)
    if point is None or not luts:
        return
    for label, found in metrics.trigger.items():
        key, row = next(iter(found.efficiency[point.key].items()))
        title = f"{label}, {metrics.words.truth} {bin_text(key)}, {point.rate_khz:.3g} kHz"
        yield f"cost_{label}", _plot(row, luts, metrics, title)


def _plot(
    row: Mapping[str, Efficiency], luts: Mapping[str, float], metrics: Metrics, title: str
) -> Figure:
    with styled():
        made, axis = figure(title)
        for k, (name, lut) in enumerate(luts.items(), start=1):
            values = row[name]
            value, low, high = (
                np.array([np.nan if v is None else v])
                for v in (values.efficiency, values.low, values.high)
            )
            text = f"{metrics.estimates[name].title}: {lut / 1000:.1f}k LUT"
            errors = np.nan_to_num(np.stack([value - low, high - value]))
            axis.errorbar([lut / 1000], value, errors, label=text, markersize=9, **look(k))
            made.keep("efficiency", name, ([lut],), (value, low, high))
        baseline = row.get(_BASELINE)
        if baseline is not None and baseline.efficiency is not None:
            style = look(0, line=True)
            text = metrics.estimates[_BASELINE].title
            axis.axhline(baseline.efficiency, label=text, **style)
        axis.set(xlabel="LUT of the streaming RTL [1000]", ylabel="efficiency")
        axis.set_xlim(0, 1.25 * max(luts.values()) / 1000)
        axis.set_ylim(0, 1.16 + 0.1 * len(luts))
        axis.set_yticks(np.arange(0, 1.01, 0.2))
        legend(axis, list(luts), loc="upper left")
    return made
