"""Figures that show the simulation beside the real arrays or the published numbers."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from l1met_fpga.plots.figure import COLOURS, styled
from l1met_fpga.simulation.validation import (
    RESPONSE_EDGES_GEV,
    TURN_ON_EDGES_GEV,
    Components,
    Figures,
    MetSample,
)
from l1met_fpga.simulation.validation_table import Target

__all__ = ["plot_bins", "plot_components", "plot_multiplicity", "plot_residual", "plot_turn_on"]

SIMULATION: Final[dict[str, Any]] = {"color": COLOURS[0], "label": "simulation"}
REAL: Final[dict[str, Any]] = {"color": "black", "label": "CMS full simulation"}


def plot_multiplicity(
    counts: Mapping[str, npt.NDArray[np.int64]], targets: Mapping[str, Target]
) -> Figure:
    """Draw the number of candidates per event; published mean and spread as bands."""
    with styled():
        figure = Figure(figsize=(9, 7))
        axes = figure.subplots()
        for (name, values), colour in zip(counts.items(), (COLOURS[0], COLOURS[2]), strict=False):
            axes.hist(
                values, bins=list(range(0, 130, 2)), density=True, histtype="step", lw=2,
                color=colour, label=f"{name}: {values.mean():.1f}, spread {values.std():.1f}",
            )  # fmt: skip
            mean, spread = (
                targets[f"{name} candidates, {what}"].value for what in ("mean", "spread")
            )
            axes.axvspan(mean - spread, mean + spread, color=colour, alpha=0.12, lw=0)
            axes.axvline(mean, color=colour, ls="--", label=f"published: {mean}, spread {spread}")
        axes.set(xlabel="L1 PUPPI candidates per event", ylabel="Events, normalized")
        axes.legend()
    return figure


def plot_bins(figures: Figures, targets: Mapping[str, Target]) -> Figure:
    """Draw response and widths in bins of genMET."""
    names = {
        "median response": ("Median |MET| / |genMET|", (0.6, 1.8)),
        "parallel half width": ("Parallel half width (GeV)", (0, 80)),
        "perpendicular half width": ("Perpendicular half width (GeV)", (0, 80)),
    }
    with styled():
        figure = Figure(figsize=(21, 7))
        panels = figure.subplots(1, 3)
        for axes, (name, (label, limits)) in zip(panels, names.items(), strict=True):
            keys = [
                f"{name}, genMET {low}-{high}"
                for low, high in itertools.pairwise(RESPONSE_EDGES_GEV)
            ]
            _points(axes, RESPONSE_EDGES_GEV, keys, figures, targets)
            axes.set(xlabel="genMET (GeV)", ylabel=label, ylim=limits)
    return figure


def plot_turn_on(figures: Figures, targets: Mapping[str, Target]) -> Figure:
    """Draw the efficiency of the PUPPI MET threshold."""
    with styled():
        figure = Figure(figsize=(9, 7))
        axes = figure.subplots()
        keys = [
            f"efficiency above 99.3 GeV, genMET {low}-{high}"
            for low, high in itertools.pairwise(TURN_ON_EDGES_GEV)
        ]
        _points(axes, TURN_ON_EDGES_GEV, keys, figures, targets)
        axes.set(xlabel="genMET (GeV)", ylabel="Efficiency of PUPPI MET > 99.3 GeV", ylim=(0, 1.1))
    return figure


def plot_residual(simulated: MetSample, real: MetSample | None) -> Figure:
    """Draw the residual of one component, both axes together."""
    with styled():
        figure = Figure(figsize=(9, 7))
        axes = figure.subplots()
        for sample, style in ((simulated, SIMULATION), (real, REAL)):
            if sample is None:
                continue
            residual = (sample.puppi_xy_gev - sample.gen_xy_gev).ravel()
            axes.hist(
                residual, bins=np.linspace(-250, 250, 101).tolist(), density=True, histtype="step", lw=2, **style
            )  # fmt: skip
        axes.set(
            xlabel="PUPPI MET - genMET, x and y (GeV)", ylabel="Components / 5 GeV, normalized"
        )
        axes.set_yscale("log")
        axes.legend()
    return figure


def plot_components(simulated: Sequence[Components], real: Sequence[Components] | None) -> Figure:
    """Draw the noise of each kind of candidate in each region."""
    with styled():
        figure = Figure(figsize=(14, 9))
        axes = figure.subplots()
        keys = [(c.region, c.species) for c in simulated]
        place = np.arange(len(keys))
        axes.barh(place, [c.noise_gev for c in simulated], height=0.6, **SIMULATION)
        known = {(c.region, c.species): c for c in real or ()}
        at = [i for i, key in enumerate(keys) if key in known]
        if at:
            chosen = [known[keys[i]] for i in at]
            axes.errorbar(
                [c.noise_gev for c in chosen], at, xerr=[c.noise_error_gev for c in chosen],
                fmt="o", color="black", label="real words, W to 3 pions",
            )  # fmt: skip
        axes.set_yticks(place, [f"{region}: {species}" for region, species in keys])
        axes.invert_yaxis()
        axes.set_xlabel("Noise of a component, pile-up (GeV, r.m.s.)")
        axes.legend()
    return figure


def _points(
    axes: Any,
    edges: Sequence[float],
    keys: Sequence[str],
    figures: Figures,
    targets: Mapping[str, Target],
) -> None:
    """Draw simulated points with errors and the targets with their tolerance as boxes."""
    middle = (np.array(edges[1:]) + np.array(edges[:-1])) / 2
    half = np.diff(edges) / 2
    want = np.array([targets[key].value for key in keys])
    allowed = np.array([targets[key].allowed for key in keys])
    axes.bar(
        middle, 2 * allowed, width=2 * half, bottom=want - allowed, color="lightgrey",
        label="tolerance",
    )  # fmt: skip
    axes.errorbar(middle, want, xerr=half, fmt="none", **REAL)
    values, errors = np.array([figures[key] for key in keys]).T
    axes.errorbar(middle, values, yerr=errors, fmt="o", **SIMULATION)
    axes.legend()
