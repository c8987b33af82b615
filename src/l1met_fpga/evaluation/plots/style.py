"""One look for all plots: mplhep's CMS style without a logo, a colour-blind safe palette."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib.style
import mplhep
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.run_folder import atomic_path

__all__ = ["Curve", "bin_positions", "figure", "look", "ratio_figure", "save_figure", "styled"]

# Petroff's ten-colour cycle (arXiv:2107.02270), as CMS recommends
COLOURS: Final = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300",
                  "#b9ac70", "#717581", "#92dadd")  # fmt: skip
MARKERS: Final = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")
NETWORK_COLOUR: Final = "#bd1f01"


@dataclass(frozen=True, slots=True)
class Curve:
    """Values with symmetric errors, one per bin; NaN values are not drawn."""

    title: str
    value: FloatArray
    error: FloatArray


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style inside a block only."""
    own: dict[str, Any] = {
        "font.size": 15, "legend.fontsize": 12, "axes.labelsize": 17,
        "xtick.labelsize": 14, "ytick.labelsize": 14, "savefig.bbox": None,
        "axes.prop_cycle": cycler(color=COLOURS), "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"], "mathtext.fontset": "dejavusans",
        "figure.constrained_layout.use": True, "svg.hashsalt": "l1met",
    }  # fmt: skip
    with matplotlib.style.context([mplhep.style.CMS, own]):
        yield


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


def bin_positions(bins: Bins) -> tuple[FloatArray, FloatArray, tuple[float, float]]:
    """Return centres, half widths and drawn range; an open bin is drawn half as wide as it starts.

    The axis label of such a plot must say that the last bin is open.
    """
    edges = np.asarray(bins.edges_gev, dtype=np.float64)
    if np.isinf(edges[-1]):
        edges[-1] = edges[-2] * 1.25 if edges[-2] > 0 else 1.0
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2, (float(edges[0]), float(edges[-1]))


def shifted(centres: FloatArray, halves: FloatArray, index: int, count: int) -> FloatArray:
    """Move the points of one curve a little so that error bars do not hide each other."""
    return centres + halves * 0.5 * ((index + 0.5) / count - 0.5)


def gen_met_label(bins: Bins) -> str:
    """Return the label of a |genMET| axis."""
    open_end = " (last bin open)" if np.isinf(bins.edges_gev[-1]) else ""
    return f"generator $p_T^{{miss}}$ [GeV]{open_end}"


def legend(axis: Axes, curves: Sequence[object], **options: Any) -> None:
    """Draw a legend of fitting size; leaves room above the curves."""
    size = 12 if len(curves) <= 6 else 10
    axis.legend(fontsize=size, frameon=False, **options)


def save_figure(made: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.pdf`` and ``name.png`` atomically and return their paths."""
    paths = folder / f"{name}.pdf", folder / f"{name}.png"
    metadata = ({"CreationDate": None, "Creator": None, "Producer": None}, {"Software": None})
    for path, about in zip(paths, metadata, strict=True):
        with atomic_path(path) as temporary, styled():
            made.savefig(temporary, dpi=110, metadata=about)
    return paths
