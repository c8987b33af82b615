"""HT and MHT over jets, with the bits of the CMSSW emulator.

Follows ``htmht`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow/interface/jetmet/L1PFHtEmulator.h`` and
the selection of ``L1MHtPFProducer``: jets above 30 GeV within 2.4 in eta.

Properties of the original that are kept on purpose: MHT points along the sum of the jets, not
against it; directions are cut to half a degree, and a negative phi to the next larger angle; sine
and cosine come from a table rounded down to 1/128, in which the cosine of 90 degrees is -1/128; the
components wrap beyond 4096 GeV.
"""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType, Rounding, shift_round
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.emulator import PT_TYPE
from l1met_fpga.puppi.gt_word import GtSum, pack
from l1met_fpga.puppi.jets import Jets

__all__ = ["HtMht", "emulate_ht_mht", "selected"]

MIN_PT: Final = 120
"""30 GeV in counts; jets of more than this count."""
END_ETA: Final = 551
"""2.4 is 550.04 counts; jets below this count."""

TRIG_TYPE: Final = FixedType(True, 1, 7)
"""``cossin_t``."""
COMPONENT_TYPE: Final = FixedType(True, 12, 3)
"""``pxy_t``, GeV."""
ANGLE_TYPE: Final = FixedType(True, 2, 9)
"""``radians_t``."""
ANGLE_SCALE_TYPE: Final = FixedType(True, 8, 7)
"""Counts of pi/720 per radian."""

_QUARTER_TURN: Final = 180
"""In half degrees."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HtMht:
    """Scalar and vector sum of the jets, one per event.

    Attributes:
        ht: Scalar sum, counts of 0.25 GeV, shape (n_events,).
        px: Codes of :data:`COMPONENT_TYPE`.
        py: The same.
        mht: Size of the vector sum, counts of 0.25 GeV.
        phi: Its direction, counts of pi/720.
    """

    ht: Codes
    px: Codes
    py: Codes
    mht: Codes
    phi: Codes

    @property
    def ht_gev(self) -> npt.NDArray[np.float64]:
        """Scalar sum, GeV, shape (n_events,)."""
        return PT_TYPE.decode(self.ht)

    @property
    def mht_xy_gev(self) -> npt.NDArray[np.float64]:
        """Minus the vector sum, as MET is one, GeV, shape (n_events, 2)."""
        return -COMPONENT_TYPE.decode(np.stack([self.px, self.py], axis=-1))

    @property
    def gt_words(self) -> npt.NDArray[np.uint64]:
        """Global-trigger words, uint64, shape (n_events,)."""
        return pack(GtSum.from_puppi_counts(self.mht, self.phi, self.ht))


def selected(jets: Jets, *, min_pt: int, end_eta: int) -> npt.NDArray[np.bool_]:
    """Tell which jets are above a pt and below a distance from eta 0, both in counts, both strict."""
    return (jets.pt > min_pt) & (np.abs(jets.eta.astype(np.int64)) < end_eta)


def emulate_ht_mht(jets: Jets) -> HtMht:
    """Run the CMSSW emulator of HT and MHT.

    Args:
        jets: Those of the narrow cone, corrected, phi from -1022 to 1023 counts (candidates within
            a turn give no others; CMSSW reads outside its table there).
    """
    pt = np.where(selected(jets, min_pt=MIN_PT, end_eta=END_ETA), jets.pt, 0).astype(np.int64)
    ht = PT_TYPE.wrap_or_saturate(pt.sum(axis=1))
    half_degrees = np.abs(jets.phi.astype(np.int64) >> 1)
    sine = _sine_table()
    sin, cos = sine[half_degrees], sine[half_degrees + _QUARTER_TURN]
    px, py = _total(pt, cos), _total(pt, np.where(jets.phi < 0, -sin, sin))
    mht = PT_TYPE.encode(np.sqrt(COMPONENT_TYPE.decode(px) ** 2 + COMPONENT_TYPE.decode(py) ** 2))
    return HtMht(ht, px, py, mht, _direction(px, py))


def _total(pt: Codes, direction: Codes) -> Codes:
    """Add projections, each rounded down; wrapping once or at every step is equal."""
    each = COMPONENT_TYPE.convert(pt * direction, PT_TYPE.frac_bits + TRIG_TYPE.frac_bits)
    return COMPONENT_TYPE.wrap_or_saturate(each.sum(axis=1))


def _direction(px: Codes, py: Codes) -> Codes:
    angle = ANGLE_TYPE.encode(np.arctan2(py.astype(np.float64), px.astype(np.float64)))
    scaled = angle * int(ANGLE_SCALE_TYPE.encode(720 / math.pi))
    frac_bits = ANGLE_TYPE.frac_bits + ANGLE_SCALE_TYPE.frac_bits
    # An ap_int made from an ap_fixed drops the fraction towards zero, as C does.
    return COLUMNS["phi"].type.wrap_or_saturate(shift_round(scaled, frac_bits, Rounding.TRN_ZERO))


@functools.cache
def _sine_table() -> Codes:
    """Sine by half degrees in :data:`TRIG_TYPE`, of arguments in single precision."""
    n_entries = (1 << (COLUMNS["phi"].type.width - 2)) + _QUARTER_TURN + 1
    angle = (np.arange(n_entries) * (math.pi / 180) / 2).astype(np.float32)
    # Of the double function, rounded: the float function wherever that is correctly rounded.
    return TRIG_TYPE.encode(np.sin(angle.astype(np.float64)).astype(np.float32))
