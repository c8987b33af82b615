"""Bad days of the detector in one figure: what each does to the rate and to the efficiency."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.plots.curves import look
from l1met_fpga.plots.drawing import Drawing
from l1met_fpga.plots.figure import styled

__all__ = ["plot_faults"]


def plot_faults(
    days: Sequence[str],
    growth: dict[str, FloatArray],
    change: dict[str, FloatArray],
    *,
    change_label: str,
    title: str = "",
) -> Figure:
    """Draw every fault as a row: growth of the rate left, change of the efficiency right.

    Args:
        days: What each fault is.
        growth: By name of the estimate, rate over that without the fault and its error, shape
            (n_days, 2).
        change: The same of the efficiency minus that without the fault.
        change_label: Which efficiency.
        title: Line above the axes.
    """
    with styled():
        made = Drawing(title, figsize=(13, 1.8 + 0.42 * len(days)))
        left, right = made.subplots(1, 2, sharey=True)
        rows = np.arange(len(days), dtype=np.float64)
        panels = (
            (left, "rate / rate without the fault", growth, 1.0),
            (right, change_label, change, 0.0),
        )
        for axis, label, found, nothing in panels:
            for k, (name, values) in enumerate(found.items()):
                place = rows + 0.22 * (k - (len(found) - 1) / 2)
                axis.errorbar(
                    values[:, 0], place, xerr=np.nan_to_num(values[:, 1]), label=name, markersize=6,
                    **look(k),
                )  # fmt: skip
                ends = (values[:, 0], values[:, 0] - values[:, 1], values[:, 0] + values[:, 1])
                made.keep(label, name, [rows], ends)
            axis.axvline(nothing, color="0.5", linewidth=1, linestyle=":")
            axis.set_xlabel(label, loc="center", fontsize=13)
            axis.tick_params(axis="y", which="minor", left=False, right=False)
        left.set_xscale("log")
        left.set_yticks(rows, days, fontsize=11)
        left.invert_yaxis()
        made.legend(
            *left.get_legend_handles_labels(), loc="outside upper center", ncols=3, title=title
        )
    return made
