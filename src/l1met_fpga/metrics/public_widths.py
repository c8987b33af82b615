"""Response and widths as L1DeepMETv2 defines them, to compare with its published figures.

They differ from ours (:mod:`l1met_fpga.metrics.resolution`) in three ways: the width across the truth
is that of a size without sign, about 0.60 of the width of the signed component of a Gaussian; the width
along it is not freed of the slope within a bin; and both are divided by the mean response, which a
network can shift, not by the slope.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.metrics.arrays import FloatArray, check_met_xy
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins

__all__ = ["PUBLIC_BINS", "PublicWidths", "public_widths"]

PUBLIC_BINS: Final = Bins.of(range(0, 400, 20))
"""19 bins of genMET; the public script lets 380 to 400 GeV fall out as well."""


@dataclass(frozen=True, slots=True)
class PublicWidths:
    """Figures per bin, NaN in bins of few events.

    Attributes:
        response: Mean of ``|R|``, R = v.q / q^2.
        parallel_gev: (P84 - P16) / 2 of ``|R q| - |q|``, over the response.
        perpendicular_gev: (P84 - P16) / 2 of ``|v - R q|``, over the response.
    """

    response: FloatArray
    parallel_gev: FloatArray
    perpendicular_gev: FloatArray


def public_widths(
    met_xy_gev: npt.ArrayLike, gen_met_xy_gev: npt.ArrayLike, *, bins: Bins = PUBLIC_BINS
) -> PublicWidths:
    """Return response and scaled widths in bins of generator MET.

    Args:
        met_xy_gev: Estimate v, shape (n, 2), GeV.
        gen_met_xy_gev: Generator MET q, shape (n, 2), GeV; events without direction are left out.
        bins: Bins of ``|q|``.
    """
    v = check_met_xy(met_xy_gev, name="MET estimate")
    q = check_met_xy(gen_met_xy_gev, name="generator MET")
    size = np.hypot(q[:, 0], q[:, 1])
    directed = size > 0
    v, q, size = v[directed], q[directed], size[directed]
    response = np.sum(v * q, axis=1) / size**2
    along = np.abs(response) * size - size
    across = np.hypot(*(v - response[:, None] * q).T)
    index = bins.index(size)
    rows = [_figures(response, along, across, index == number) for number in range(len(bins))]
    return PublicWidths(*np.array(rows).reshape(-1, 3).T)


def _figures(
    response: FloatArray, along: FloatArray, across: FloatArray, chosen: npt.NDArray[np.bool_]
) -> tuple[float, float, float]:
    if chosen.sum() < MIN_EVENTS:
        return float("nan"), float("nan"), float("nan")
    mean = float(np.mean(np.abs(response[chosen])))
    low, high = np.percentile(np.stack([along[chosen], across[chosen]]), [16, 84], axis=1)
    parallel, perpendicular = (high - low) / 2 / mean
    return mean, float(parallel), float(perpendicular)
