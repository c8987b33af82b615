"""The 64-bit word of one L1 PUPPI candidate.

Fields from the lowest bit up, as ``l1ct::PuppiObj::pack`` writes them (CMSSW
``DataFormats/L1TParticleFlow/interface/puppi.h``):

===========  ===== ==================================
bits         width field
===========  ===== ==================================
13:0         14    pt
25:14        12    eta, signed
36:26        11    phi, signed
39:37        3     pid
49:40        10    z0, signed (charged candidates)
57:50        8     dxy, signed (charged)
60:58        3     quality (charged)
48:40        9     puppi_weight (neutral candidates)
54:49        6     em_id (neutral)
63:61        3     zero
===========  ===== ==================================

The word of a charged candidate has no PUPPI weight: it is 1 by definition.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT, REQUIRED_COLUMNS, ParticleId

__all__ = [
    "CHARGED_ONLY",
    "LOWEST_BIT",
    "NEUTRAL_ONLY",
    "WORD_BITS",
    "is_charged",
    "pack",
    "unpack",
]

WORD_BITS: Final = 61
"""Used bits of a word; the ones above are zero."""

CHARGED_ONLY: Final = ("z0", "dxy", "quality")
"""Columns that only words of charged candidates hold."""
NEUTRAL_ONLY: Final = ("puppi_weight", "em_id")
"""Columns that only words of neutral candidates hold."""

Words = npt.NDArray[np.uint64]

_BLOCK: Final = 1 << 14
"""Words per pass; the temporary arrays of one pass stay in the cache."""
LOWEST_BIT: Final = {
    "pt": 0,
    "eta": 14,
    "phi": 26,
    "pid": 37,
    "z0": 40,
    "dxy": 50,
    "quality": 58,
    "puppi_weight": 40,
    "em_id": 49,
}
"""Lowest bit of each column in the word."""


def is_charged(pid: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """Return where a ``pid`` code belongs to a charged candidate."""
    return pid >= ParticleId.HADRON_MINUS


def carried_by_words(columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Return which candidates a word can hold without loss.

    Args:
        columns: Every column of :data:`l1met_fpga.puppi.columns.COLUMNS`, equal shapes.
    """
    carried = np.ones(np.shape(columns["pid"]), np.bool_)
    charged = is_charged(columns["pid"])
    for names, lacking in ((NEUTRAL_ONLY, charged), (CHARGED_ONLY, ~charged)):
        for name in names:
            implied = MAX_PUPPI_WEIGHT if name == "puppi_weight" else 0
            carried &= ~lacking | (columns[name] == implied)
    return carried


def unpack(words: Words) -> dict[str, npt.NDArray[np.int16]]:
    """Take candidate words apart.

    Args:
        words: Candidate words (no event headers), uint64, any shape.

    Returns:
        Every column of :data:`l1met_fpga.puppi.columns.COLUMNS`, int16, same shape. Fields that
        the word does not have are zero, except the PUPPI weight of charged candidates (256).

    Raises:
        DataError: If the words are not uint64, or one has a bit above the 61 used ones.
    """
    if words.dtype != np.uint64:
        raise DataError(f"candidate words must be uint64, got an array of {words.dtype}")
    flat = words.reshape(-1)
    if flat.size and int(flat.max()) >> WORD_BITS:
        first = int(np.argmax(flat >> np.uint64(WORD_BITS) != 0))
        raise DataError(
            f"word {first} is {int(flat[first]):#018x}: bits 63:61 of a candidate word are zero; "
            "an event header among candidates means that the stream lost its place"
        )
    result = {name: np.empty(flat.size, np.int16) for name in COLUMNS}
    for start in range(0, flat.size, _BLOCK):
        stop = min(start + _BLOCK, flat.size)
        _unpack_block(flat[start:stop], {k: v[start:stop] for k, v in result.items()})
    return {name: column.reshape(words.shape) for name, column in result.items()}


def _unpack_block(words: Words, out: dict[str, npt.NDArray[np.int16]]) -> None:
    for name, column in out.items():
        column[:] = _field(words, name)
    charged = is_charged(out["pid"])
    for name in CHARGED_ONLY:
        out[name] *= charged
    for name in NEUTRAL_ONLY:
        np.copyto(out[name], MAX_PUPPI_WEIGHT if name == "puppi_weight" else 0, where=charged)


def _field(words: Words, name: str) -> npt.NDArray[np.int16]:
    """Cut a column's field out of each word."""
    kind = COLUMNS[name].type
    bits = (words >> np.uint64(LOWEST_BIT[name])).astype(np.int16)
    if not kind.signed:
        return bits & np.int16(kind.max_code)
    spare = 16 - kind.width
    return (bits << spare) >> spare  # the right shift, arithmetic, extends the sign


def pack(columns: Mapping[str, npt.NDArray[Any]]) -> Words:
    """Put candidate columns into words; the inverse of :func:`unpack`.

    Args:
        columns: Integers by column name, equal shapes. The columns of ``REQUIRED_COLUMNS`` must
            be there, the others count as zero where missing.

    Returns:
        uint64, same shape. An all-zero candidate gives an all-zero word.

    Raises:
        DataError: If a column is missing, has another shape or holds a number outside its type,
            or if a candidate has a value that its word has no room for (``z0`` of a neutral
            one, a PUPPI weight other than 256 of a charged one).
    """
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise DataError(f"cannot pack words without the columns {', '.join(missing)}")
    shape = columns["pt"].shape
    charged = is_charged(columns["pid"])
    words = np.zeros(shape, np.uint64)
    for name in COLUMNS:
        if name not in columns:
            continue
        codes = _checked(name, columns[name], shape)
        if name in CHARGED_ONLY:
            codes = _without(name, codes, ~charged)
        elif name in NEUTRAL_ONLY:
            codes = _without(name, codes, charged)
        bits = codes.astype(np.int64).view(np.uint64) & np.uint64(
            (1 << COLUMNS[name].type.width) - 1
        )
        words |= bits << np.uint64(LOWEST_BIT[name])
    return words


def _checked(name: str, codes: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    kind = COLUMNS[name].type
    if codes.shape != shape:
        raise DataError(f"column {name} has shape {codes.shape}, pt has {shape}; they must agree")
    if not np.issubdtype(codes.dtype, np.integer):
        raise DataError(f"column {name} must hold integers, got an array of {codes.dtype}")
    outside = (codes < kind.min_code) | (codes > kind.max_code)
    if outside.any():
        raise DataError(
            f"column {name} holds {int(codes[outside].flat[0])} ({int(outside.sum())} values outside "
            f"its type); its {kind.width} bits allow {kind.min_code} to {kind.max_code}"
        )
    return codes


def _without(name: str, codes: npt.NDArray[Any], absent: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Clear a column where the word lacks its field; refuse values that would be lost."""
    implied = MAX_PUPPI_WEIGHT if name == "puppi_weight" else 0
    lost = absent & (codes != implied)
    if lost.any():
        kind = "neutral" if name in CHARGED_ONLY else "charged"
        raise DataError(
            f"column {name} is {int(codes[lost].flat[0])} for a {kind} candidate ({int(lost.sum())} "
            f"in all); its 64-bit word has no such field and means {implied}"
        )
    return np.where(absent, 0, codes)
