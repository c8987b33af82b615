"""Estimates seen along and across the true MET (``docs/evaluation.md``, "Definitions").

``q`` is the generator MET vector and ``u`` the estimate. ``u_par = u . q / |q|`` keeps its sign, so
an estimate that points backwards is negative; ``u_perp`` is the signed component across ``q``
(positive when ``u`` is counter-clockwise of ``q``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.metrics.arrays import FloatArray, check_met_xy, check_same_length, magnitude_gev

__all__ = ["MIN_GEN_MET_GEV", "Projection", "delta_phi_rad", "project"]

MIN_GEN_MET_GEV: Final = 1.0
"""Events with less have no direction and are left out wherever one is needed."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One estimate in the frame of the true MET, only for events that have a direction.

    Attributes:
        gen_gev: |q|, shape (n_kept,).
        parallel_gev: Signed component along q.
        perpendicular_gev: Signed component across q.
        events: Indices of the kept events in the arrays given.
    """

    gen_gev: FloatArray
    parallel_gev: FloatArray
    perpendicular_gev: FloatArray
    events: npt.NDArray[np.intp]


def project(
    met_xy_gev: npt.ArrayLike,
    gen_met_xy_gev: npt.ArrayLike,
    *,
    min_gen_gev: float = MIN_GEN_MET_GEV,
) -> Projection:
    """Project an estimate on the direction of the true MET.

    Args:
        met_xy_gev: Estimate, shape (n, 2), GeV, sign +genMET.
        gen_met_xy_gev: Generator MET, same shape.
        min_gen_gev: Events with |q| at or below this are dropped.

    Raises:
        DataError: If the arrays differ in length or hold NaN or infinite values.
    """
    met = check_met_xy(met_xy_gev, name="MET estimate")
    gen = check_met_xy(gen_met_xy_gev, name="generator MET")
    check_same_length({"estimate": met, "generator": gen})
    size = magnitude_gev(gen)
    events = np.flatnonzero(size > min_gen_gev)
    met, size = met[events], size[events]
    along = gen[events] / size[:, None]
    return Projection(
        gen_gev=size,
        parallel_gev=met[:, 0] * along[:, 0] + met[:, 1] * along[:, 1],
        perpendicular_gev=met[:, 1] * along[:, 0] - met[:, 0] * along[:, 1],
        events=events,
    )


def delta_phi_rad(met_xy_gev: npt.ArrayLike, gen_met_xy_gev: npt.ArrayLike) -> FloatArray:
    """Return the signed angle from the true MET to the estimate, in (-pi, pi].

    An estimate of exactly zero has no angle and gives NaN.
    """
    met = check_met_xy(met_xy_gev, name="MET estimate")
    gen = check_met_xy(gen_met_xy_gev, name="generator MET")
    check_same_length({"estimate": met, "generator": gen})
    across = met[:, 1] * gen[:, 0] - met[:, 0] * gen[:, 1]
    along = met[:, 0] * gen[:, 0] + met[:, 1] * gen[:, 1]
    return np.where((across == 0) & (along == 0), np.nan, np.arctan2(across, along))
