"""The PUPPI MET of the CMSSW emulator, with the same bits.

Every step follows ``L1METEmu`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow/interface/jetmet/
L1PFMetEmulator.h`` (the version that reads its coefficients from a JSON file; their values are
those of commit 070951de). Cosine and sine are second-order polynomials in each of 16 bins of phi,
so this MET differs slightly from the exact one of :mod:`l1met_fpga.puppi.sums`.

Two properties of the original are kept on purpose: sums wrap at 2048 GeV, and the direction uses
229.29936 counts per radian where 720/pi is 229.183.
"""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding, shift_round
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, COLUMNS, PT_LSB_GEV, Candidates
from l1met_fpga.puppi.gt_word import GtSum, pack

__all__ = [
    "EmulatedMet",
    "cmssw_met_xy_gev",
    "components",
    "emulate_puppi_met",
    "polar",
]

PT_TYPE: Final = FixedType(False, 12, 2, Rounding.TRN, Overflow.SAT)
"""``l1ct::pt_t``."""
PROJECTION_TYPE: Final = FixedType(True, 11, 10)
"""``proj_t``."""
POLYNOMIAL_TYPE: Final = FixedType(True, 1, 30)
"""``poly_t``."""
ANGLE_TYPE: Final = FixedType(True, 10, 15)
"""``ap_fixed<26,11>``, radians and counts per radian."""

_COUNTS_PER_RADIAN: Final = 229.29936
_N_BINS: Final = 16
_BIN_COUNTS: Final = 90
_FIRST_EDGE: Final = -720

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class EmulatedMet:
    """MET in the emulator's integers, one per event.

    Attributes:
        px: Codes of :data:`PROJECTION_TYPE`, shape (n_events,).
        py: The same.
        pt: Counts of 0.25 GeV (``l1ct::Sum::hwPt``).
        phi: Counts of pi/720 (``l1ct::Sum::hwPhi``).
    """

    px: Codes
    py: Codes
    pt: Codes
    phi: Codes

    @property
    def met_xy_gev(self) -> npt.NDArray[np.float64]:
        """The px, py that pt and phi stand for, GeV, shape (n_events, 2)."""
        angle, pt_gev = self.phi * ANGLE_LSB_RAD, self.pt * PT_LSB_GEV
        return np.stack([pt_gev * np.cos(angle), pt_gev * np.sin(angle)], axis=-1)

    @property
    def gt_words(self) -> npt.NDArray[np.uint64]:
        """Global-trigger words; the emulator leaves the scalar sum at zero."""
        return pack(GtSum.from_puppi_counts(self.pt, self.phi, np.zeros_like(self.pt)))


def emulate_puppi_met(candidates: Candidates) -> EmulatedMet:
    """Run the CMSSW PUPPI MET emulator.

    Args:
        candidates: ``pt`` and ``phi`` counts, shape (n_events, n_slots).

    Returns:
        The MET of every event.
    """
    px, py = (
        _minus_sum(_component(candidates["pt"], candidates["phi"], table))
        for table in _cos_sin_tables()
    )
    return EmulatedMet(px, py, *polar(px, py))


def cmssw_met_xy_gev(candidates: Candidates) -> npt.NDArray[np.float64]:
    """Return the emulator's MET (its pt and phi) as px, py in GeV, shape (n_events, 2)."""
    return emulate_puppi_met(candidates).met_xy_gev


def components(pt: Counts, phi: Counts) -> tuple[Codes, Codes]:
    """Return px and py of momenta (``Get_xy``).

    Args:
        pt: Counts of 0.25 GeV, any shape.
        phi: Counts of pi/720, same shape, in 11 bits.

    Returns:
        Codes of :data:`PROJECTION_TYPE`, same shape.
    """
    cos, sin = _cos_sin_tables()
    return _component(pt, phi, cos), _component(pt, phi, sin)


def _component(pt: Counts, phi: Counts, table: Codes) -> Codes:
    """``proj_t(pt * cos)``."""
    direction = table[phi.astype(np.int64) - COLUMNS["phi"].type.min_code]
    product = pt.astype(np.int64) * direction
    return PROJECTION_TYPE.convert(product, PT_TYPE.frac_bits + POLYNOMIAL_TYPE.frac_bits)


def _minus_sum(projected: Codes) -> Codes:
    """``met -= projected`` over the candidates; wrapping once or at every step is equal."""
    return PROJECTION_TYPE.wrap_or_saturate(-projected.sum(axis=-1))


def polar(px: Codes, py: Codes) -> tuple[Codes, Codes]:
    """Return pt (0.25 GeV) and phi (pi/720) of vectors (``pxpy_to_ptphi``).

    Args:
        px: Codes of :data:`PROJECTION_TYPE`, any shape.
        py: The same.
    """
    # The C++ calls the float overloads of hypot and atan2; results of the double functions,
    # rounded to float, are theirs wherever those are correctly rounded.
    x, y = PROJECTION_TYPE.decode(px), PROJECTION_TYPE.decode(py)
    pt = PT_TYPE.encode(np.hypot(x, y).astype(np.float32))
    angle = ANGLE_TYPE.encode(np.arctan2(y, x).astype(np.float32))
    scaled = angle * int(ANGLE_TYPE.encode(_COUNTS_PER_RADIAN))
    # An ap_int made from an ap_fixed drops the fraction towards zero, as C does.
    return pt, shift_round(scaled, 2 * ANGLE_TYPE.frac_bits, Rounding.TRN_ZERO)


@functools.cache
def _cos_sin_tables() -> tuple[Codes, Codes]:
    """Return cosine and sine in :data:`POLYNOMIAL_TYPE` for every 11-bit phi code."""
    text = resources.files(__package__).joinpath("cmssw_met_poly2.json").read_text(encoding="utf-8")
    coefficients = json.loads(text)
    phi_type = COLUMNS["phi"].type
    phi = np.arange(phi_type.min_code, phi_type.max_code + 1)
    # pi itself belongs to the last bin; codes beyond +-pi fall through to the first.
    phi_bin = np.minimum((phi - _FIRST_EDGE) // _BIN_COUNTS, _N_BINS - 1)
    phi_bin = np.where(np.abs(phi) <= -_FIRST_EDGE, phi_bin, 0)
    step = phi - (_FIRST_EDGE + _BIN_COUNTS * phi_bin)

    def polynomial(parameters: dict[str, list[float]]) -> Codes:
        c0, c1, c2 = (POLYNOMIAL_TYPE.encode(parameters[f"par{i}"])[phi_bin] for i in range(3))
        return POLYNOMIAL_TYPE.wrap_or_saturate(c0 + c1 * step + c2 * step * step)

    return polynomial(coefficients["cos"]), polynomial(coefficients["sin"])
