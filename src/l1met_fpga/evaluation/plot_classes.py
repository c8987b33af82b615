"""Curves and tables of a head of classes, of one estimate."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from l1met_fpga.evaluation.class_figures import OneEstimate
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.plots.curves import (
    bin_positions,
    binned_label,
    figure,
    legend,
    look,
    shifted,
)
from l1met_fpga.plots.figure import styled

__all__ = ["plot_class_efficiency", "plot_class_roc", "plot_confusion"]


def plot_class_roc(found: OneEstimate, names: Sequence[str], *, title: str = "") -> Figure:
    """Draw the share of the rest that passes against the efficiency of each class."""
    with styled():
        made, axis = figure(title)
        for k, name in enumerate(names):
            if not np.isfinite(found.areas[k].value):
                continue
            efficiency, mistag = found.curves[k]
            axis.plot(
                efficiency, mistag, label=f"{name}, area {found.areas[k].value:.3f}",
                **look(k, line=True),
            )  # fmt: skip
            made.keep("mistag", name, [efficiency], [mistag])
        axis.set(xlabel="efficiency", ylabel="mistag of all other classes", xlim=(0, 1))
        axis.set(yscale="log", ylim=(7e-4, 30))  # room for the names above all curves
        axis.set_yticks([1e-3, 1e-2, 1e-1, 1])
        legend(axis, names, loc="upper left", ncols=2)
    return made


def plot_class_efficiency(
    found: OneEstimate, names: Sequence[str], bins: Bins, *, truth_label: str, title: str = ""
) -> Figure:
    """Draw the efficiency of each class against the truth at one threshold."""
    with styled():
        made, axis = figure(title)
        centres, halves, drawn = bin_positions(bins.edges_gev)
        for k, name in enumerate(names):
            tagged, _ = found.at_mistag[k]
            if not tagged.total.any():
                continue
            errors = np.nan_to_num(
                np.stack([tagged.value - tagged.low, tagged.high - tagged.value])
            )
            x, bars = shifted(centres, halves, k, len(names))
            axis.errorbar(x, tagged.value, errors, bars, label=name, markersize=6, **look(k))
            made.keep("efficiency", name, (centres,), (tagged.value, tagged.low, tagged.high))
        axis.set(ylabel="efficiency", xlim=drawn, ylim=(0, 1.5))
        axis.set_xlabel(binned_label(truth_label, bins.edges_gev))
        legend(axis, names, loc="upper left", ncols=2)
    return made


def plot_confusion(found: OneEstimate, names: Sequence[str], *, title: str = "") -> Figure:
    """Draw the share of each true class that is called another one."""
    there = np.flatnonzero(np.isfinite(found.confusion).all(axis=1)).tolist()
    with styled():
        made, axis = figure(title)
        shares = found.confusion[np.ix_(there, there)]
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        labels = [names[k] for k in there]
        for a, b in np.ndindex(*shares.shape):
            colour = "white" if shares[a, b] > 0.6 else "black"
            axis.text(b, a, f"{shares[a, b]:.2f}", ha="center", va="center", color=colour)
            made.keep("share", f"{labels[a]} called {labels[b]}", [[a], [b]], [[shares[a, b]]])
        axis.set_xticks(range(len(labels)), labels, fontsize=11)
        axis.set_yticks(range(len(labels)), labels, fontsize=11)
        axis.minorticks_off()
        axis.tick_params(length=0)
        axis.set(xlabel="called", ylabel=f"true class ({title})" if title else "true class")
        made.subplots_adjust(left=0.18, bottom=0.14)
    return made
