"""Events that a Python program holds, as the candidates that a network sees."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.slots import first_slots
from l1met_fpga.errors import DataError
from l1met_fpga.firmware.reference import checked_columns
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.words import unpack

__all__ = ["candidates_of"]

_ALLOWED: Final = (
    "give an awkward array of records or of 64-bit words, a mapping of column names to integers of "
    "shape (n_events, n_slots), or uint64 words of that shape"
)


def candidates_of(events: Any, network: Network) -> Candidates:
    """Return events as padded columns of hardware integers.

    Candidates beyond the network's slots are cut, as everywhere, and a message says how many.

    Args:
        events: An awkward array, one list of candidates per event: records with a field per column,
            or uint64 words. Or columns by name, NumPy integers of shape (n_events, n_slots), zero
            in empty slots. Or uint64 words of that shape.
        network: The network, which says what columns are needed.

    Returns:
        int16, shape (n_events, at most ``network.n_candidates``), of the columns that it reads.

    Raises:
        DataError: If they have another form, a column is missing, or a value is no code of its
            column.
    """
    columns = _words_or_columns(events, network)
    for name, codes in columns.items():
        if codes.dtype.kind not in "iu":
            raise DataError(
                f"column {name!r} holds {codes.dtype}, not integers; columns are hardware counts "
                f"(one of {name!r} is {COLUMNS[name].count_unit or 'a code'}), see docs/conventions.md"
            )
    cut = first_slots(columns, network.n_candidates, of="the events given")
    return {name: c.astype(np.int16) for name, c in checked_columns(network, cut).items()}


def _words_or_columns(events: Any, network: Network) -> dict[str, npt.NDArray[Any]]:
    # An array of awkward can only be given where awkward is loaded.
    awkward = sys.modules.get("awkward")
    if isinstance(events, Mapping):
        given = {name: events[name] for name in _read(network) if name in events}
        if awkward is not None and any(isinstance(c, awkward.Array) for c in given.values()):
            try:
                return _from_awkward(awkward, awkward.zip(given), network)
            except ValueError as err:
                raise DataError(f"the columns are not of the same lengths: {err}") from None
        return _two_dimensional({name: np.asarray(codes) for name, codes in given.items()})
    if awkward is not None and isinstance(events, awkward.Array):
        return _from_awkward(awkward, events, network)
    if isinstance(events, np.ndarray) and events.dtype == np.uint64 and events.ndim == 2:
        return _of_words(events, network)
    what = f"{events.dtype} {events.shape}" if isinstance(events, np.ndarray) else type(events)
    raise DataError(f"cannot take {what} for events; {_ALLOWED}")


def _from_awkward(awkward: Any, events: Any, network: Network) -> dict[str, npt.NDArray[Any]]:
    told = str(events.type)
    if events.ndim != 2 or "?" in told or "option[" in told:
        raise DataError(
            f"cannot take awkward events of type {told}; every event needs one list of candidates, "
            f"without missing values: {_ALLOWED}"
        )
    filled = _filled_slots(awkward.to_numpy(awkward.num(events, axis=1)))
    if events.fields:
        names = [name for name in _read(network) if name in events.fields]
        return {name: _padded(awkward, events[name], filled) for name in names}
    words = _padded(awkward, events, filled)
    if words.dtype != np.uint64:
        raise DataError(f"cannot take lists of {words.dtype} for events; {_ALLOWED}")
    return _of_words(words, network)


def _of_words(words: npt.NDArray[np.uint64], network: Network) -> dict[str, npt.NDArray[Any]]:
    if network.reads_vertex:
        raise DataError(
            f"words have z0 from the beam, network {network.name!r} reads it from the vertex; give "
            "columns with that z0 (l1met_fpga.puppi.vertex.from_vertex)"
        )
    return _only_read(unpack(words), network)


def _filled_slots(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return np.arange(counts.max(initial=0)) < counts[:, None]


def _padded(awkward: Any, lists: Any, filled: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    values = awkward.to_numpy(awkward.flatten(lists, axis=1))
    result = np.zeros(filled.shape, values.dtype)
    result[filled] = values
    return result


def _two_dimensional(columns: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    for name, codes in columns.items():
        if codes.ndim != 2:
            raise DataError(f"column {name!r} has shape {codes.shape}; {_ALLOWED}")
    return columns


def _only_read(
    columns: Mapping[str, npt.NDArray[Any]], network: Network
) -> dict[str, npt.NDArray[Any]]:
    return {name: columns[name] for name in _read(network)}


def _read(network: Network) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*network.columns, "pt")))
