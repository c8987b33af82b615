"""The 64-bit word of a sum (MET) on the link to the global trigger.

Source: ``l1gt::Sum`` and the ``CTtoGT`` conversions of CMSSW
``DataFormats/L1TParticleFlow/interface/gt_datatypes.h``. Fields from the lowest bit up: valid (1
bit), vector pt (16 bits, 1/32 GeV), vector phi (13 bits, signed, pi/4096), scalar pt (16 bits,
1/32 GeV); bits 63:46 are zero.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PT_FRAC_BITS

__all__ = [
    "GT_PHI_LSB_RAD",
    "GT_PHI_TYPE",
    "GT_PT_TYPE",
    "VECTOR_PHI_BIT",
    "VECTOR_PT_BIT",
    "GtSum",
    "pack",
    "unpack",
]

GT_PT_TYPE: Final = FixedType(False, 11, 5, Rounding.RND_CONV, Overflow.SAT)
"""GeV."""
GT_PHI_TYPE: Final = FixedType(True, 12, 0, Rounding.RND_CONV, Overflow.WRAP)
"""Counts of :data:`GT_PHI_LSB_RAD`; pi is the code of -pi, by wrapping."""
GT_PHI_LSB_RAD: Final = math.pi / 4096

_ANGLE_SCALE_TYPE: Final = FixedType(True, 4, 13, Rounding.RND_CONV, Overflow.SAT)
# CMSSW divides the two float constants.
_ANGLE_SCALE: Final = int(
    _ANGLE_SCALE_TYPE.encode(np.float32(ANGLE_LSB_RAD) / np.float32(GT_PHI_LSB_RAD))
)
VECTOR_PT_BIT: Final = 1
"""Lowest bit of the vector pt in the word."""
VECTOR_PHI_BIT: Final = 17
"""Lowest bit of the vector phi in the word."""
_SCALAR_BIT, _END_BIT = 30, 46

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GtSum:
    """Sums in the global trigger's units, one per event.

    Attributes:
        valid: Whether the word holds an object, bool, shape (n_events,).
        vector_pt: Size of the vector sum, codes of :data:`GT_PT_TYPE`.
        vector_phi: Its direction, codes of :data:`GT_PHI_TYPE`.
        scalar_pt: Scalar sum, codes of :data:`GT_PT_TYPE`.
    """

    valid: npt.NDArray[np.bool_]
    vector_pt: Codes
    vector_phi: Codes
    scalar_pt: Codes

    @classmethod
    def from_puppi_counts(cls, pt: Codes, phi: Codes, scalar_pt: Codes) -> "GtSum":
        """Convert a sum in PUPPI counts (``l1ct::Sum::toGT``).

        Args:
            pt: Counts of 0.25 GeV.
            phi: Counts of pi/720.
            scalar_pt: Counts of 0.25 GeV.
        """
        return cls(
            valid=(pt != 0) | (scalar_pt != 0),
            vector_pt=GT_PT_TYPE.convert(pt, PT_FRAC_BITS),
            vector_phi=GT_PHI_TYPE.convert(phi * _ANGLE_SCALE, _ANGLE_SCALE_TYPE.frac_bits),
            scalar_pt=GT_PT_TYPE.convert(scalar_pt, PT_FRAC_BITS),
        )

    @classmethod
    def from_met_xy_gev(
        cls, met_xy_gev: npt.NDArray[np.float64], scalar_pt_gev: npt.ArrayLike = 0.0
    ) -> "GtSum":
        """Round a MET vector to the nearest codes, without the coarser PUPPI counts in between.

        Args:
            met_xy_gev: px, py, GeV, shape (n_events, 2).
            scalar_pt_gev: Scalar sum, GeV, shape (n_events,) or one number for all.
        """
        x, y = met_xy_gev[:, 0], met_xy_gev[:, 1]
        pt = GT_PT_TYPE.encode(np.hypot(x, y))
        scalar = np.broadcast_to(GT_PT_TYPE.encode(scalar_pt_gev), pt.shape)
        phi = GT_PHI_TYPE.encode(np.arctan2(y, x) / GT_PHI_LSB_RAD)
        return cls((pt != 0) | (scalar != 0), pt, phi, scalar)

    @property
    def met_xy_gev(self) -> npt.NDArray[np.float64]:
        """px, py in GeV, shape (n_events, 2)."""
        pt, phi = GT_PT_TYPE.decode(self.vector_pt), self.vector_phi * GT_PHI_LSB_RAD
        return np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=-1)


def pack(sums: GtSum) -> npt.NDArray[np.uint64]:
    """Put sums into words, uint64, shape (n_events,).

    Raises:
        DataError: If a code is outside its field.
    """
    for name, codes, kind in (
        ("vector_pt", sums.vector_pt, GT_PT_TYPE),
        ("vector_phi", sums.vector_phi, GT_PHI_TYPE),
        ("scalar_pt", sums.scalar_pt, GT_PT_TYPE),
    ):
        outside = (codes < kind.min_code) | (codes > kind.max_code)
        if outside.any():
            raise DataError(
                f"{name} of a global-trigger word is {int(codes[outside].flat[0])}; allowed are "
                f"{kind.min_code} to {kind.max_code}"
            )
    phi_bits = sums.vector_phi & ((1 << GT_PHI_TYPE.width) - 1)
    word = (
        sums.valid.astype(np.int64)
        | (sums.vector_pt << VECTOR_PT_BIT)
        | (phi_bits << VECTOR_PHI_BIT)
        | (sums.scalar_pt << _SCALAR_BIT)
    )
    return word.astype(np.uint64)


def unpack(words: npt.NDArray[np.uint64]) -> GtSum:
    """Take words apart; the inverse of :func:`pack`.

    Raises:
        DataError: If a word has a bit above its fields.
    """
    if words.size and int(words.max()) >> _END_BIT:
        raise DataError(
            f"global-trigger word {int(words.max()):#018x} has bits above bit {_END_BIT - 1}; "
            "it is not a sum"
        )
    bits = words.astype(np.int64)
    return GtSum(
        valid=(bits & 1).astype(bool),
        vector_pt=(bits >> VECTOR_PT_BIT) & GT_PT_TYPE.max_code,
        vector_phi=GT_PHI_TYPE.wrap_or_saturate(bits >> VECTOR_PHI_BIT),
        scalar_pt=(bits >> _SCALAR_BIT) & GT_PT_TYPE.max_code,
    )
