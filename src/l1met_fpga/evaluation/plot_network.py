"""Weight maps and learning curves."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.plots.curves import bin_positions, figure, legend
from l1met_fpga.plots.drawing import Drawing
from l1met_fpga.plots.figure import COLOURS, conditions, styled

__all__ = ["plot_learning_curves", "plot_weight_maps"]


def plot_weight_maps(
    weights: FloatArray,
    candidates: np.ndarray,
    *,
    types: Sequence[str],
    pt_edges_gev: Sequence[float],
    abs_eta_edges: Sequence[float],
    title: str = "",
    min_candidates: int = 100,
) -> Figure:
    """Draw mean candidate weights per particle type against pt and |eta|.

    Args:
        weights: Shape (n_types, n_eta, n_pt).
        candidates: Candidates per cell, same shape; cells with few are left white.
        types: Names of the types.
        pt_edges_gev: Edges, the last open.
        abs_eta_edges: Edges, the last open.
        title: Line above.
        min_candidates: Cells with fewer candidates are not drawn.
    """
    with styled():
        made = Drawing(title, figsize=(3.3 * len(types) + 1, 4.6))
        axes = np.atleast_1d(made.subplots(1, len(types), sharey=True))
        told = ", ".join(filter(None, conditions()))
        made.suptitle(f"{told}: {title}" if told else title, x=0.01, ha="left", fontsize=13)
        image = ScalarMappable(Normalize(0.0, 2.0), "RdBu_r")
        for axis, name, values, seen in zip(axes, types, weights, candidates, strict=True):
            shown = np.ma.masked_where((seen < min_candidates).T, values.T)
            axis.pcolormesh(shown, cmap=image.cmap, norm=image.norm)
            axis.set_title(name, fontsize=13)
            axis.set_xticks(range(len(abs_eta_edges)), _edge_texts(abs_eta_edges), fontsize=10)
            axis.set_xlabel("$|\\eta|$", fontsize=13)
            axis.minorticks_off()
            _keep(made, name, values, abs_eta_edges, pt_edges_gev)
            for (row, column), value in np.ndenumerate(shown.filled(np.nan)):
                if np.isfinite(value):
                    dark = abs(value - 1) > 0.6
                    axis.text(
                        column + 0.5, row + 0.5, f"{value:.2f}", ha="center", va="center",
                        fontsize=8, color="white" if dark else "black",
                    )  # fmt: skip
        axes[0].set_yticks(range(len(pt_edges_gev)), _edge_texts(pt_edges_gev), fontsize=10)
        axes[0].set_ylabel("candidate $p_T$ [GeV]", fontsize=13)
        bar = made.colorbar(image, ax=list(axes), pad=0.01)
        bar.set_label("mean weight (1: PUPPI)", fontsize=13)
        bar.ax.tick_params(labelsize=10)
    return made


def _keep(
    made: Drawing,
    name: str,
    values: FloatArray,
    abs_eta_edges: Sequence[float],
    pt_edges_gev: Sequence[float],
) -> None:
    """Keep the weights of a type of candidates, a curve for each bin of pt."""
    middle, _, _ = bin_positions(abs_eta_edges)
    ends = np.where(np.isinf(abs_eta_edges), np.nan, abs_eta_edges)
    for (low, high), row in zip(itertools.pairwise(pt_edges_gev), values.T, strict=True):
        bounds = f"above {low:g}" if np.isinf(high) else f"{low:g}-{high:g}"
        made.keep(name, f"pt {bounds} GeV", (middle, ends[:-1], ends[1:]), [row])


def _edge_texts(edges: Sequence[float]) -> list[str]:
    return ["" if np.isinf(edge) else f"{edge:g}" for edge in edges]


def plot_learning_curves(history: Mapping[str, FloatArray], *, title: str = "") -> Figure:
    """Draw every quantity of a training history against the epoch, one panel per quantity.

    Args:
        history: Columns of ``history.csv``; ``val_x`` is drawn beside ``x``.
        title: Line above.
    """
    with styled():
        n_epochs = len(next(iter(history.values()), ()))
        epoch = np.asarray(history.get("epoch", np.arange(n_epochs)), dtype=np.float64)
        names = [name for name in history if name != "epoch" and not name.startswith("val_")]
        if not names:
            return figure(title)[0]
        rows = -(-len(names) // 2)
        made = Figure(figsize=(10, 3.2 * rows))
        made.suptitle(title, x=0.01, ha="left", fontsize=13)
        axes = np.atleast_1d(made.subplots(rows, min(2, len(names)), squeeze=False)).ravel()
        for axis, name in zip(axes, names, strict=False):
            for k, key in enumerate((name, f"val_{name}")):
                if key in history:
                    text = "validation" if k else "training"
                    axis.plot(epoch, history[key], color=COLOURS[2 * k], label=text)
            axis.set_xlabel("epoch", fontsize=13)
            axis.set_ylabel(name.replace("_", " "), fontsize=13)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.xaxis.set_minor_locator(NullLocator())
            if f"val_{name}" in history:
                legend(axis, [name])
        for axis in axes[len(names) :]:
            axis.set_visible(False)
    return made
