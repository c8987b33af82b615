"""Figures of a file's content and of one event."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from l1met_fpga.data.event_jets import JETS_TITLE, EventJet
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.totals import BIN_GEV, Totals
from l1met_fpga.data.truth import CANDIDATE_SUMS, Kind, Quantity
from l1met_fpga.plots.figure import COLOURS, styled
from l1met_fpga.puppi.columns import (
    ANGLE_LSB_RAD,
    N_CANDIDATES,
    PARTICLE_KINDS,
    PT_LSB_GEV,
    STORED_COLUMNS,
)
from l1met_fpga.puppi.jets import RADIUS

__all__ = ["plot_columns", "plot_event", "plot_multiplicity", "plot_pt", "plot_sums"]

_KIND_COLORS: Final = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4], COLOURS[8])
_KIND_MARKERS: Final = ("o", "s", "^", "D", "P")
_LINE_STYLES: Final = (("black", "-"), (COLOURS[4], "--"), ("#0b6e3b", "-."))
_TOP_GEV: Final[dict[Kind, float]] = {"vector": 400.0, "scalar": 1600.0}
_SIZE_INCH: Final = (7.5, 6.0)
_AREA_PER_GEV: Final = 9.0
_NAMED_JETS: Final = 4
_PT_EXAMPLES_GEV: Final = (2, 10, 50)
_PT_EDGES_GEV: Final = np.concatenate([np.arange(0, 10, 1), np.geomspace(10, 4096, 40)])

Histogram = npt.NDArray[np.int64]


def plot_multiplicity(totals: Totals) -> Figure:
    """Draw the number of candidates per event, before truncation."""
    with styled():
        figure = Figure(figsize=_SIZE_INCH)
        axes = figure.subplots()
        last = int(np.flatnonzero(totals.multiplicity)[-1]) if totals.n_events else 0
        step = max(1, -(-last // 80))
        edges = np.arange(0, last + step + 1, step) - 0.5
        counts, _ = np.histogram(
            np.arange(totals.multiplicity.size), edges, weights=totals.multiplicity
        )
        axes.stairs(counts, edges, fill=True, alpha=0.5)
        mean = float(totals.multiplicity @ np.arange(totals.multiplicity.size))
        mean /= max(totals.n_events, 1)
        axes.axvline(mean, color="black", linestyle=":", label=f"mean {mean:.1f}")
        if last > N_CANDIDATES:
            axes.axvline(N_CANDIDATES, color=COLOURS[2], label=f"{N_CANDIDATES} slots")
        axes.set(xlabel="candidates per event", ylabel="events", ylim=(0, None))
        axes.legend()
        return figure


def plot_pt(totals: Totals) -> Figure:
    """Draw the pt spectrum of each kind of candidate, per event and GeV."""
    with styled():
        figure = Figure(figsize=_SIZE_INCH)
        axes = figure.subplots()
        pt_gev = np.arange(totals.pt_by_pid.shape[1]) * PT_LSB_GEV
        for (kind, pids), color in zip(PARTICLE_KINDS.items(), _KIND_COLORS, strict=True):
            weights = totals.pt_by_pid[list(pids)].sum(axis=0)
            if not weights.any():
                continue
            counts, _ = np.histogram(pt_gev, _PT_EDGES_GEV, weights=weights)
            density = counts / np.diff(_PT_EDGES_GEV) / totals.n_events
            mean = weights.sum() / totals.n_events
            axes.stairs(
                density, _PT_EDGES_GEV, color=color, label=f"{kind}s ({mean:.1f} per event)"
            )
        highest = float(pt_gev[np.flatnonzero(totals.pt_by_pid.sum(axis=0))].max(initial=10))
        axes.set(xscale="log", yscale="log", xlim=(1, 1.2 * highest))
        axes.set(xlabel="pt [GeV]", ylabel="candidates per event and GeV")
        axes.legend()
        return figure


def plot_columns(totals: Totals) -> Figure:
    """Draw the distribution of every other column of the file."""
    names = [name for name in totals.codes if name != "pt"]
    with styled():
        n_rows = -(-len(names) // 2)
        figure = Figure(figsize=(13, 3.2 * n_rows))
        for index, name in enumerate(names):
            axes = figure.add_subplot(n_rows, 2, index + 1)
            _draw_column(axes, name, totals.codes[name])
        return figure


def _draw_column(axes: Any, name: str, histogram: Histogram) -> None:
    column = STORED_COLUMNS[name]
    codes = np.arange(histogram.size) + column.type.min_code
    used = codes[histogram > 0]
    if used.size == 0:
        axes.set(xlabel=f"{name} (no candidates)")
        return
    step = max(1, -(-(int(used[-1]) - int(used[0]) + 1) // 90))
    edges = np.append(np.arange(used[0], used[-1] + 1, step), used[-1] + 1)
    counts, _ = np.histogram(codes, edges, weights=histogram)
    per_code = counts / np.diff(edges)
    axes.stairs(per_code, (edges - 0.5) * column.lsb, fill=True, alpha=0.5)
    unit = f" [{column.unit}]" if column.unit else ""
    axes.set(xlabel=f"{name}{unit}", ylabel="candidates per code", ylim=(0, None))


def plot_sums(totals: Totals, kind: Kind) -> Figure:
    """Draw the spectra of the truths of one kind and of what the candidates add up to."""
    drawn = {
        Quantity.named(name).title: sizes
        for name, sizes in totals.truths.items()
        if (Quantity.named(name).kind, Quantity.named(name).unit) == (kind, "gev")
    }
    drawn[CANDIDATE_SUMS[kind]] = totals.sums[kind]
    with styled():
        figure = Figure(figsize=_SIZE_INCH)
        axes = figure.subplots()
        top = _TOP_GEV[kind]
        edges = np.linspace(0, top, 81)
        for (label, sizes), (color, line) in zip(drawn.items(), _LINE_STYLES, strict=False):
            centres = (np.arange(sizes.histogram.size) + 0.5) * BIN_GEV
            counts, _ = np.histogram(
                np.minimum(centres, top - BIN_GEV), edges, weights=sizes.histogram
            )
            if counts.any():
                axes.stairs(counts, edges, color=color, linestyle=line, label=label)
        what = "size of the vector" if kind == "vector" else "sum"
        axes.set(xlabel=f"{what} [GeV] (the last bin is open)", xlim=(0, top))
        axes.set(ylabel=f"events per {edges[1]:g} GeV", yscale="log")
        axes.legend()
        return figure


def plot_event(
    event: Examples,
    vectors_xy_gev: Mapping[str, npt.NDArray[np.float64]],
    *,
    title: str,
    opacity: npt.NDArray[np.float64] | None = None,
    jets: Sequence[EventJet] = (),
) -> Figure:
    """Draw the candidates of one event in eta and phi, and vectors of it.

    Args:
        event: One event; the area of each mark is proportional to pt.
        vectors_xy_gev: px, py in GeV of each vector to draw, by name, at most three.
        title: Text above.
        opacity: How dark each candidate is drawn, 0 to 1; all alike if not given.
        jets: Jets, drawn as their cones.
    """
    with styled():
        figure = Figure(figsize=(13, 6.7))
        eta_phi, plane = figure.subplots(1, 2)
        _draw_candidates(eta_phi, event, np.full(event.n_rows, 0.6) if opacity is None else opacity)
        _draw_jets(eta_phi, jets)
        eta_phi.legend(
            ncols=3, loc="lower center", bbox_to_anchor=(0.48, 1.0), fontsize=11,
            columnspacing=1.2, handletextpad=0.8,
        )  # fmt: skip
        for (name, vector), (color, line) in zip(
            vectors_xy_gev.items(), _LINE_STYLES, strict=False
        ):
            angle = float(np.arctan2(vector[1], vector[0]))
            label = f"{name} {np.hypot(*vector):.1f} GeV"
            eta_phi.axhline(angle, color=color, linestyle=line, linewidth=1.4)
            plane.plot([0, vector[0]], [0, vector[1]], color=color, linestyle=line, label=label)
            plane.plot(*vector, marker="o", color=color, markersize=6)
        _draw_transverse(plane, event)
        figure.suptitle(title)
        return figure


def _draw_candidates(axes: Any, event: Examples, opacity: npt.NDArray[np.float64]) -> None:
    pid = event.columns["pid"]
    pt_gev = event.columns["pt"] * PT_LSB_GEV
    eta, phi = (event.columns[name] * ANGLE_LSB_RAD for name in ("eta", "phi"))
    styles = zip(PARTICLE_KINDS.items(), _KIND_COLORS, _KIND_MARKERS, strict=True)
    for (kind, pids), color, marker in styles:
        own = np.isin(pid, pids)
        if own.any():  # Matplotlib takes no opacities of no points
            area = _AREA_PER_GEV * pt_gev[own]
            axes.scatter(
                eta[own], phi[own], area, color, marker=marker, alpha=opacity[own], linewidths=0
            )
        axes.plot([], [], marker, color=color, markersize=8, label=f"{kind}s ({int(own.sum())})")
    axes.set(xlabel="eta", ylabel="phi [rad]", xlim=(-5.2, 5.2), ylim=(-np.pi, np.pi))
    axes.set_yticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["-π", "-π/2", "0", "π/2", "π"])


def _draw_jets(axes: Any, jets: Sequence[EventJet]) -> None:
    """Draw the cones, and say in the legend how hard the jets are, and which pt has which area."""
    for centre in (centre for jet in jets for centre in jet.centres):
        axes.add_patch(Circle(centre, RADIUS, fill=False, color="black", linewidth=1.2))
    if jets:
        hardest = ", ".join(f"{jet.pt_gev:.0f}" for jet in jets[:_NAMED_JETS])
        rest = ", ..." if len(jets) > _NAMED_JETS else ""
        label = f"{JETS_TITLE}: {hardest}{rest} GeV"
        axes.plot([], [], "o", color="black", fillstyle="none", markersize=10, label=label)
    for pt in _PT_EXAMPLES_GEV:
        axes.scatter([], [], _AREA_PER_GEV * pt, "grey", marker="o", label=f"{pt} GeV", alpha=0.6)


def _draw_transverse(axes: Any, event: Examples) -> None:
    """Draw every candidate's momentum as a thin line from the origin."""
    pt_gev = event.columns["pt"] * PT_LSB_GEV
    phi = event.columns["phi"] * ANGLE_LSB_RAD
    x, y = pt_gev * np.cos(phi), pt_gev * np.sin(phi)
    blank = np.full_like(x, np.nan)
    lines = [np.stack([0 * v, v, blank], axis=1).ravel() for v in (x, y)]
    axes.plot(*lines, color="grey", linewidth=0.7, alpha=0.7, label="candidates", zorder=1)
    axes.set(xlabel="px [GeV]", ylabel="py [GeV]")
    axes.set_aspect("equal", adjustable="datalim")
    axes.axhline(0, color="lightgrey", linewidth=0.6, zorder=0)
    axes.axvline(0, color="lightgrey", linewidth=0.6, zorder=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=11)
