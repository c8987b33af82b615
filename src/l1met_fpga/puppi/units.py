"""Physical values to hardware counts and back, by the rules of CMSSW.

Source: ``l1ct::Scales`` and ``l1ct::ParticleID`` in CMSSW
``DataFormats/L1TParticleFlow/interface/datatypes.h``. CMSSW divides in single precision and
rounds halves away from zero; so does this module, so that equal floats give equal counts.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import (
    MAX_PUPPI_WEIGHT,
    PHI_COUNTS_PER_TURN,
    STORED_COLUMNS,
    ParticleId,
)

__all__ = ["PDG_IDS", "charge_of", "pdg_id_of", "pid_from_pdg_id", "to_counts", "to_values"]

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
_BLOCK: Final = 1 << 15
"""Values per pass; the temporary arrays of one pass stay in the cache."""
_MAX_PDG_ID: Final = max(abs(pdg) for pdg in PDG_IDS.values())
_PID_OF_PDG_ID: Final = np.full(2 * _MAX_PDG_ID + 1, -1, np.int16)
"""pid by pdgId + 211; -1 where there is none."""
_PID_OF_KIND: Final = np.full((_MAX_PDG_ID + 1, 3), -1, np.int16)
"""pid by the absolute value of pdgId and charge + 1; -1 where there is none."""
for _pid, _pdg in PDG_IDS.items():
    _PID_OF_PDG_ID[_pdg + _MAX_PDG_ID] = _pid
    _PID_OF_KIND[abs(_pdg), CHARGES[_pid] + 1] = _pid


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
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        real = np.asarray(values, np.float32)
    result = np.empty(real.shape, np.int16)
    flat, out = real.reshape(-1), result.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        counts = _rounded(name, flat[start : start + _BLOCK])
        # A NaN fails the comparisons.
        if not (
            counts.min() >= STORED_COLUMNS[name].low and counts.max() <= STORED_COLUMNS[name].high
        ):
            raise _refusal(name, flat)
        out[start : start + _BLOCK] = counts
    return result


@np.errstate(over="ignore", invalid="ignore")  # huge values become infinite and are out of range
def _rounded(name: str, real: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if not np.isfinite(real).all():
        return np.full(1, np.nan, np.float32)
    if name == "puppi_weight":
        weights: npt.NDArray[np.float32] = np.rint(real * np.float32(MAX_PUPPI_WEIGHT))
        return weights
    scaled = real / np.float32(STORED_COLUMNS[name].lsb)
    counts: npt.NDArray[np.float32] = np.rint(scaled)
    # rint takes halves to the even neighbour; they go away from zero. The difference is exact.
    rest = scaled - counts
    if (np.abs(rest) == 0.5).any():
        halves = (np.abs(rest) == 0.5) & (np.signbit(rest) == np.signbit(scaled))
        counts += np.where(halves, np.copysign(np.float32(1), scaled), np.float32(0))
    if name == "pt":
        counts = np.minimum(counts, np.float32(STORED_COLUMNS["pt"].high))
    elif name == "phi" and (np.abs(counts) > _HALF_TURN).any():
        far = (np.abs(counts) > _HALF_TURN) & (np.abs(counts) <= PHI_COUNTS_PER_TURN)
        counts -= np.where(far, np.copysign(np.float32(PHI_COUNTS_PER_TURN), counts), 0)
    return counts


def _refusal(name: str, real: npt.NDArray[np.float32]) -> DataError:
    """Say what is wrong with values that have no counts."""
    column = STORED_COLUMNS[name]
    n_bad = int((~np.isfinite(real)).sum())
    if n_bad:
        return DataError(f"column {name} holds {n_bad} NaN or infinite values; they have no counts")
    counts = _rounded(name, real)
    outside = (counts < column.low) | (counts > column.high)
    return DataError(
        f"column {name} holds {real[outside][0]:g} {column.unit} ({int(outside.sum())} values "
        f"out of range); allowed are {column.low * column.lsb:g} to {column.high * column.lsb:g}"
    )


def to_values(name: str, counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the physical values of hardware integers of one column, float64."""
    return np.asarray(counts, np.float64) * STORED_COLUMNS[name].lsb


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
    codes = np.asarray(pdg_id)
    known, small = _small_integers(codes, _MAX_PDG_ID)
    if charge is None:
        result = _PID_OF_PDG_ID[small + _MAX_PDG_ID]
        _refuse_unknown(codes, known, result)
        return result
    kind = np.abs(small)
    _refuse_unknown(codes, known, _PID_OF_PDG_ID[kind + _MAX_PDG_ID])
    charges = np.asarray(charge)
    proper, sign = _small_integers(charges, 1)
    result = np.where(proper, _PID_OF_KIND[kind, sign + 1], np.int16(-1))
    wrong = result < 0
    if wrong.any():
        raise DataError(
            f"charge {charges[wrong].flat[0]:g} of a candidate with pdgId {kind[wrong].flat[0]:g} "
            f"({int(wrong.sum())} in all); 130 and 22 are neutral, 211, 11 and 13 have charge -1 or 1"
        )
    return result


def _small_integers(
    values: npt.NDArray[Any], limit: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int16]]:
    """Return where values are integers up to a limit, and these integers (0 elsewhere)."""
    # The absolute value of the smallest integer of a type does not fit that type.
    inside = (values >= -limit) & (values <= limit)
    integers = np.where(inside, values, 0).astype(np.int16)
    return inside & (integers == values), integers


def _refuse_unknown(
    codes: npt.NDArray[Any], known: npt.NDArray[np.bool_], pid: npt.NDArray[np.int16]
) -> None:
    unknown = ~known | (pid < 0)
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
