"""Response, resolution, tails and multiplicity dependence."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.resolution import half_width
from l1met_fpga.plots.curves import (
    Curve,
    bin_positions,
    binned_label,
    figure,
    legend,
    look,
    ratio_figure,
    shifted,
)
from l1met_fpga.plots.figure import styled

__all__ = [
    "plot_binned",
    "plot_multiplicity",
    "plot_residuals",
    "plot_with_ratio",
]


def plot_binned(
    bins: Bins,
    curves: Sequence[Curve],
    *,
    label: str,
    truth_label: str,
    title: str = "",
    reference: float | None = None,
) -> Figure:
    """Draw a figure per bin of the truth, for example the response.

    Args:
        bins: Bins of the truth.
        curves: One per estimate.
        label: Vertical axis.
        truth_label: Horizontal axis.
        title: Line above the axis.
        reference: Dotted horizontal line.
    """
    with styled():
        made, axis = figure(title)
        centres, halves, drawn = bin_positions(bins.edges_gev)
        if reference is not None:
            axis.axhline(reference, color="0.5", linewidth=1, linestyle=":")
        for k, curve in enumerate(curves):
            axis.errorbar(
                shifted(centres, halves, k, len(curves)), curve.value, curve.error, halves,
                linestyle="none", label=curve.title, markersize=6, **look(k),
            )  # fmt: skip
        axis.set(xlabel=binned_label(truth_label, bins.edges_gev), ylabel=label, xlim=drawn)
        _room_above(axis, [curve.value for curve in curves])
        legend(axis, curves, loc="upper right")
    return made


def plot_with_ratio(
    bins: Bins,
    curves: Sequence[Curve],
    ratios: Sequence[Curve],
    *,
    label: str,
    ratio_label: str,
    truth_label: str,
    title: str = "",
) -> Figure:
    """Draw widths per bin of the truth with their ratios to a reference below.

    Args:
        bins: Bins of the truth.
        curves: One per estimate.
        ratios: One per estimate, with the paired error of the ratio.
        label: Vertical axis.
        ratio_label: Vertical axis of the ratio panel.
        truth_label: Horizontal axis.
        title: Line above the axis.
    """
    with styled():
        made, top, bottom = ratio_figure(title, ratio_label=ratio_label)
        centres, halves, drawn = bin_positions(bins.edges_gev)
        for k, (curve, ratio) in enumerate(zip(curves, ratios, strict=True)):
            x = shifted(centres, halves, k, len(curves))
            options = {"linestyle": "none", "markersize": 6, **look(k)}
            top.errorbar(x, curve.value, curve.error, halves, label=curve.title, **options)
            bottom.errorbar(x, ratio.value, ratio.error, halves, **options)
        top.set(ylabel=label, xlim=drawn)
        bottom.set(xlabel=binned_label(truth_label, bins.edges_gev))
        _room_above(top, [curve.value for curve in curves])
        legend(top, curves, loc="upper left")
    return made


def _room_above(axis: object, values: Sequence[FloatArray]) -> None:
    """Start at zero (or below negative values) and leave a third of the height to the legend."""
    everything = np.concatenate([np.asarray(v, float).ravel() for v in values] or [np.zeros(1)])
    finite = everything[np.isfinite(everything)]
    if finite.size:
        low, high = min(0.0, 1.1 * float(finite.min())), float(finite.max())
        axis.set_ylim(low, low + 1.5 * max(high - low, 1e-9))  # type: ignore[attr-defined]


def plot_residuals(
    residuals_gev: Mapping[str, FloatArray],
    *,
    label: str,
    title: str = "",
    half_range_gev: float = 250.0,
) -> Figure:
    """Draw residual distributions with their tails (logarithmic), overflow in the last cells.

    Args:
        residuals_gev: Estimate minus truth, one array per estimate.
        label: Horizontal axis.
        title: Line above the axis.
        half_range_gev: The axis runs from minus this to plus this.
    """
    with styled():
        made, axis = figure(title)
        edges = np.linspace(-half_range_gev, half_range_gev, 101)
        for k, (name, values) in enumerate(residuals_gev.items()):
            inside = np.clip(values, edges[0], edges[-1])
            counts, _ = np.histogram(inside, edges)
            width = half_width(values)
            text = f"{name}: $\\sigma_{{68}}$ = {width:.1f} GeV" if np.isfinite(width) else name
            axis.stairs(
                counts / max(len(values), 1),
                edges,
                color=look(k)["color"],
                label=text,
                linewidth=1.6,
            )
        axis.set(
            xlabel=f"{label} [GeV] (overflow in the last bins)", ylabel="fraction of events / 5 GeV",
            xlim=(edges[0], edges[-1]),
        )  # fmt: skip
        if any(len(values) for values in residuals_gev.values()):
            axis.set_yscale("log")
            low, high = axis.get_ylim()
            axis.set_ylim(low, high * (high / low) ** 0.45)
        legend(axis, list(residuals_gev), loc="upper center")
    return made


def plot_multiplicity(
    n_candidates: npt.NDArray[np.int64],
    residuals_gev: Mapping[str, FloatArray],
    *,
    label: str,
    title: str = "",
    n_bins: int = 8,
) -> Figure:
    """Draw the half width of residuals against the number of PUPPI candidates.

    Bins hold equal numbers of events; the points stand at the mean multiplicity.
    """
    with styled():
        made, axis = figure(title)
        edges = (
            np.unique(np.quantile(n_candidates, np.linspace(0, 1, n_bins + 1)))
            if len(n_candidates)
            else np.zeros(0)
        )
        index = np.searchsorted(edges, n_candidates, side="right") - 1
        index = np.clip(index, 0, max(len(edges) - 2, 0))
        curves = []
        for k, (name, values) in enumerate(residuals_gev.items()):
            groups = [values[index == b] for b in range(max(len(edges) - 1, 0))]
            width = np.array([half_width(group) for group in groups])
            mean = np.array(
                [
                    n_candidates[index == b].mean() if len(g) else np.nan
                    for b, g in enumerate(groups)
                ]
            )
            # error of a half width of a Gaussian: 1.07 sigma / sqrt(n)
            error = np.array([1.07 / np.sqrt(max(len(g), 1)) for g in groups]) * width
            axis.errorbar(mean, width, error, linestyle="none", label=name, **look(k))
            curves.append(width)
        axis.set(
            xlabel="PUPPI candidates before truncation", ylabel=f"{label} $\\sigma_{{68}}$ [GeV]"
        )
        _room_above(axis, curves)
        legend(axis, list(residuals_gev), loc="upper left")
    return made
