"""Seeded-cone jets, with the bits of the CMSSW emulator.

Follows ``L1SCJetEmu`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow`` (``interface/jetmet/
L1SeedConePFJetEmulator.h``, ``src/jetmet/L1SeedConePFJetEmulator.cc``). The candidate with the
highest pt is the seed, whatever lies in the cone around it becomes a jet, and the rest is searched
again, until nothing or 16 jets are left. The axis moves once, by the pt-weighted mean distance.

Properties of the original that are kept on purpose: the square of the cone is cut to a multiple of
32; of equal pt the earlier candidate is the seed; 1/pt comes from a table and is lost for pt of 4
GeV and some values below; a pt-weighted distance is rounded down and the shift of the axis towards
zero, so jets lean; phi may leave the range of a turn; a jet stops at 4095.75 GeV.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.fixed_point import FixedType, Rounding, shift_round
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, COLUMNS, PHI_COUNTS_PER_TURN, Candidates
from l1met_fpga.puppi.emulator import PT_TYPE
from l1met_fpga.puppi.gt_word import GT_PT_TYPE

__all__ = [
    "MAX_JETS",
    "RADIUS",
    "WIDE_RADIUS",
    "Jets",
    "inverse_pt",
    "seeded_cone_jets",
    "wrapped_phi",
]

MAX_JETS: Final = 16
RADIUS: Final = 0.4
"""Cone of the jets of the trigger (SC4)."""
WIDE_RADIUS: Final = 0.8
"""Cone of the wide jets (SC8)."""

CONE2_TYPE: Final = FixedType(True, 22, -5)
"""``detaphi2_t``: squares of counts, in steps of 32."""
WEIGHTED_TYPE: Final = FixedType(True, 21, 0)
"""``pt_etaphi_t``: GeV times counts, no fraction."""
INVERSE_TYPE: Final = FixedType(False, -2, 20)
"""``inv_pt_t``: per GeV; 0.25 and more do not fit."""

_INDEX_BITS: Final = 10
_HALF_TURN: Final = PHI_COUNTS_PER_TURN // 2
_BLOCK: Final = 256
"""Events per pass; the temporary arrays of one pass stay in the cache."""

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int16]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Jets:
    """Jets of many events in fixed slots, zero where there is none.

    Attributes:
        pt: Counts of 0.25 GeV, int16, shape (n_events, n_jets).
        eta: Counts of pi/720.
        phi: Counts of pi/720; may lie beyond a half turn.
        owner: Slot of the jet that holds each candidate, -1 for none, int8, shape
            (n_events, n_slots).
    """

    pt: Counts
    eta: Counts
    phi: Counts
    owner: npt.NDArray[np.int8]

    @property
    def n_jets(self) -> npt.NDArray[np.int64]:
        """Jets of each event."""
        counts: npt.NDArray[np.int64] = (self.pt > 0).sum(axis=1)
        return counts

    def in_falling_pt(self) -> "Jets":
        """Put the jets of each event in falling pt, as the trigger sends them.

        CMSSW compares what the global trigger gets, which ends at 2048 GeV; equal jets stay in the
        order in which they were found (``std::sort`` does not move them, as there are at most 16).
        """
        gt_pt = GT_PT_TYPE.convert(self.pt, PT_TYPE.frac_bits)
        order = np.argsort(-gt_pt, axis=1, kind="stable")
        place = np.argsort(order, axis=1).astype(np.int8)
        owned = np.take_along_axis(place, np.maximum(self.owner, 0).astype(np.int64), axis=1)
        pt, eta, phi = (np.take_along_axis(x, order, 1) for x in (self.pt, self.eta, self.phi))
        return Jets(pt, eta, phi, np.where(self.owner < 0, self.owner, owned))

    def with_pt(self, pt: Counts) -> "Jets":
        """Return the same jets with another pt (corrected ones, for instance)."""
        return replace(self, pt=pt)


def seeded_cone_jets(candidates: Candidates, radius: float = RADIUS) -> Jets:
    """Find jets as the CMSSW emulator does.

    Args:
        candidates: ``pt``, ``eta`` and ``phi`` counts, shape (n_events, n_slots); the order of the
            slots decides between seeds of equal pt.
        radius: Of the cone, 0.03 to 8.

    Returns:
        Jets in the order in which they are found, pt not corrected. It is the order of the seeds;
        :meth:`Jets.in_falling_pt` is that of the trigger.

    Raises:
        DataError: If a column holds what its type cannot.
        ValueError: If the radius is out of range.
    """
    pt, eta, phi = (_checked(candidates, name) for name in ("pt", "eta", "phi"))
    cone2, (n_events, n_slots) = _cone2(radius), pt.shape
    none = np.zeros((n_events, MAX_JETS), np.int16)
    found = Jets(none, none.copy(), none.copy(), np.full((n_events, n_slots), -1, np.int8))
    for start in range(0, n_events, _BLOCK):
        rows = slice(start, start + _BLOCK)
        filled = np.flatnonzero(pt[rows].any(axis=0))
        block = rows, slice(0, int(filled[-1]) + 1 if filled.size else 0)
        cones = _cones(pt[block], eta[block], phi[block], cone2)
        for k, (jet_pt, jet_eta, jet_phi, members) in enumerate(cones):
            found.pt[rows, k], found.eta[rows, k], found.phi[rows, k] = jet_pt, jet_eta, jet_phi
            np.putmask(found.owner[block], members, np.int8(k))
    return found


def _checked(candidates: Candidates, name: str) -> npt.NDArray[np.int32]:
    codes, kind = candidates[name], COLUMNS[name].type
    if codes.dtype.kind not in "iu":
        raise DataError(f"column {name} must hold integer counts, got {codes.dtype}")
    if codes.size and (codes.min() < kind.min_code or codes.max() > kind.max_code):
        wrong = codes[(codes < kind.min_code) | (codes > kind.max_code)]
        raise DataError(
            f"column {name} of {wrong.size} candidates is outside its {kind.width} bits, the first "
            f"is {wrong[0]}; allowed are {kind.min_code} to {kind.max_code}"
        )
    return codes.astype(np.int32)


def _cone2(radius: float) -> int:
    """Return the square of the cone in counts, as CMSSW computes it in single precision."""
    if not 0.03 <= radius <= 8:
        raise ValueError(f"the radius of a cone must be 0.03 to 8, got {radius:g}")
    size, lsb = np.float32(radius), np.float32(ANGLE_LSB_RAD)
    return int(CONE2_TYPE.encode(size * size / lsb / lsb)) << -CONE2_TYPE.frac_bits


def _cones(
    pt: Ints, eta: Ints, phi: Ints, cone2: int
) -> Iterator[tuple[Codes, Codes, Codes, npt.NDArray[np.bool_]]]:
    """Yield pt, eta, phi and the members of the first jet of each event, the second, ..."""
    rows, left = np.arange(len(pt)), pt.copy()
    for _ in range(MAX_JETS if pt.shape[1] else 0):
        seed = rows, left.argmax(axis=1)  # the first of equal ones
        if not left[seed].any():
            return
        deta, dphi = eta - eta[seed][:, None], wrapped_phi(phi - phi[seed][:, None])
        members = (deta * deta + dphi * dphi < cone2) & (left > 0)
        member_pt = left * members
        jet_pt = PT_TYPE.wrap_or_saturate(member_pt.sum(axis=1))
        is_jet = jet_pt > 0
        yield (
            jet_pt,
            _axis("eta", eta[seed], member_pt, deta, jet_pt) * is_jet,
            _axis("phi", phi[seed], member_pt, dphi, jet_pt) * is_jet,
            members,
        )
        left -= member_pt


def wrapped_phi(dphi: Ints) -> Ints:
    """Bring differences of phi counts within a half turn, as CMSSW does: once."""
    return dphi - PHI_COUNTS_PER_TURN * (
        (dphi > _HALF_TURN).astype(np.int32) - (dphi < -_HALF_TURN)
    )


def _axis(name: str, seed: Ints, member_pt: Ints, distance: Ints, jet_pt: Codes) -> Codes:
    """Move the seed by the mean distance of the members."""
    weighted = (member_pt * distance) >> PT_TYPE.frac_bits
    total = WEIGHTED_TYPE.wrap_or_saturate(weighted.sum(axis=1))
    # An ap_int made from an ap_fixed drops the fraction towards zero, as C does.
    shift = shift_round(total * inverse_pt()[jet_pt], INVERSE_TYPE.frac_bits, Rounding.TRN_ZERO)
    return COLUMNS[name].type.wrap_or_saturate(seed + shift)


@functools.cache
def inverse_pt() -> Codes:
    """Return 1/pt in :data:`INVERSE_TYPE` for every pt code, 0 for pt 0.

    The pt is shifted up until its top bit is set; the 10 bits below it address a table, whose
    value is shifted as far. From 0.25 on the result loses its high bits.
    """
    pt = np.arange(1, PT_TYPE.max_code + 1)
    up = PT_TYPE.width - np.frexp(pt)[1].astype(np.int64)
    seen = (pt << up) & -(1 << (PT_TYPE.width - 1 - _INDEX_BITS))
    inverse = (1 << (PT_TYPE.frac_bits + INVERSE_TYPE.frac_bits)) // seen
    return np.concatenate([[0], INVERSE_TYPE.wrap_or_saturate(inverse << up)])
