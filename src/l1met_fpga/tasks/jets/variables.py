"""Numbers of a jet that tell classes apart one by one: what a network must beat."""

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PARTICLE_KINDS, PT_LSB_GEV
from l1met_fpga.puppi.units import charge_of
from l1met_fpga.puppi.words import is_charged

__all__ = ["COLUMNS", "jet_variables"]

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight", "dxy")
FAR_DXY = 12
"""Root of 350 um in 1/64 sqrt(cm): beyond what most prompt tracks above 3 GeV are measured at."""


def jet_variables(jets: Examples) -> dict[str, FloatArray]:
    """Return every variable by its name, shape (n_jets,); 0 for jets without constituents."""
    pt = jets.columns["pt"] * PT_LSB_GEV
    pid, charge = jets.columns["pid"], charge_of(jets.columns["pid"])
    total = np.maximum(_sum(jets, pt), PT_LSB_GEV)
    distance = ANGLE_LSB_RAD * np.hypot(jets.columns["eta"], jets.columns["phi"])
    dxy = np.where(is_charged(pid), jets.columns["dxy"], 0)
    first, second = _two_largest(jets, dxy)
    shares = {
        f"{name} share": _sum(jets, pt * np.isin(pid, codes)) / total
        for name, codes in PARTICLE_KINDS.items()
    }
    return {
        "constituents": jets.counts.astype(np.float64),
        "charged constituents": _sum(jets, is_charged(pid)),
        "width": _sum(jets, pt * distance) / total,
        "pt dispersion": np.sqrt(_sum(jets, pt**2)) / total,
        "largest share": _two_largest(jets, pt)[0] / total,
        "charge": _sum(jets, pt * charge) / total,
        "largest dxy": first,
        "second dxy": second,
        "displaced constituents": _sum(jets, dxy >= FAR_DXY),
        **shares,
    }


def _sum(jets: Examples, values: npt.NDArray[np.generic]) -> FloatArray:
    weights: FloatArray = values.astype(np.float64)
    return np.bincount(jets.example_of_rows, weights, minlength=len(jets)).astype(np.float64)


def _two_largest(jets: Examples, values: npt.NDArray[np.generic]) -> tuple[FloatArray, FloatArray]:
    """Return the largest and the second largest number of each jet, 0 where there is none."""
    order = np.lexsort((-values.astype(np.float64), jets.example_of_rows))
    found = []
    for place in range(2):
        chosen = np.zeros(len(jets))
        has = jets.counts > place
        chosen[has] = values[order[jets.row_splits[:-1][has] + place]]
        found.append(chosen)
    return found[0], found[1]
