"""The turn-on curves of the first screen, as coordinates of a drawing that follows the page's colours."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from l1met_fpga.metrics.fitted_curve import FittedCurve
from l1met_fpga.report.headline_physics import lowest_point, shown_estimates
from l1met_fpga.results.metrics import FittedTurnOn, Metrics, TurnOnCurve

__all__ = ["HEIGHT", "MARGINS", "WIDTH", "Chart", "ChartCurve", "Point", "turn_on_chart"]

WIDTH: Final = 620
HEIGHT: Final = 388
MARGINS: Final = {"left": 64, "right": 12, "top": 10, "bottom": 58}
MIN_EVENTS: Final = 10
"""A bin with fewer events says nothing; its point would only be an error bar over the whole height."""
_OTHERS: Final = (4, 5, 2, 1)
"""Looks of what is neither baseline nor network, as far as they are free; the style has six."""
_TOP: Final = 1.05
_STEPS: Final = 120


@dataclass(frozen=True, slots=True)
class Point:
    """A bin: its place, and the ends of its interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChartCurve:
    """One estimate.

    Attributes:
        title: Its name.
        threshold: Its cut.
        points: Efficiencies.
        path: The fitted curve, empty without a fit.
        look: Number of its colour, mark and line.
    """

    title: str
    threshold: str
    points: tuple[Point, ...]
    path: str
    look: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing.

    Attributes:
        title: What is shown.
        truth: What the efficiencies are drawn against.
        x_label: Of the bottom, with its unit.
        x_ticks: Place and text, along the bottom.
        y_ticks: Place and text, along the side.
        band: Left and right end of the events that the efficiencies beside it are from.
        curves: In the order of the legend.
    """

    title: str
    truth: str
    x_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    band: tuple[float, float]
    curves: tuple[ChartCurve, ...]


def turn_on_chart(metrics: Metrics, estimates: Sequence[str] | None = None) -> Chart | None:
    """Draw the efficiencies of the first signal sample at the lowest rate; None without one.

    Args:
        metrics: Content of ``metrics.json``.
        estimates: Which curves; those of the first screen if not given.
    """
    point, label = lowest_point(metrics), next(iter(metrics.trigger), None)
    if point is None or label is None:
        return None
    found = metrics.trigger[label].turn_on[point.key]
    names = [name for name in estimates or shown_estimates(metrics) if name in found]
    reach_gev = max((_reach_gev(found[name]) for name in names), default=0.0)
    if not reach_gev:
        return None
    band = next(iter(metrics.trigger[label].efficiency[point.key]), "")
    cuts = {name: metrics.rates.threshold(name, point.key).threshold_gev for name in names}  # type: ignore[union-attr]
    return Chart(
        title=f"{label} at {point.title}",
        truth=metrics.words.truth,
        x_label=f"{metrics.words.truth} [{metrics.words.unit}]",
        x_ticks=tuple((_x(t, reach_gev), f"{t:g}") for t in _ticks(reach_gev)),
        y_ticks=tuple((_y(t / 5), f"{t / 5:.1f}") for t in range(6)),
        band=_band(band, reach_gev),
        curves=tuple(
            ChartCurve(
                title=metrics.title(name),
                threshold="no threshold" if (cut := cuts[name]) is None else f"> {cut:.0f} GeV",
                points=tuple(_points(found[name], reach_gev)),
                path=_path(found[name].fit, reach_gev),
                look=look,
            )
            for name, look in _looks(names, metrics.primary).items()
        ),
    )


def _looks(names: Sequence[str], primary: str | None) -> dict[str, int]:
    """Give every curve a look: baselines, the network and its float twin always have the same."""
    known = {"puppi": 0, "table": 1, f"{primary}_float": 2, primary: 3}
    taken = {known[name] for name in names if name in known}
    free = itertools.cycle([look for look in _OTHERS if look not in taken])
    return {name: known[name] if name in known else next(free) for name in names}


def _reach_gev(curve: TurnOnCurve) -> float:
    """Return the end of the last bin with enough events."""
    ends = [
        end if end is not None else start
        for start, end, n in zip(
            curve.edges_gev[:-1], curve.edges_gev[1:], curve.events, strict=True
        )
        if n >= MIN_EVENTS
    ]
    return max((end for end in ends if end is not None), default=0.0)


def _x(gev: float, reach_gev: float) -> float:
    inside = WIDTH - MARGINS["left"] - MARGINS["right"]
    return round(MARGINS["left"] + inside * gev / reach_gev, 1)


def _y(efficiency: float) -> float:
    inside = HEIGHT - MARGINS["top"] - MARGINS["bottom"]
    return round(MARGINS["top"] + inside * (1 - efficiency / _TOP), 1)


_MOST_TICKS: Final = 20


def _ticks(reach_gev: float) -> list[float]:
    step = 50 if reach_gev > 150 else 20 if reach_gev > 60 else 10
    while reach_gev > _MOST_TICKS * step:  # bins of another task, or of a damaged file
        step *= 10
    return [float(t) for t in range(0, math.floor(reach_gev) + 1, step)]


def _points(curve: TurnOnCurve, reach_gev: float) -> list[Point]:
    rows = zip(
        curve.mean_gen_gev, curve.efficiency, curve.low, curve.high, curve.events, strict=True
    )
    return [
        Point(_x(gen, reach_gev), _y(value), _y(low), _y(high))
        for gen, value, low, high, events in rows
        if gen is not None and value is not None and low is not None and high is not None
        if events >= MIN_EVENTS and gen <= reach_gev
    ]


def _path(fit: FittedTurnOn | None, reach_gev: float) -> str:
    if fit is None or None in (values := list(fit.model_dump().values())):
        return ""
    gen = np.linspace(0.0, reach_gev, _STEPS)
    curve = FittedCurve(*values)(gen)
    return "M" + "L".join(
        f"{_x(x, reach_gev)},{_y(y)}" for x, y in zip(gen.tolist(), curve.tolist(), strict=True)
    )


def _band(key: str, reach_gev: float) -> tuple[float, float]:
    """Return the place of a bin whose key is ``100_150`` or ``above_150``."""
    ends = [float(text) for text in key.split("_") if text not in ("", "above")]
    low, high = (*ends, reach_gev)[:2]
    return _x(min(low, reach_gev), reach_gev), _x(min(high, reach_gev), reach_gev)
