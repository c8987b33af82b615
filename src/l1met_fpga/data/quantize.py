"""Rules that turn what a source holds into candidates as the firmware sees them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_BEFORE_CUT, VERTEX
from l1met_fpga.data.splits import mix64
from l1met_fpga.data.truth import GEN_MET, vertex_cm
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES, PHI_COUNTS_PER_TURN, PT_LSB_GEV, STORED_COLUMNS
from l1met_fpga.puppi.units import to_counts
from l1met_fpga.puppi.words import is_charged

__all__ = [
    "agreeing",
    "clean",
    "count_full_slots",
    "from_hardware",
    "from_physical",
    "located",
    "where_defined",
]

Columns = dict[str, npt.NDArray[np.int16]]


@contextmanager
def located(where: str) -> Iterator[None]:
    """Put the place in front of the message of a data error."""
    try:
        yield
    except DataError as err:
        raise DataError(f"{where}: {err}") from None


def from_physical(
    values: Mapping[str, npt.NDArray[np.floating]],
    pid: npt.NDArray[np.int16],
    tally: Counter[str],
) -> Columns:
    """Turn GeV, rad, cm and fractions into counts by the rules of CMSSW.

    The PUPPI weight of charged candidates is 1 by definition, whatever the source holds.

    Args:
        values: Physical values by column name.
        pid: Codes of the same candidates.
        tally: Counts ``charged_weights_reset`` and ``saturated_pt``.

    Raises:
        DataError: If a value is NaN, infinite or outside its column.
    """
    result = {
        name: to_counts(name, real) for name, real in values.items() if name != "puppi_weight"
    }
    if "puppi_weight" in values:
        weight = values["puppi_weight"]
        reset = is_charged(pid) & (weight != 1) & np.isfinite(weight)
        tally["charged_weights_reset"] += int(reset.sum())
        result["puppi_weight"] = to_counts("puppi_weight", np.where(reset, 1, weight))
    if "pt" in values:
        top = STORED_COLUMNS["pt"].high * PT_LSB_GEV
        tally["saturated_pt"] += int((values["pt"] > top).sum())
    return result


def where_defined(
    name: str, values: npt.NDArray[Any], pid: npt.NDArray[np.int16]
) -> npt.NDArray[Any]:
    """Clear properties of tracks for neutral candidates, and of clusters for charged ones.

    A candidate word has no room for them; sources fill them with zeros or with arbitrary bits.
    """
    if name in ("z0", "dxy", "quality"):
        return np.where(is_charged(pid), values, 0)
    if name == "em_id":
        return np.where(is_charged(pid), 0, values)
    return values


def from_hardware(name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    """Check hardware integers (also when stored as floats) and return them as int16.

    Raises:
        DataError: If a value is no integer or outside the column's type.
    """
    column = STORED_COLUMNS[name]
    # A NaN fails both comparisons, so it counts as bad.
    good = (values >= column.low) & (values <= column.high)
    if values.dtype.kind == "f":
        good &= values == np.rint(values)
    if not good.all():
        bad = values[~good]
        raise DataError(
            f"hardware column {name} holds {bad[0]} ({bad.size} values outside its type); allowed "
            f"are integers from {column.low} to {column.high}"
        )
    return values.astype(np.int16)


def count_full_slots(counts: npt.NDArray[np.int64], n_slots: int, tally: Counter[str]) -> None:
    """Count events that may have lost candidates to a source with fewer slots than the hardware.

    Args:
        counts: Candidates per event.
        n_slots: Slots that the source has for each event.
        tally: Counts ``full_slot_events``.
    """
    if n_slots < N_CANDIDATES:
        tally["full_slot_events"] += int((counts == n_slots).sum())


def clean(events: Examples, tally: Counter[str]) -> Examples:
    """Apply what holds for candidates of every source.

    - Candidates whose pt rounds to zero are empty slots and are removed.
    - A vertex that cannot be one is none.
    - An event without luminosity block and number, or with the same as all others, is identified
      by its content.

    Args:
        events: As read.
        tally: Counts ``zero_pt_candidates``, ``empty_events`` and ``vertex_fillers``.
    """
    filled = events.columns["pt"] > 0
    if not filled.all():
        tally["zero_pt_candidates"] += int((~filled).sum())
        events = events.select_rows(filled)
    tally["empty_events"] += int((events.counts == 0).sum())
    besides = {N_BEFORE_CUT: events.counts, **events.besides}
    if VERTEX in besides:
        besides[VERTEX] = vertex_cm(besides[VERTEX], tally)
    return replace(events, besides=besides, ids=_identities(events))


def _identities(events: Examples) -> npt.NDArray[np.uint64]:
    ids = events.ids
    anonymous = (ids[:, 1] == 0) & (ids[:, 2] == 0)
    if len(events) > 1 and (ids == ids[0]).all():
        anonymous[:] = True  # a number that every event has is no number
    if not anonymous.any():
        return ids
    ids = ids.copy()
    ids[anonymous, 2] = _content_hash(events)[anonymous]
    return ids


def _content_hash(events: Examples) -> npt.NDArray[np.uint64]:
    """Hash the candidates and the true vector of each event, whatever the slots' order."""
    state = np.zeros(events.n_rows, np.uint64)
    for name in ("pt", "eta", "phi", "pid"):
        state = mix64(state ^ events.columns[name].astype(np.int64).view(np.uint64))
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(state)])
    candidates = total[events.row_splits[1:]] - total[events.row_splits[:-1]]
    vector = events.truth.get(GEN_MET, np.zeros((len(events), 2)))
    vector = np.nan_to_num(vector).astype(np.float32).astype(np.float64)
    return mix64(candidates ^ mix64(vector[:, 0].view(np.uint64)) ^ vector[:, 1].view(np.uint64))


def agreeing(
    name: str, hardware: npt.NDArray[np.int16], physical: npt.NDArray[np.int16]
) -> npt.NDArray[np.int16]:
    """Return hardware counts after comparing them with those of the physical values.

    Raises:
        DataError: If any differs by more than one count.
    """
    difference = np.abs(hardware.astype(np.int32) - physical)
    if name == "phi":  # +pi and -pi are the same direction
        difference = np.minimum(difference, PHI_COUNTS_PER_TURN - difference)
    wrong = difference > 1
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f"hardware column {name} disagrees with its physical values in {int(wrong.sum())} "
            f"candidates (first: {hardware[first]} counts, off by {difference[first]}); leave out "
            "`hardware` in a branch map of your own to use the physical values"
        )
    return hardware
