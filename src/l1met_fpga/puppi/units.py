"""Physical values to hardware counts and back, by the rules of CMSSW.

Source: ``l1ct::Scales`` and ``l1ct::ParticleID`` in CMSSW
``DataFormats/L1TParticleFlow/interface/datatypes.h``. CMSSW divides in single precision and
rounds halves away from zero; so does this module, so that equal floats give equal counts.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT, PHI_COUNTS_PER_TURN, ParticleId

__all__ = ["charge_of", "pdg_id_of", "pid_from_pdg_id", "to_counts", "to_values"]

PDG_IDS: Final[dict[ParticleId, int]] = {
    ParticleId.NEUTRAL_HADRON: 130,
    ParticleId.PHOTON: 22,
    ParticleId.HADRON_MINUS: -211,
    ParticleId.HADRON_PLUS: 211,
    ParticleId.ELECTRON_MINUS: 11,
    ParticleId.ELECTRON_PLUS: -11,
    ParticleId.MUON_MINUS: 13,
    ParticleId.MUON_PLUS: -13,
}
CHARGES: Final = np.array([0, 0, -1, 1, -1, 1, -1, 1], np.int16)
_PDG_TABLE: Final = np.array([PDG_IDS[pid] for pid in ParticleId], np.int16)
_HALF_TURN: Final = PHI_COUNTS_PER_TURN // 2


def to_counts(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """Turn physical values of one column into hardware integers.

    ``pt`` stops at 4095.75 GeV as ``l1ct::pt_t`` does; ``phi`` up to one turn from zero is
    brought to -720 to 720; ``puppi_weight`` is rounded half to even as ``l1ct::puppiWgt_t``.

    Args:
        name: Column name.
        values: In the column's unit (GeV, rad, cm, fraction), any shape.

    Returns:
        Counts, int16, same shape.

    Raises:
        DataError: If a value is NaN, infinite, or outside what the column can hold.
    """
    column = COLUMNS[name]
    real = np.asarray(values, np.float32)
    if not np.isfinite(real).all():
        n_bad = int((~np.isfinite(real)).sum())
        raise DataError(f"column {name} holds {n_bad} NaN or infinite values; they have no counts")
    if name == "puppi_weight":
        counts = np.rint(real.astype(np.float64) * MAX_PUPPI_WEIGHT)
    else:
        scaled = (real / np.float32(column.lsb)).astype(np.float64)
        counts = np.trunc(scaled + np.copysign(0.5, scaled))
    if name == "pt":
        counts = np.minimum(counts, column.high)
    elif name == "phi":
        far = (np.abs(counts) > _HALF_TURN) & (np.abs(counts) <= PHI_COUNTS_PER_TURN)
        counts = np.where(far, counts - np.copysign(PHI_COUNTS_PER_TURN, counts), counts)
    outside = (counts < column.low) | (counts > column.high)
    if outside.any():
        raise DataError(
            f"column {name} holds {real[outside].flat[0]:g} {column.unit} ({int(outside.sum())} values "
            f"out of range); allowed are {column.low * column.lsb:g} to {column.high * column.lsb:g}"
        )
    return counts.astype(np.int16)


def to_values(name: str, counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the physical values of hardware integers of one column, float64."""
    return np.asarray(counts, np.float64) * COLUMNS[name].lsb


def pid_from_pdg_id(
    pdg_id: npt.ArrayLike, charge: npt.ArrayLike | None = None
) -> npt.NDArray[np.int16]:
    """Turn PDG codes into ``pid`` codes.

    Args:
        pdg_id: 130, 22, +-211, +-11, +-13; integers, also when stored as floats.
        charge: If given, the sign of charged candidates comes from here and the sign of
            ``pdg_id`` is ignored (some files hold only the absolute value).

    Returns:
        int16, same shape.

    Raises:
        DataError: If a code is unknown, or a charge is not that of its kind.
    """
    codes = np.asarray(pdg_id, np.float64)
    if charge is not None:
        return _pid_from_kind(np.abs(codes), np.asarray(charge, np.float64))
    result = np.full(codes.shape, -1, np.int16)
    for pid, pdg in PDG_IDS.items():
        result[codes == pdg] = pid
    _refuse_unknown(codes, result < 0)
    return result


def _pid_from_kind(
    kind: npt.NDArray[np.float64], charge: npt.NDArray[np.float64]
) -> npt.NDArray[np.int16]:
    result = np.full(kind.shape, -1, np.int16)
    for pid, pdg in PDG_IDS.items():
        result[(kind == abs(pdg)) & (charge == CHARGES[pid])] = pid
    known = np.isin(kind, np.abs(_PDG_TABLE))
    _refuse_unknown(kind, ~known)
    wrong = known & (result < 0)
    if wrong.any():
        raise DataError(
            f"charge {charge[wrong].flat[0]:g} of a candidate with pdgId {kind[wrong].flat[0]:g} "
            f"({int(wrong.sum())} in all); 130 and 22 are neutral, 211, 11 and 13 have charge -1 or 1"
        )
    return result


def _refuse_unknown(codes: npt.NDArray[np.float64], unknown: npt.NDArray[np.bool_]) -> None:
    if unknown.any():
        raise DataError(
            f"unknown particle code {codes[unknown].flat[0]:g} ({int(unknown.sum())} in all); L1 PUPPI "
            f"has {', '.join(str(pdg) for pdg in PDG_IDS.values())}"
        )


def pdg_id_of(pid: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the PDG code of each ``pid`` code."""
    return _PDG_TABLE[pid]


def charge_of(pid: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the electric charge of each ``pid`` code."""
    return CHARGES[pid]
