"""z0 of candidates counted from the primary vertex: what firmware with a vertex input computes.

The word of a candidate has z0 from the origin of the detector. Firmware of a network that reads z0 from
the vertex takes the z0 of an event's vertex, in the same counts, and subtracts it in every lane; what
leaves the ten bits of the column stays at their limit. Neutral candidates, which have no z0, keep 0.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.words import carried_by_words, is_charged, pack

__all__ = ["VERTEX", "from_vertex", "packed", "vertex_counts", "vertex_of"]

VERTEX: Final = "vertex"
"""Name, beside the columns of candidates, of the z0 of vertices: counts, shape (n_events, 1)."""

_Z0: Final = COLUMNS["z0"]
_Counts = npt.NDArray[np.int16]


def vertex_counts(z0_cm: npt.ArrayLike) -> _Counts:
    """Return the z0 of vertices as the firmware takes it; beyond the type's range it stays there."""
    counts = np.rint(np.asarray(z0_cm, np.float64) / _Z0.lsb)
    return np.clip(counts, _Z0.low, _Z0.high).astype(np.int16)


def vertex_of(candidates: Candidates) -> _Counts:
    """Return the z0 of the vertex of each event, shape (n_events, 1).

    Raises:
        DataError: If it is not there, or has another shape.
    """
    shape = (len(candidates["pt"]), 1)
    found = candidates.get(VERTEX)
    if found is None or np.shape(found) != shape:
        got = "nothing" if found is None else f"shape {np.shape(found)}"
        raise DataError(
            f"the network reads z0 from the vertex, so its firmware needs {VERTEX!r}, the z0 of each "
            f"event's vertex in counts of {_Z0.count_unit}, shape {shape}; got {got}"
        )
    return np.asarray(found, np.int16)


def from_vertex(z0: npt.NDArray[Any], pid: npt.NDArray[Any], vertex: npt.NDArray[Any]) -> _Counts:
    """Return z0 counted from the vertex; the three arrays fit one another.

    Args:
        z0: Counts from the origin.
        pid: Particle types.
        vertex: z0 of the vertex of each candidate's event.
    """
    distance = np.clip(z0.astype(np.int64) - vertex, _Z0.low, _Z0.high)
    return np.where(is_charged(pid), distance, 0).astype(np.int16)


def packed(
    candidates: Candidates, *, z0_origin: str = "beam"
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Return the words of candidates, and which candidates words can carry.

    Args:
        candidates: Columns, shape (n_events, n_slots); missing ones are zero. With z0 from the
            vertex also :data:`VERTEX`.
        z0_origin: What their z0 counts from; that of words counts from the beam.

    Returns:
        Words, zero in empty slots and where a candidate has none; and where it has one, or is empty.

    Raises:
        DataError: As :func:`vertex_of`.
    """
    zeros = np.zeros_like(np.asarray(candidates["pt"]))
    columns = {name: np.asarray(candidates.get(name, zeros)) for name in COLUMNS}
    empty, reached = columns["pt"] == 0, np.ones(zeros.shape, np.bool_)
    if z0_origin == "vertex":
        columns["z0"], reached = _before_vertex(columns, vertex_of(candidates))
    carried = carried_by_words(columns) & reached & ~empty
    words = pack({name: np.where(carried, codes, 0) for name, codes in columns.items()})
    return words, carried | empty


def _before_vertex(
    columns: Mapping[str, npt.NDArray[Any]], vertex: _Counts
) -> tuple[_Counts, npt.NDArray[np.bool_]]:
    """Return z0 from the beam that gives a z0 from the vertex, and where there is one.

    A distance at its limit is made from the z0 that is farthest beyond it.
    """
    distance = columns["z0"].astype(np.int64)
    z0 = distance + vertex
    at_high, at_low = distance == _Z0.high, distance == _Z0.low
    z0 = np.where(at_high & (z0 <= _Z0.high), _Z0.high, z0)
    z0 = np.where(at_low & (z0 >= _Z0.low), _Z0.low, z0)
    z0 = np.where(is_charged(columns["pid"]), z0, distance)
    reached = (z0 >= _Z0.low) & (z0 <= _Z0.high)
    return np.where(reached, z0, 0).astype(np.int16), reached
