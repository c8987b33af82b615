"""Mass of jets, with the bits of the CMSSW emulator, which computes it for wide jets.

Follows ``jetMass_HW`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow/src/jetmet/
L1SeedConePFJetEmulator.cc``: the 32 hardest candidates, as if without mass, in a frame turned to the
seed.

Where more than 32 candidates are in a jet and the last ones have equal pt, CMSSW keeps those that
``std::sort`` puts first, which is not defined; here it is the earlier ones.
"""

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, Candidates
from l1met_fpga.puppi.emulator import PT_TYPE
from l1met_fpga.puppi.jet_constituents import constituents
from l1met_fpga.puppi.jets import Jets, wrapped_phi

__all__ = ["MASS2_TYPE", "jet_mass2"]

MASS2_TYPE: Final = FixedType(False, 15, 2, Rounding.TRN, Overflow.SAT)
"""``mass2_t``, GeV squared."""
EVEN_TYPE: Final = FixedType(False, 1, 12, Rounding.RND, Overflow.SAT)
"""``eventrig_t``, of cos and cosh."""
ODD_TYPE: Final = FixedType(True, 0, 12, Rounding.RND, Overflow.SAT)
"""``oddtrig_t``, of sin and sinh."""
POSITIVE_TYPE: Final = FixedType(False, 12, 8, Rounding.TRN, Overflow.SAT)
"""``ppt_t``, of E and the momentum along the seed's phi, GeV."""
SIGNED_TYPE: Final = FixedType(True, 13, 8, Rounding.TRN, Overflow.SAT)
"""``npt_t``, of the momentum across and along the beam, GeV."""

_N_CANDIDATES: Final = 32
_N_ANGLES: Final = 185

Codes = npt.NDArray[np.int64]


def jet_mass2(candidates: Candidates, jets: Jets) -> Codes:
    """Return the mass squared of each jet.

    Args:
        candidates: ``pt``, ``eta`` and ``phi``, in which the jets were found.
        jets: The jets, in any order.

    Returns:
        Codes of :data:`MASS2_TYPE`, shape (n_events, n_jets).
    """
    wanted = {name: candidates[name] for name in ("pt", "eta", "phi")}
    inside = constituents(wanted, jets, n_slots=_N_CANDIDATES)
    pt, eta, phi = (codes.astype(np.int32) for codes in inside.values())
    # The seed is the hardest candidate, of equal ones the first; empty slots have no pt to move.
    deta = np.where(pt > 0, eta - eta[..., :1], 0)
    dphi = np.where(pt > 0, wrapped_phi(phi - phi[..., :1]), 0)
    energy = _total(pt * _table(np.cosh, EVEN_TYPE)[np.abs(deta)], POSITIVE_TYPE)
    along = _total(pt * _table(np.cos, EVEN_TYPE)[np.abs(dphi)], POSITIVE_TYPE)
    across = _total(
        pt * _table(np.sin, ODD_TYPE)[np.abs(dphi)] * np.where(dphi < 0, -1, 1), SIGNED_TYPE
    )
    beam = _total(
        pt * _table(np.sinh, ODD_TYPE)[np.abs(deta)] * np.where(deta < 0, -1, 1), SIGNED_TYPE
    )
    mass2 = energy**2 - along**2 - across**2 - beam**2
    return MASS2_TYPE.convert(mass2, 2 * POSITIVE_TYPE.frac_bits)


def _total(products: Codes, kind: FixedType) -> Codes:
    """Add up, one candidate after the other: the sum stops at the limits of its type."""
    each = kind.convert(products, PT_TYPE.frac_bits + EVEN_TYPE.frac_bits)
    total = np.zeros(each.shape[:-1], np.int64)
    for slot in range(each.shape[-1]):
        total = kind.wrap_or_saturate(total + each[..., slot])
    return total


@functools.cache
def _table(function: np.ufunc, kind: FixedType) -> Codes:
    """Return a function of the angle in counts, of arguments in single precision."""
    angle = np.arange(_N_ANGLES).astype(np.float32) * np.float32(ANGLE_LSB_RAD)
    # Of the double function, rounded: the float function wherever that is correctly rounded.
    return kind.encode(function(angle.astype(np.float64)).astype(np.float32))
