"""Pieces that plots of several curves share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotParams

from l1met_fpga.plots.drawing import Drawing
from l1met_fpga.plots.figure import conditions

__all__ = [
    "Curve",
    "bin_positions",
    "binned_label",
    "figure",
    "legend",
    "look",
    "ratio_figure",
    "shifted",
    "well_measured",
]

FloatArray = npt.NDArray[np.float64]

_LOOKS: Final = (
    ("#1b1f24", "o", "-"), ("#6b7280", "s", "--"), ("#1f6fd0", "^", ":"), ("#c2210b", "o", "-"),
    ("#7b2fb0", "D", "-."), ("#8a5a00", "v", (0, (8, 3))), ("#0b7a75", "P", (0, (3, 1))),
    ("#b0186b", "X", (0, (6, 2, 1, 2, 1, 2))),
)  # fmt: skip
"""Colours of contrast 4.5 on white, apart for any colour vision, with marks and lines of their own:
every other mark is open, so that curves differ in print too."""


_FIXED: Final[dict[str, Any]] = {
    "layout": "none",
    "subplotpars": SubplotParams(left=0.145, right=0.97, bottom=0.13, top=0.94),
}
"""Margins that fit every label; solving a layout takes a third of the time of a figure."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values with symmetric errors, one per bin; NaN values are not drawn."""

    title: str
    value: FloatArray
    error: FloatArray


def look(index: int, *, line: bool = False) -> dict[str, Any]:
    """Return how the curve of that number looks: its points, or its line."""
    colour, marker, dashes = _LOOKS[index % len(_LOOKS)]
    if line:
        return {"color": colour, "linestyle": dashes, "linewidth": 2.2 if index == 3 else 1.6}
    face = colour if index % 2 else "white"
    return {"color": colour, "marker": marker, "markerfacecolor": face, "linestyle": "none"}


def figure(title: str = "", *, width: float = 7.5, height: float = 6.0) -> tuple[Drawing, Axes]:
    """Return a figure with one axis; the title (sample, rate) stands above the legend."""
    made = Drawing(title, figsize=(width, height), **_FIXED)
    axis = made.subplots()
    _say_conditions(axis)
    return made, axis


def ratio_figure(title: str, *, ratio_label: str) -> tuple[Drawing, Axes, Axes]:
    """Return a figure with a main axis and a ratio panel below it."""
    made = Drawing(title, figsize=(7.5, 7.5), **_FIXED)
    top, bottom = made.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    made.subplots_adjust(hspace=0.08, bottom=0.11)
    _say_conditions(top)
    bottom.set_ylabel(ratio_label, loc="center", fontsize=13)
    bottom.axhline(1.0, color="0.5", linewidth=1, linestyle=":")
    return made, top, bottom


def _say_conditions(axis: Axes) -> None:
    experiment, beam = conditions()
    if experiment:
        words = experiment.replace("$", r"\$")
        axis.set_title(rf"$\mathbf{{l1met}}$ {words}", loc="left", fontsize=13, style="italic")
    axis.set_title(beam.replace("$", r"\$"), loc="right", fontsize=13)


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


def shifted(
    centres: FloatArray, halves: FloatArray, index: int, count: int
) -> tuple[FloatArray, FloatArray]:
    """Move the points of one curve a little so that error bars do not hide each other.

    Returns:
        Places, and how far the bars reach from them to the ends of the bins, shape (2, n).
    """
    moved = halves * 0.5 * ((index + 0.5) / count - 0.5)
    return centres + moved, np.stack([halves + moved, halves - moved])


def binned_label(text: str, edges: Sequence[float]) -> str:
    """Return the label of an axis of bins; it says that the last one is open."""
    return f"{text} (last bin open)" if np.isinf(edges[-1]) else text


def well_measured(value: FloatArray, error: FloatArray) -> npt.NDArray[np.bool_]:
    """Say which points tell something; an error of half the value only stretches the axis."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(value) & ~(error > 0.5 * np.abs(value))


def legend(axis: Axes, curves: Sequence[object], **options: Any) -> None:
    """Draw a legend in the colours of its curves, under the title of the figure."""
    made = axis.get_figure(root=True)
    title = made.sample if isinstance(made, Drawing) else ""
    if not axis.get_legend_handles_labels()[0]:
        return
    size = 12 if len(curves) <= 6 else 10
    drawn = axis.legend(
        fontsize=size, frameon=False, title=title or None, title_fontsize=size + 1,
        alignment="left", labelcolor="linecolor", borderaxespad=1.0, **options,
    )  # fmt: skip
    drawn.get_title().set_fontweight("bold")
