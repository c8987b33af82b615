"""Response, resolution, tails and multiplicity dependence."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
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
    well_measured,
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
            x, bars = shifted(centres, halves, k, len(curves))
            axis.errorbar(
                x, curve.value, curve.error, bars, label=curve.title, markersize=6, **look(k)
            )
            made.keep(label, curve.title, _edges(bins), _ends(curve))
        axis.set(xlabel=binned_label(truth_label, bins.edges_gev), ylabel=label, xlim=drawn)
        _room_above(axis, [np.append(c.value, c.value + c.error) for c in curves])
        legend(axis, curves, loc="best")
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

    Points whose error is above half their value are left out; the table beside the plot has them.

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
            x, bars = shifted(centres, halves, k, len(curves))
            for axis, points in ((top, curve), (bottom, ratio)):
                good = well_measured(points.value, points.error)
                if axis is top or k:  # the first is what the others are held against
                    axis.errorbar(
                        x[good], points.value[good], points.error[good], bars[:, good],
                        label=curve.title, markersize=6, **look(k),
                    )  # fmt: skip
            made.keep(label, curve.title, _edges(bins), _ends(curve))
            made.keep(f"ratio: {label}", curve.title, _edges(bins), _ends(ratio))
        _ratio_range(bottom, ratios[1:])
        top.set(ylabel=label, xlim=drawn)
        bottom.set(xlabel=binned_label(truth_label, bins.edges_gev))
        _room_above(top, [(c.value + c.error)[well_measured(c.value, c.error)] for c in curves])
        legend(top, curves, loc="best")
    return made


def _edges(bins: Bins) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the middle and the ends of bins; an open one has no upper end."""
    ends = np.where(np.isinf(bins.edges_gev), np.nan, bins.edges_gev)
    return bin_positions(bins.edges_gev)[0], ends[:-1], ends[1:]


def _ends(curve: Curve) -> tuple[FloatArray, FloatArray, FloatArray]:
    return curve.value, curve.value - curve.error, curve.value + curve.error


def _ratio_range(axis: Axes, ratios: Sequence[Curve]) -> None:
    """Show the well-measured ratios; others may leave the panel."""
    good = [r.value[well_measured(r.value, r.error)] for r in ratios]
    every = np.concatenate([*good, np.ones(1)])
    low, high = float(every.min()), float(every.max())
    room = 0.15 * max(high - low, 0.2)
    axis.set_ylim(max(low - room, 0.0), high + room)


def _room_above(axis: object, values: Sequence[FloatArray]) -> None:
    """Start at zero (or below negative values) and leave two fifths of the height to the legend."""
    everything = np.concatenate([np.asarray(v, float).ravel() for v in values] or [np.zeros(1)])
    finite = everything[np.isfinite(everything)]
    if finite.size:
        low, high = min(0.0, 1.1 * float(finite.min())), float(finite.max())
        axis.set_ylim(low, low + 1.65 * max(high - low, 1e-9))  # type: ignore[attr-defined]


def plot_residuals(
    residuals_gev: Mapping[str, FloatArray],
    *,
    label: str,
    title: str = "",
) -> Figure:
    """Draw residual distributions with their tails (logarithmic), overflow in the last cells.

    Args:
        residuals_gev: Estimate minus truth, one array per estimate.
        label: Horizontal axis.
        title: Line above the axis.
    """
    with styled():
        made, axis = figure(title)
        half_range_gev = _half_range_gev(residuals_gev)
        edges = np.linspace(-half_range_gev, half_range_gev, 101)
        for k, (name, values) in enumerate(residuals_gev.items()):
            inside = np.clip(values, edges[0], edges[-1])
            counts, _ = np.histogram(inside, edges)
            width = half_width(values)
            text = f"{name}: $\\sigma_{{68}}$ = {width:.1f} GeV" if np.isfinite(width) else name
            share = counts / max(len(values), 1)
            axis.stairs(share, edges, label=text, **look(k, line=True))
            made.keep(
                "fraction", name, [(edges[1:] + edges[:-1]) / 2, edges[:-1], edges[1:]], [share]
            )
        axis.set(
            xlabel=f"{label} [GeV] (overflow in the last bins)", ylabel=f"fraction / {edges[1] - edges[0]:g} GeV",
            xlim=(edges[0], edges[-1]),
        )  # fmt: skip
        if any(len(values) for values in residuals_gev.values()):
            axis.set_yscale("log")
            low, high = axis.get_ylim()
            axis.set_ylim(low, high * (high / low) ** 0.45)
        legend(axis, list(residuals_gev), loc="upper center")
    return made


def _half_range_gev(residuals_gev: Mapping[str, FloatArray]) -> float:
    """Return how far an axis must reach to hold all but 1 in 200 residuals, in steps of 50 GeV."""
    every = [np.abs(values) for values in residuals_gev.values() if len(values)]
    reach = float(np.quantile(np.concatenate(every), 0.995)) if every else 0.0
    return 50.0 * max(math.ceil(reach / 50.0), 1)


def plot_multiplicity(
    n_candidates: npt.NDArray[np.int64],
    residuals_gev: Mapping[str, FloatArray],
    *,
    label: str,
    number: str = "PUPPI candidates per event, before truncation",
    title: str = "",
    n_bins: int = 8,
) -> Figure:
    """Draw the half width of residuals against the number of candidates.

    Bins hold equal numbers of events (or jets); the points stand at the mean number (``number``).
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
            axis.errorbar(mean, width, error, label=name, **look(k))
            made.keep("half width [GeV]", name, [mean], [width, width - error, width + error])
            curves.append(width)
        axis.set(
            xlabel=number,
            ylabel=f"{label} $\\sigma_{{68}}$ [GeV]",
        )
        _room_above(axis, curves)
        legend(axis, list(residuals_gev), loc="best")
    return made
