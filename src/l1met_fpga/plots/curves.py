"""Pieces that plots of several curves share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from l1met_fpga.plots.figure import COLOURS

__all__ = [
    "Curve",
    "bin_positions",
    "binned_label",
    "figure",
    "legend",
    "look",
    "ratio_figure",
    "shifted",
]

FloatArray = npt.NDArray[np.float64]

MARKERS: Final = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")


@dataclass(frozen=True, slots=True)
class Curve:
    """Values with symmetric errors, one per bin; NaN values are not drawn."""

    title: str
    value: FloatArray
    error: FloatArray


def look(index: int) -> dict[str, Any]:
    """Return colour and marker of the curve of that number."""
    return {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}


def figure(title: str = "", *, width: float = 7.5, height: float = 6.0) -> tuple[Figure, Axes]:
    """Return a figure with one axis and a title line above it (sample, conditions)."""
    made = Figure(figsize=(width, height))
    axis = made.subplots()
    axis.set_title(title, loc="left", fontsize=13)
    return made, axis


def ratio_figure(title: str, *, ratio_label: str) -> tuple[Figure, Axes, Axes]:
    """Return a figure with a main axis and a ratio panel below it."""
    made = Figure(figsize=(7.5, 7.5))
    top, bottom = made.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    top.set_title(title, loc="left", fontsize=13)
    bottom.set_ylabel(ratio_label, loc="center", fontsize=13)
    bottom.axhline(1.0, color="0.5", linewidth=1, linestyle=":")
    return made, top, bottom


def bin_positions(
    edges: Sequence[float],
) -> tuple[FloatArray, FloatArray, tuple[float, float]]:
    """Return centres, half widths and drawn range; an open bin is drawn half as wide as it starts.

    The axis label of such a plot must say that the last bin is open.
    """
    ends = np.array(edges, dtype=np.float64)
    if np.isinf(ends[-1]):
        ends[-1] = ends[-2] * 1.25 if ends[-2] > 0 else 1.0
    return (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2, (float(ends[0]), float(ends[-1]))


def shifted(centres: FloatArray, halves: FloatArray, index: int, count: int) -> FloatArray:
    """Move the points of one curve a little so that error bars do not hide each other."""
    return centres + halves * 0.5 * ((index + 0.5) / count - 0.5)


def binned_label(text: str, edges: Sequence[float]) -> str:
    """Return the label of an axis of bins; it says that the last one is open."""
    return f"{text} (last bin open)" if np.isinf(edges[-1]) else text


def legend(axis: Axes, curves: Sequence[object], **options: Any) -> None:
    """Draw a legend of fitting size; leaves room above the curves."""
    if not axis.get_legend_handles_labels()[0]:
        return
    size = 12 if len(curves) <= 6 else 10
    axis.legend(fontsize=size, frameon=False, **options)
