"""Turn candidate columns into beats of words for the RTL, with gaps and faults on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.firmware.rtl.fields import COLUMN_BITS
from l1met_fpga.firmware.rtl.verilated import Mark
from l1met_fpga.models.nodes import Origin
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.vertex import VERTEX, packed, vertex_of

__all__ = ["Beats", "beats_of"]


@dataclass(frozen=True, slots=True)
class Beats:
    """What stands at the input pins, clock by clock.

    Attributes:
        marks: Bits of :class:`Mark`, shape (n_clocks,).
        words: Shape (n_clocks, lanes).
        columns: Shape (n_clocks, lanes, 2), None when words say everything.
        first: Clock of the first beat of each event.
        last: Clock of the last beat of each event.
        vertex: z0 of the vertex at the pins, shape (n_clocks,): an event's with its first beat, its
            complement in all other clocks, which no design may take; None when events have none.
    """

    marks: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint64]
    columns: npt.NDArray[np.uint64] | None
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    vertex: npt.NDArray[np.int16] | None = None


def beats_of(
    candidates: Candidates,
    lanes: int,
    *,
    before: npt.ArrayLike = 0,
    trailing: int = 0,
    z0_origin: Origin = "beam",
) -> Beats:
    """Lay events out back to back.

    Slots after the last candidate of an event are not sent; an event without candidates is one
    beat of zero words.

    Args:
        candidates: Columns, shape (n_events, n_slots).
        lanes: Words per beat.
        before: Idle clocks before each event, one number or shape (n_events,).
        trailing: Idle clocks after the last event.
        z0_origin: What z0 of the candidates counts from; words have it from the beam.

    Raises:
        DataError: If z0 counts from the vertex and the vertices are not there.
    """
    pt = np.asarray(candidates["pt"])
    n_events, n_slots = pt.shape
    filled = np.arange(1, n_slots + 1) * (pt > 0)
    length = np.maximum(1, -(-filled.max(axis=1, initial=0) // lanes)).astype(np.int64)
    gaps = np.broadcast_to(np.asarray(before, dtype=np.int64), (n_events,))
    first = np.cumsum(length + gaps) - length
    last = first + length - 1
    n_clocks = (int(last[-1]) + 1 if n_events else 0) + trailing

    event = np.repeat(np.arange(n_events), length)
    beat = np.arange(len(event)) - np.repeat(np.cumsum(length) - length, length)
    clock = first[event] + beat
    width = -(-n_slots // lanes) * lanes
    padded = {
        name: np.pad(np.asarray(codes), ((0, 0), (0, width - n_slots))).reshape(n_events, -1, lanes)
        for name, codes in candidates.items()
        if name in COLUMNS
    }
    sent = {name: codes[event, beat] for name, codes in padded.items()}
    vertex = None
    if z0_origin == "vertex":
        of_events = vertex_of(candidates)
        sent[VERTEX] = of_events[event]
        vertex = _at_first_beats(of_events[:, 0], first, n_clocks)
    words, has_word = packed(sent, z0_origin=z0_origin)

    all_words = np.zeros((n_clocks, lanes), np.uint64)
    all_words[clock] = words
    marks = np.zeros(n_clocks, np.uint8)
    marks[clock] = Mark.VALID
    marks[first] |= Mark.FIRST
    marks[last] |= Mark.LAST
    columns = None
    if not has_word.all():
        columns = np.zeros((n_clocks, lanes, 2), np.uint64)
        columns[clock] = _raw(sent)
        marks[clock[~has_word.all(axis=1)]] |= Mark.COLUMNS
    return Beats(marks, all_words, columns, first, last, vertex)


def _at_first_beats(
    of_events: npt.NDArray[np.int16], first: npt.NDArray[np.int64], n_clocks: int
) -> npt.NDArray[np.int16]:
    """z0 of vertices with the first beat of their events, and something else in all other clocks."""
    beginning = np.searchsorted(first, np.arange(n_clocks), side="right") - 1
    pins = ~of_events[np.maximum(beginning, 0)] if len(of_events) else np.zeros(n_clocks, np.int16)
    pins[first] = of_events
    return pins


def _raw(sent: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    """128 bits per lane with every column at its own place, as two 64-bit halves."""
    shape = sent["pt"].shape
    halves = np.zeros((*shape, 2), np.uint64)
    for name in set(sent) & set(COLUMNS):
        codes = sent[name]
        width, low = COLUMNS[name].type.width, COLUMN_BITS[name]
        bits = codes.astype(np.int64).view(np.uint64) & np.uint64((1 << width) - 1)
        half, place = divmod(low, 64)
        halves[..., half] |= bits << np.uint64(place)
        if place + width > 64:
            halves[..., half + 1] |= bits >> np.uint64(64 - place)
    return halves
