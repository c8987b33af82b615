"""The straight line that brings the size of a vector to the mean response of one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.projection import project

__all__ = ["fit_line", "require_events"]

BINS: Final = 6
MIN_EVENTS: Final = 20
"""Per bin; with fewer a mean response says nothing."""


def require_events(gen_met_gev: FloatArray, range_gev: tuple[float, float]) -> None:
    """Refuse a sample that is too small for a line.

    Args:
        gen_met_gev: Sizes of the truth, shape (n,).
        range_gev: Range of it.

    Raises:
        DataError: If a bin has too few events.
    """
    edges = _edges(range_gev)
    counts, _ = np.histogram(gen_met_gev, edges)
    k = int(counts.argmin())
    if counts[k] < MIN_EVENTS:
        raise DataError(
            f"a calibration needs {MIN_EVENTS} events in each of {BINS} bins of the truth from "
            f"{range_gev[0]:g} to {range_gev[1]:g} GeV, got {counts[k]} between {edges[k]:g} and "
            f"{edges[k + 1]:g} GeV; give more events or another range "
            "(evaluation.response_range_gev)"
        )


def _edges(range_gev: tuple[float, float]) -> FloatArray:
    return np.linspace(*range_gev, BINS + 1)


def fit_line(
    met_xy_gev: npt.ArrayLike, gen_met_xy_gev: npt.ArrayLike, range_gev: tuple[float, float]
) -> tuple[float, float]:
    """Fit slope and offset of a told size so that the mean response is one all over a range.

    A vector u that is told with the size a |u| + b has the response
    ``(a sum(u_par) + b sum(u_par / |u|)) / sum(|q|)``, which is linear in a and b: least squares
    over bins of |q| of equal width.

    Args:
        met_xy_gev: Estimate u, shape (n, 2), GeV.
        gen_met_xy_gev: Truth q, same shape.
        range_gev: Range of |q|.

    Returns:
        a, and b in GeV.

    Raises:
        DataError: If a bin has too few events, or the arrays are no vectors.
    """
    seen = project(met_xy_gev, gen_met_xy_gev)
    require_events(seen.gen_gev, range_gev)
    size = np.hypot(seen.parallel_gev, seen.perpendicular_gev)
    along = np.divide(seen.parallel_gev, size, out=np.zeros_like(size), where=size > 0)
    sums = [
        np.histogram(seen.gen_gev, _edges(range_gev), weights=values)[0]
        for values in (seen.parallel_gev, along, seen.gen_gev)
    ]
    (slope, offset), *_ = np.linalg.lstsq(
        np.stack([sums[0], sums[1]], axis=1) / sums[2][:, None], np.ones(BINS), rcond=None
    )
    return float(slope), float(offset)
