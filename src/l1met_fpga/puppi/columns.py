"""Columns of an L1 PUPPI candidate as hardware integers: type, unit, meaning.

Source: CMSSW ``DataFormats/L1TParticleFlow/interface/{datatypes,puppi}.h``. A slot with
``pt == 0`` is empty and every column is zero there.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType

__all__ = [
    "COLUMNS",
    "MAX_PUPPI_WEIGHT",
    "N_CANDIDATES",
    "PARTICLE_KINDS",
    "PHI_COUNTS_PER_TURN",
    "PT_FRAC_BITS",
    "PT_LSB_GEV",
    "REQUIRED_COLUMNS",
    "STORED_COLUMNS",
    "TRUTH_COLUMNS",
    "Candidates",
    "Column",
    "ParticleId",
]

Candidates = Mapping[str, npt.NDArray[np.int16]]
"""Column name -> integers, shape (n_events, n_slots); the form every room passes on."""

N_CANDIDATES: Final = 128
"""Slots per event: the final buffer of the layer-2 deregionizer (l1tDeregionizerProducer_cfi)."""
PT_FRAC_BITS: Final = 2
PT_LSB_GEV: Final = 2.0**-PT_FRAC_BITS
ANGLE_LSB_RAD: Final = math.pi / 720
PHI_COUNTS_PER_TURN: Final = 1440
"""phi differences wrap by this, which is not a power of two."""
Z0_LSB_CM: Final = 0.05
MAX_PUPPI_WEIGHT: Final = 256
"""Code of weight 1."""


class ParticleId(enum.IntEnum):
    """Codes of the ``pid`` column (``l1ct::ParticleID``)."""

    NEUTRAL_HADRON = 0
    PHOTON = 1
    HADRON_MINUS = 2
    HADRON_PLUS = 3
    ELECTRON_MINUS = 4
    ELECTRON_PLUS = 5
    MUON_MINUS = 6
    MUON_PLUS = 7


PARTICLE_KINDS: Final[dict[str, tuple[ParticleId, ...]]] = {
    "charged hadron": (ParticleId.HADRON_MINUS, ParticleId.HADRON_PLUS),
    "neutral hadron": (ParticleId.NEUTRAL_HADRON,),
    "photon": (ParticleId.PHOTON,),
    "electron": (ParticleId.ELECTRON_MINUS, ParticleId.ELECTRON_PLUS),
    "muon": (ParticleId.MUON_MINUS, ParticleId.MUON_PLUS),
}
"""Kinds of particles in the order of tables and legends: codes that differ by the charge only."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a candidate.

    Attributes:
        name: Column name in every store and model input.
        type: Integer type of the code (no fraction bits).
        lsb: Value of one count in ``unit``.
        unit: Physical unit, empty for codes and fractions.
        low: Smallest code that has a meaning.
        high: Largest code that has a meaning.
    """

    name: str
    type: FixedType
    lsb: float
    unit: str
    low: int
    high: int

    @property
    def count_unit(self) -> str:
        """What one count of the hardware's word is, as stores record it."""
        return f"{self.lsb:.10g} {self.unit}".strip()

    def count_unit_from(self, origin: str) -> str:
        """What one count of z0 is, as stores record it, counted from ``beam`` or ``vertex``."""
        return self.count_unit if origin == "beam" else f"{self.count_unit} from the {origin}"


def _column(name: str, bits: int, *, signed: bool, lsb: float, unit: str, **limits: int) -> Column:
    kind = FixedType(signed, bits - int(signed), 0)
    low = limits.get("low", kind.min_code)
    return Column(name, kind, lsb, unit, low, limits.get("high", kind.max_code))


COLUMNS: Final[dict[str, Column]] = {
    column.name: column
    for column in (
        _column("pt", 14, signed=False, lsb=PT_LSB_GEV, unit="GeV"),
        _column("eta", 12, signed=True, lsb=ANGLE_LSB_RAD, unit=""),
        _column("phi", 11, signed=True, lsb=ANGLE_LSB_RAD, unit="rad", low=-720, high=720),
        _column("pid", 3, signed=False, lsb=1, unit=""),
        _column("puppi_weight", 9, signed=False, lsb=1 / MAX_PUPPI_WEIGHT, unit="", high=256),
        _column("z0", 10, signed=True, lsb=Z0_LSB_CM, unit="cm"),
        _column("dxy", 8, signed=True, lsb=0.05, unit="cm"),
        _column("quality", 3, signed=False, lsb=1, unit=""),
        _column("em_id", 6, signed=False, lsb=1, unit=""),
    )
}
REQUIRED_COLUMNS: Final = ("pt", "eta", "phi", "pid", "puppi_weight")
TRUTH_COLUMNS: Final[dict[str, Column]] = {
    "hard_share": _column("hard_share", 9, signed=False, lsb=1 / 256, unit="", high=256),
}
"""Columns that only a simulation knows; in no word, and no input of a network.

``hard_share`` is the part of a candidate's momentum that comes from the hard collision.
"""
STORED_COLUMNS: Final[dict[str, Column]] = COLUMNS | TRUTH_COLUMNS
"""Columns that a store can hold."""
