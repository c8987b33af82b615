"""The one door through which MET is read, generator MET above all: numbers, or "not known".

Ntuples fill what they do not know with values of their own (-999, -1, NaN, the largest float). Read
as a vector, such a filler is a MET of 999 GeV. Here it becomes NaN, and is counted.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "GEN_HT",
    "GEN_MET",
    "MAX_MET_GEV",
    "TRUTHS",
    "Truth",
    "met_from_polar",
    "met_from_xy",
    "polar_is_known",
    "vertex_cm",
    "xy_is_known",
]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that a source may know of an example and a network may be asked for.

    Attributes:
        name: Of the array, with its unit: ``..._xy_gev`` is a vector (px and py, shape (n, 2)),
            ``..._gev`` a number (shape (n,)).
        title: In sentences.
    """

    name: str
    title: str

    @property
    def kind(self) -> Literal["vector", "scalar"]:
        """Whether it has a direction."""
        return "vector" if self.name.endswith("_xy_gev") else "scalar"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one value."""
        return (2,) if self.kind == "vector" else ()


GEN_MET: Final = "gen_met_xy_gev"
"""Vector sum of the neutrinos."""
GEN_HT: Final = "gen_ht_gev"
"""Scalar sum of the jets of generated particles."""
TRUTHS: Final = {
    truth.name: truth for truth in (Truth(GEN_MET, "generator MET"), Truth(GEN_HT, "generator HT"))
}
"""What may be read as truth, by name. It is zero in every background event, NaN where unknown."""

MAX_MET_GEV: Final = 14_000.0
"""The energy of a collision; no event has more MET."""
_MAX_ANGLE_RAD: Final = 2 * math.pi * (1 + 1e-6)
"""Single precision rounds 2 pi up by 3e-8 of it."""
_MAX_VERTEX_CM: Final = 100.0
"""Collisions spread over a few cm; none lies so far from the centre."""
_XY_FILLERS: Final = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)


def polar_is_known(pt_gev: Numbers, phi_rad: Numbers) -> npt.NDArray[np.bool_]:
    """Tell which vectors, given as size and direction, are a MET, shape (n,).

    Not those with a negative size, one above :data:`MAX_MET_GEV`, a direction beyond a turn, or a
    value that is not finite.
    """
    pt, phi = np.asarray(pt_gev, np.float64), np.asarray(phi_rad, np.float64)
    known: npt.NDArray[np.bool_] = (
        (pt >= 0) & (pt <= MAX_MET_GEV) & (np.abs(phi) <= _MAX_ANGLE_RAD)  # NaN is not
    )
    return known


def xy_is_known(met_xy_gev: Numbers) -> npt.NDArray[np.bool_]:
    """Tell which vectors, given as px and py, are a MET, shape (n,).

    Not those above :data:`MAX_MET_GEV`, with a value that is not finite, or with one and the same
    filler (-1, -9, -99, -999, ...) in both components.
    """
    xy = np.asarray(met_xy_gev, np.float64)
    filler = (xy[:, 0] == xy[:, 1]) & np.isin(xy[:, 0], _XY_FILLERS)
    with np.errstate(over="ignore", invalid="ignore"):
        known: npt.NDArray[np.bool_] = (np.hypot(xy[:, 0], xy[:, 1]) <= MAX_MET_GEV) & ~filler
    return known


def met_from_polar(pt_gev: Numbers, phi_rad: Numbers, tally: Counter[str], name: str) -> Floats:
    """Return px and py, shape (n, 2); NaN where the source holds no MET.

    Args:
        pt_gev: Size, shape (n,).
        phi_rad: Direction, shape (n,).
        tally: Counts ``NAME_fillers``.
        name: ``gen_met``, ``puppi_met`` or ``baseline_met``.
    """
    pt, phi = np.asarray(pt_gev, np.float64), np.asarray(phi_rad, np.float64)
    known = polar_is_known(pt, phi)
    tally[f"{name}_fillers"] += int((~known).sum())
    pt, phi = np.where(known, pt, np.nan), np.where(known, phi, 0)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1)


def met_from_xy(met_xy_gev: Numbers, tally: Counter[str], name: str) -> Floats:
    """Return px and py as float64, shape (n, 2); NaN where the source holds no MET.

    Args:
        met_xy_gev: Vectors of the source, shape (n, 2).
        tally: Counts ``NAME_fillers``.
        name: As for :func:`met_from_polar`.
    """
    known = xy_is_known(met_xy_gev)
    tally[f"{name}_fillers"] += int((~known).sum())
    return np.where(known[:, None], np.asarray(met_xy_gev, np.float64), np.nan)


def vertex_cm(z0_cm: Numbers, tally: Counter[str]) -> Floats:
    """Return z of the primary vertex, shape (n,); NaN where the source holds none.

    Args:
        z0_cm: Values of the source; NaN where it had no vertex at all.
        tally: Counts ``vertex_fillers``.
    """
    z0 = np.asarray(z0_cm, np.float64)
    filler = np.abs(z0) > _MAX_VERTEX_CM
    tally["vertex_fillers"] += int(filler.sum())
    return np.where(filler, np.nan, z0)
