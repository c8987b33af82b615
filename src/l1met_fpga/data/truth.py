"""What may be read as truth, and the one door through which it comes: numbers, or "not known".

Ntuples fill what they do not know with values of their own (-999, -1, NaN, the largest float). Read
as a vector, such a filler is a MET of 999 GeV. Here it becomes NaN, and is counted. The estimates of
other algorithms and the primary vertex come through the same door.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "BACKGROUND",
    "CANDIDATE_SUMS",
    "ELEMENT_CLASS",
    "ELEMENT_PT",
    "GEN_HT",
    "GEN_MET",
    "JET_CLASS",
    "JET_PT",
    "MAX_GEV",
    "PUPPI_MET",
    "TRUTHS",
    "Kind",
    "Quantity",
    "Unit",
    "scalar",
    "size_of",
    "vector_from_polar",
    "vector_from_xy",
    "vertex_cm",
]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]
Kind = Literal["vector", "scalar"]
Unit = Literal["gev", "ratio", "class"]

_SHAPES: Final[dict[Kind, str]] = {"vector": "_xy", "scalar": ""}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A truth, or an estimate of one.

    Attributes:
        key: Short name, as in counts of what was changed.
        kind: ``vector``: px and py, shape (n, 2); ``scalar``: one number, shape (n,).
        title: Name in sentences.
        fillers: What is known to be none, in words.
        unit: GeV, a ratio, or the number of a class, which says nothing by its size.
        rows: What it is known of.
    """

    key: str
    kind: Kind
    title: str
    fillers: str = "negative, above 14 TeV or not finite"
    unit: Unit = "gev"
    rows: Literal["event", "jet", "element"] = "event"

    @property
    def name(self) -> str:
        """Name of the array, which ends with form and unit."""
        return f"{self.key}{_SHAPES[self.kind]}_{self.unit}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one value."""
        return (2,) if self.kind == "vector" else ()

    @classmethod
    def named(cls, name: str) -> "Quantity":
        """Return what an array of this name holds; of others than truths the name says all."""
        if name in TRUTHS:
            return TRUTHS[name]
        key = name.removesuffix("_gev")
        kind: Kind = "vector" if key.endswith(_SHAPES["vector"]) else "scalar"
        key = key.removesuffix(_SHAPES[kind])
        return cls(key, kind, title=key)

    def unknown(self, n: int) -> Floats:
        """Return the values of ``n`` examples of which nothing is known: NaN."""
        return np.full((n, *self.shape), np.nan)

    def is_known(self, values: Numbers) -> npt.NDArray[np.bool_]:
        """Tell which values are known, shape (n,)."""
        known: npt.NDArray[np.bool_] = np.isfinite(values)
        return known if known.ndim == 1 else np.asarray(known.all(axis=1))


_GEN_MET: Final = Quantity(
    "gen_met", "vector", "generator MET", "negative, above 14 TeV, not finite, or beyond a turn"
)
"""Vector sum of the neutrinos."""
_GEN_HT: Final = Quantity("gen_ht", "scalar", "generator HT")
"""Scalar sum of pt of the jets of generated particles, above 30 GeV and within |eta| < 2.4."""
_JET_CLASS: Final = Quantity("jet", "scalar", "class of the jet", unit="class", rows="jet")
"""Number of the class that a jet belongs to (:mod:`l1met_fpga.data.jet_labels`)."""
_JET_PT: Final = Quantity(
    "jet_pt", "scalar", "generated pt over the jet's", unit="ratio", rows="jet"
)
"""Generated pt over the pt that the trigger gives the jet; of taus, the visible pt."""
_ELEMENT_CLASS: Final = Quantity(
    "element", "scalar", "class of the element", unit="class", rows="element"
)
"""Number of the class of the particle that an element stands for (:mod:`l1met_fpga.data.element_kinds`)."""
_ELEMENT_PT: Final = Quantity(
    "element_pt", "scalar", "generated pt over the element's", unit="ratio", rows="element"
)
"""Summed pt of the particles that belong to an element over the pt that the detector gives it."""
TRUTHS: Final = {
    truth.name: truth
    for truth in (_GEN_MET, _GEN_HT, _JET_CLASS, _JET_PT, _ELEMENT_CLASS, _ELEMENT_PT)
}
"""What may be read as truth, by the name of its array: the one place that lists it."""
BACKGROUND: Final = 0.0
"""Every truth of every background event, whatever its source says."""

GEN_MET: Final = _GEN_MET.name
GEN_HT: Final = _GEN_HT.name
JET_CLASS: Final = _JET_CLASS.name
JET_PT: Final = _JET_PT.name
ELEMENT_CLASS: Final = _ELEMENT_CLASS.name
ELEMENT_PT: Final = _ELEMENT_PT.name

PUPPI_MET: Final = "puppi_met_xy_gev"
"""The estimate of a source that must be what its own candidates add up to."""
CANDIDATE_SUMS: Final[dict[Kind, str]] = {"vector": "PUPPI MET", "scalar": "sum of pt"}
"""What an example's own candidates add up to, by kind: minus their vector sum, or the sum of pt."""

MAX_GEV: Final = 14_000.0
"""The energy of a collision; no sum of an event is larger."""
_MAX_ANGLE_RAD: Final = 2 * math.pi * (1 + 1e-6)
"""Single precision rounds 2 pi up by 3e-8 of it."""
_MAX_VERTEX_CM: Final = 100.0
"""Collisions spread over a few cm; none lies so far from the centre."""
_XY_FILLERS: Final = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)


def size_of(values: Floats) -> Floats:
    """Return the size of values of either kind, GeV, shape (n,)."""
    return values if values.ndim == 1 else np.hypot(values[:, 0], values[:, 1])


def vector_from_polar(pt_gev: Numbers, phi_rad: Numbers, tally: Counter[str], key: str) -> Floats:
    """Return px and py, shape (n, 2); NaN where the source holds no vector.

    That is a negative size, one above :data:`MAX_GEV`, a direction beyond a turn, or a value that is
    not finite.

    Args:
        pt_gev: Size, shape (n,).
        phi_rad: Direction, shape (n,).
        tally: Counts ``KEY_fillers``.
        key: Of the quantity, or ``baseline``.
    """
    pt, phi = np.asarray(pt_gev, np.float64), np.asarray(phi_rad, np.float64)
    known = (pt >= 0) & (pt <= MAX_GEV) & (np.abs(phi) <= _MAX_ANGLE_RAD)  # NaN is not
    tally[f"{key}_fillers"] += int((~known).sum())
    pt, phi = np.where(known, pt, np.nan), np.where(known, phi, 0)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1)


def vector_from_xy(xy_gev: Numbers, tally: Counter[str], key: str) -> Floats:
    """Return px and py as float64, shape (n, 2); NaN where the source holds no vector.

    That is one above :data:`MAX_GEV`, a value that is not finite, or one and the same filler (-1,
    -9, -99, -999, ...) in both components.

    Args:
        xy_gev: Vectors of the source, shape (n, 2).
        tally: Counts ``KEY_fillers``.
        key: As for :func:`vector_from_polar`.
    """
    xy = np.asarray(xy_gev, np.float64)
    filler = (xy[:, 0] == xy[:, 1]) & np.isin(xy[:, 0], _XY_FILLERS)
    with np.errstate(over="ignore", invalid="ignore"):
        known = (size_of(xy) <= MAX_GEV) & ~filler
    tally[f"{key}_fillers"] += int((~known).sum())
    return np.where(known[:, None], xy, np.nan)


def scalar(values_gev: Numbers, tally: Counter[str], key: str) -> Floats:
    """Return numbers as float64, shape (n,); NaN where the source holds none.

    That is a negative one, one above :data:`MAX_GEV`, or one that is not finite.

    Args:
        values_gev: Values of the source, shape (n,).
        tally: Counts ``KEY_fillers``.
        key: As for :func:`vector_from_polar`.
    """
    values = np.asarray(values_gev, np.float64)
    known = (values >= 0) & (values <= MAX_GEV)
    tally[f"{key}_fillers"] += int((~known).sum())
    return np.where(known, values, np.nan)


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
