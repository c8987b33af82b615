"""Curves of a run as histograms: objects that mplhep draws and hist takes over."""

from collections.abc import Iterable

import numpy as np
from uhi.numpy_plottable import Kind, NumPyPlottableHistogram

from l1met_fpga.errors import DataError
from l1met_fpga.results.metrics import Metrics, TurnOnCurve

__all__ = ["turn_on"]


def turn_on(
    metrics: Metrics, sample: str, point: str | None = None
) -> dict[str, NumPyPlottableHistogram]:
    """Return efficiencies against the truth, by estimate.

    Args:
        metrics: Figures of an evaluation.
        sample: Label of a signal sample.
        point: Key of a working point, such as ``62kHz``; the lowest rate if not given.

    Returns:
        Histograms of the protocol UHI, GeV; kind MEAN, variance the square of half the interval,
        NaN in bins without events.

    Raises:
        DataError: If there is no such sample or working point; names those that there are.
    """
    if sample not in metrics.trigger:
        raise DataError(
            f"no turn-on of sample {sample!r}; there are those of {_listed(metrics.trigger)}"
        )
    curves = metrics.trigger[sample].turn_on
    chosen = point or next(iter(curves))
    if chosen not in curves:
        raise DataError(f"no turn-on at {chosen!r}; there are those at {_listed(curves)}")
    return {name: _histogram(curve) for name, curve in curves[chosen].items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _histogram(curve: TurnOnCurve) -> NumPyPlottableHistogram:
    value, low, high = (
        np.array(numbers, np.float64) for numbers in (curve.efficiency, curve.low, curve.high)
    )
    edges = np.array([np.inf if edge is None else edge for edge in curve.edges_gev])
    return NumPyPlottableHistogram(value, edges, variances=((high - low) / 2) ** 2, kind=Kind.MEAN)
