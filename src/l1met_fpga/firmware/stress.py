"""Generated events at the edges of every type, for the bit-exactness check."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import (
    COLUMNS,
    MAX_PUPPI_WEIGHT,
    N_CANDIDATES,
    REQUIRED_COLUMNS,
    Candidates,
    ParticleId,
)
from l1met_fpga.puppi.words import CHARGED_ONLY, NEUTRAL_ONLY, is_charged

__all__ = ["STRESS_KINDS", "as_words_carry", "random_events", "stress_events"]

Event = dict[str, npt.NDArray[np.int16]]
PHI_EDGES: Final = (-720, -719, -361, -360, -359, -1, 0, 1, 359, 360, 361, 719, 720)
WEIGHT_EDGES: Final = (0, 1, 255, 256, 257, 511)
_WHOLE: Final = ("pid", "puppi_weight")
"""Columns whose small codes are no smaller numbers."""


def stress_events(
    rng: np.random.Generator,
    *,
    n_random: int = 500,
    n_slots: int = N_CANDIDATES,
    columns: tuple[str, ...] = REQUIRED_COLUMNS,
) -> Candidates:
    """Return events that real samples hardly reach.

    Empty event; one candidate in the first, a middle and the last slot; all slots at the largest
    pt (one direction, opposite directions, each particle type); every particle type; phi at the
    wrap and at each quadrant edge; weights at their edges; every column at its smallest and
    largest code; opposite candidates that cancel, or all but a count; sums of pt around every power
    of two; every code of every column; gaps between filled slots; and codes drawn evenly over the
    full range of every column's type.

    Args:
        rng: Source of the random events.
        n_random: Number of events of each random kind.
        n_slots: Slots per event.
        columns: Columns to fill.

    Returns:
        Columns, int16, shape (n_events, n_slots).
    """
    events = [
        {name: codes for name, codes in event.items() if name in columns}
        for kind in STRESS_KINDS.values()
        for event in kind(rng, n_random, n_slots)
    ]
    return {name: np.stack([event[name] for event in events]) for name in columns}


def random_events(
    rng: np.random.Generator, n_events: int, *, n_slots: int, columns: Sequence[str]
) -> Candidates:
    """Return events of random candidates in any slots, most of them with small numbers.

    Each column of each event is drawn from the whole range of its type or from a half, a quarter, ...
    of it around zero, so that the types of a network are filled as well as overrun.

    Args:
        rng: Source of randomness.
        n_events: Events.
        n_slots: Slots per event.
        columns: Columns to fill; pt is always there.

    Returns:
        Columns, int16, shape (n_events, n_slots).
    """
    shape = (n_events, n_slots)
    filled = rng.random(shape) < rng.random((n_events, 1))
    events = {}
    for name in dict.fromkeys(("pt", *columns)):
        kind = COLUMNS[name].type
        codes = rng.integers(kind.min_code, kind.max_code, shape, np.int16, endpoint=True)
        if name not in _WHOLE:
            codes >>= rng.integers(0, kind.width, (n_events, 1), np.int16)
        events[name] = np.where(filled, codes, 0).astype(np.int16)
    empty = events["pt"] == 0
    return {name: np.where(empty, 0, codes).astype(np.int16) for name, codes in events.items()}


def as_words_carry(events: Candidates) -> Candidates:
    """Return events whose candidates have what their words have no room for as words imply it."""
    charged = is_charged(np.asarray(events["pid"]))
    filled = np.asarray(events["pt"]) > 0
    lacking = dict.fromkeys(CHARGED_ONLY, ~charged) | dict.fromkeys(NEUTRAL_ONLY, charged)
    implied = {"puppi_weight": MAX_PUPPI_WEIGHT}
    return {
        name: np.where(lacking[name] & filled, implied.get(name, 0), codes).astype(np.int16)
        if name in lacking
        else codes
        for name, codes in events.items()
    }


def _event(n_slots: int, *, slots: slice = slice(None), **codes: npt.ArrayLike) -> Event:
    """Return an event whose chosen slots hold the given codes; other columns stay zero."""
    event = {name: np.zeros(n_slots, np.int16) for name in COLUMNS}
    for name, value in codes.items():
        event[name][slots] = value
    return event


def _empty(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    yield _event(n_slots)


def _one_candidate(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    for slot in (0, n_slots // 2, n_slots - 1):
        for pt in (1, 2, 255, 256, COLUMNS["pt"].high):
            one = slice(slot, slot + 1)
            yield _event(n_slots, slots=one, pt=pt, eta=-300, phi=100, pid=1, puppi_weight=200)


def _full_at_maximum(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    pt = COLUMNS["pt"].high
    opposite = np.where(np.arange(n_slots) % 2, 0, 720)
    for pid in ParticleId:
        for phi in (0, 180, 360, 540, -180, -360, -540, 720, opposite):
            yield _event(n_slots, pt=pt, phi=phi, pid=int(pid), puppi_weight=256)


def _types(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    for pid in ParticleId:
        yield _event(n_slots, slots=slice(0, 1), pt=40, eta=50, phi=-70, pid=int(pid))
    pids = np.arange(n_slots) % len(ParticleId)
    yield _event(n_slots, pt=40, eta=np.arange(n_slots), phi=7, pid=pids, puppi_weight=256)


def _phi_edges(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    kind = COLUMNS["phi"].type
    for phi in (*PHI_EDGES, kind.min_code, kind.max_code):
        for pt in (1, 401, COLUMNS["pt"].high):
            yield _event(n_slots, slots=slice(0, 1), pt=pt, phi=phi, pid=3, puppi_weight=256)


def _weight_edges(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    for weight in WEIGHT_EDGES:
        yield _event(n_slots, pt=123, eta=900, phi=-400, pid=0, puppi_weight=weight)


def _column_ends(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    for name, column in COLUMNS.items():
        for code in (column.type.min_code, column.type.max_code):
            event = _event(n_slots, pt=77, eta=-10, phi=33, pid=1, puppi_weight=99)
            event[name][:] = code
            yield event


def _cancelling(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    other = np.arange(n_slots) % 2
    for pt in (1, 100, 4095, COLUMNS["pt"].high):
        for phi in (-720, -540, -360, 1):
            event = _event(n_slots, pt=pt, phi=phi + 720 * other, pid=2 + other, puppi_weight=256)
            yield event
            yield event | {"pt": event["pt"] - (np.arange(n_slots) == 0)}


def _sum_edges(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    largest = COLUMNS["pt"].high
    for bits in range(4, (n_slots * largest).bit_length()):
        for total in range(2**bits - 1, min(2**bits + 1, n_slots * largest) + 1):
            for n_filled in {max(1, -(-total // largest)), n_slots}:
                slots = np.arange(n_slots)
                pt = (slots < n_filled) * (total // n_filled) + (slots < total % n_filled)
                filled = slice(0, np.count_nonzero(pt))
                for phi in (0, 270):
                    codes = {"phi": phi, "pid": 3, "puppi_weight": 256}
                    yield _event(n_slots, slots=filled, pt=pt[filled], **codes)


def _every_code(_rng: np.random.Generator, _n: int, n_slots: int) -> Iterator[Event]:
    for name, column in COLUMNS.items():
        codes = np.arange(column.type.min_code, column.type.max_code + 1)
        for first in range(0, len(codes), n_slots):
            event = _event(n_slots, pt=40, eta=200, phi=-30, pid=1, puppi_weight=200)
            part = codes[first : first + n_slots]
            event[name][: len(part)] = part
            yield event


def _random_codes(rng: np.random.Generator, n_slots: int, filled: npt.NDArray[np.bool_]) -> Event:
    event = {
        name: rng.integers(
            column.type.min_code, column.type.max_code, n_slots, np.int16, endpoint=True
        )
        for name, column in COLUMNS.items()
    }
    return {name: np.where(filled, codes, 0).astype(np.int16) for name, codes in event.items()}


def _gaps(rng: np.random.Generator, n_random: int, n_slots: int) -> Iterator[Event]:
    for _ in range(n_random):
        yield _random_codes(rng, n_slots, rng.random(n_slots) < rng.random())


def _full_range(rng: np.random.Generator, n_random: int, n_slots: int) -> Iterator[Event]:
    for _ in range(n_random):
        yield _random_codes(rng, n_slots, np.ones(n_slots, bool))


STRESS_KINDS: Final[dict[str, Callable[[np.random.Generator, int, int], Iterator[Event]]]] = {
    "empty": _empty,
    "one_candidate": _one_candidate,
    "full_at_maximum": _full_at_maximum,
    "types": _types,
    "phi_edges": _phi_edges,
    "weight_edges": _weight_edges,
    "column_ends": _column_ends,
    "cancelling": _cancelling,
    "sum_edges": _sum_edges,
    "every_code": _every_code,
    "gaps": _gaps,
    "full_range": _full_range,
}
"""Kinds of events, in the order in which :func:`stress_events` makes them."""
