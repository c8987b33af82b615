"""What labels of jets are made from: heavy hadrons, partons, prompt leptons, hadronic taus."""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import rows_between

__all__ = ["Kind", "Objects", "find_objects"]

B_QUARK, C_QUARK = 5, 4
ELECTRON, MUON, TAU = 11, 13, 15
NEUTRINOS: Final = (12, 14, 16)
BOSONS: Final = (23, 24, 25)
"""Leptons of their decays, and of prompt taus, are prompt."""
GLUON: Final = 21
BEFORE_HADRONS: Final = (71, 72)
"""Pythia's status of partons that hadrons are made of."""
MIN_PARTON_PT_GEV: Final = 1.0


class Kind(enum.IntEnum):
    """What a generated object is."""

    HADRON = 0
    PARTON = 1
    LEPTON = 2
    TAU = 3


@dataclass(frozen=True, slots=True)
class Objects:
    """Generated objects of ``n_events`` collisions, one collision after the other.

    Attributes:
        offsets: Collision ``i`` owns objects ``offsets[i]:offsets[i + 1]``.
        pt_gev: Transverse momentum; of taus without neutrinos.
        eta: Pseudorapidity.
        phi_rad: Azimuth.
        kind: Code of :class:`Kind`.
        pdg: Of hadrons the heavy quark (5 or 4), of others the PDG code with its sign.
    """

    offsets: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float32]
    eta: npt.NDArray[np.float32]
    phi_rad: npt.NDArray[np.float32]
    kind: npt.NDArray[np.int8]
    pdg: npt.NDArray[np.int8]

    @staticmethod
    def none(events: int) -> "Objects":
        """Return collisions without any object."""
        floats, codes = np.zeros(0, np.float32), np.zeros(0, np.int8)
        return Objects(np.zeros(events + 1, np.int64), floats, floats, floats, codes, codes)

    def select(self, events: npt.NDArray[np.intp]) -> "Objects":
        """Return those of the collisions of the given numbers, in that order."""
        index, offsets = rows_between(self.offsets, events)
        rest = (getattr(self, field.name)[index] for field in fields(self)[1:])
        return Objects(offsets, *rest)

    @staticmethod
    def concatenate(parts: Sequence["Objects"]) -> "Objects":
        """Join collisions in order."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        names = [field.name for field in fields(Objects)[1:]]
        joined = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return Objects(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), *joined)


class _Record:
    """Pythia's record of one collision, as lists."""

    def __init__(self, record: Any) -> None:
        self.pdg = record.id.to_numpy()
        self.status = record.status.to_numpy()
        self.mother = record.mother1.to_numpy()
        self.first = record.daughter1.to_numpy()
        self.last = record.daughter2.to_numpy()
        momentum = (record.p[name].to_numpy() for name in ("px", "py", "pz"))
        self.p = np.stack(list(momentum), axis=1)

    def daughters(self, i: int) -> npt.NDArray[np.int64]:
        """Return the places of what a particle decayed to."""
        first, last = int(self.first[i]), int(self.last[i])
        return np.arange(first, last + 1) if 0 < first <= last else np.arange(first, first)

    def origin(self, i: int) -> int:
        """Return the absolute code of what a particle comes from, copies of itself passed by."""
        mother = int(self.mother[i])
        while mother > 0 and self.pdg[mother] == self.pdg[i]:
            mother = int(self.mother[mother])
        return abs(int(self.pdg[mother]))


def _quark_of(pdg: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the heaviest quark of hadrons by their codes; 0 for what is none."""
    size = np.abs(pdg).astype(np.int64)
    digits = (size // 10 % 10, size // 100 % 10, size // 1000 % 10)
    is_hadron = (digits[0] > 0) & (digits[1] > 0) & (size > 100)
    return np.where(is_hadron, np.maximum.reduce(digits), 0)


def find_objects(batch: Any) -> Objects:
    """Return the objects of a batch of collisions.

    Heavy hadrons are those that decay to none of the same quark; partons are those right before
    hadrons are formed.

    Args:
        batch: Record of ``Pythia.nextBatch``.
    """
    found = [list(_objects(_Record(record))) for record in batch.prt]
    lengths = [len(objects) for objects in found]
    flat = [one for objects in found for one in objects]
    momenta = np.array([p for p, _, _ in flat], np.float64).reshape(-1, 3)
    pt = np.hypot(momenta[:, 0], momenta[:, 1])
    return Objects(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        pt.astype(np.float32),
        np.arcsinh(momenta[:, 2] / np.maximum(pt, 1e-9)).astype(np.float32),
        np.arctan2(momenta[:, 1], momenta[:, 0]).astype(np.float32),
        np.array([kind for _, kind, _ in flat], np.int8),
        np.array([pdg for _, _, pdg in flat], np.int8),
    )


def _objects(record: _Record) -> Iterator[tuple[npt.NDArray[np.float64], Kind, int]]:
    size, quark = np.abs(record.pdg), _quark_of(record.pdg)
    for i in np.flatnonzero((quark == B_QUARK) | (quark == C_QUARK)).tolist():
        if quark[i] not in quark[record.daughters(i)]:
            yield record.p[i], Kind.HADRON, int(quark[i])
    pt = np.hypot(record.p[:, 0], record.p[:, 1])
    is_parton = np.isin(np.abs(record.status), BEFORE_HADRONS) & (pt > MIN_PARTON_PT_GEV)
    for i in np.flatnonzero(is_parton & ((size <= B_QUARK) | (size == GLUON))).tolist():
        yield record.p[i], Kind.PARTON, int(record.pdg[i])
    for i in np.flatnonzero((record.status > 0) & np.isin(size, (ELECTRON, MUON))).tolist():
        if record.origin(i) in (*BOSONS, TAU):
            yield record.p[i], Kind.LEPTON, int(record.pdg[i])
    for i in np.flatnonzero(size == TAU).tolist():
        inside = record.daughters(i)
        products = size[inside]
        if not np.isin(products, (ELECTRON, MUON, TAU)).any() and record.origin(i) in BOSONS:
            visible = record.p[inside[~np.isin(products, NEUTRINOS)]].sum(axis=0)
            yield visible, Kind.TAU, int(record.pdg[i])
