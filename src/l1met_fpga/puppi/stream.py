"""Files of L1 PUPPI words: one header word per event, then that many candidate words.

All words are little-endian and 64 bits wide. Header of the L1 scouting "Native64" format: bits
63:62 = 0b10, 61 error flag, 60:56 run, 55:24 orbit, 23:12 bunch crossing, 11:8 zero, 7:0 number
of candidate words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path
from l1met_fpga.puppi.columns import N_CANDIDATES

__all__ = ["MAX_WORDS_PER_EVENT", "Header", "WordEvents", "read_word_stream", "write_word_stream"]

MAX_WORDS_PER_EVENT: Final = 208
"""Largest event that the scouting format allows (the count field could hold 255)."""

_MARK: Final = 0b10
_MARK_BIT: Final = 62


@dataclass(frozen=True, slots=True)
class Header:
    """One field of an event header."""

    name: str
    lowest_bit: int
    width: int

    def get(self, headers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Cut the field out of header words."""
        return (headers >> np.uint64(self.lowest_bit)) & np.uint64((1 << self.width) - 1)

    def put(self, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Place values into otherwise empty header words.

        Raises:
            DataError: If a value needs more bits than the field has.
        """
        if values.size and int(values.max()) >> self.width:
            raise DataError(
                f"{self.name} {int(values.max())} does not fit the {self.width} bits of the event "
                "header"
            )
        return values << np.uint64(self.lowest_bit)


_COUNT: Final = Header("number of words", 0, 8)
_RESERVED: Final = Header("reserved bits 11:8", 8, 4)
_BUNCH_CROSSING: Final = Header("bunch crossing", 12, 12)
_ORBIT: Final = Header("orbit", 24, 32)
_RUN: Final = Header("run", 56, 5)
_ERROR: Final = Header("error flag", 61, 1)


@dataclass(frozen=True, slots=True)
class WordEvents:
    """Consecutive events of a stream.

    Attributes:
        words: Candidate words of all events one after the other, without headers, uint64.
        counts: Candidate words per event, int64, shape (n_events,).
        run: Run number of the header (its 5 bits), uint64, shape (n_events,).
        orbit: LHC orbit, uint64, shape (n_events,).
        bunch_crossing: Bunch crossing, uint64, shape (n_events,).
        error: Error flag of the header, bool, shape (n_events,).
    """

    words: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    run: npt.NDArray[np.uint64]
    orbit: npt.NDArray[np.uint64]
    bunch_crossing: npt.NDArray[np.uint64]
    error: npt.NDArray[np.bool_]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.counts)

    def padded(self, n_slots: int = N_CANDIDATES) -> npt.NDArray[np.uint64]:
        """Return the first ``n_slots`` words of each event, zero behind the last.

        Words beyond ``n_slots`` are left out; ``counts`` tells for which events.

        Returns:
            uint64, shape (n_events, n_slots).
        """
        starts = np.cumsum(self.counts) - self.counts
        slot = np.arange(n_slots)
        filled = slot < self.counts[:, None]
        result = np.zeros(filled.shape, np.uint64)
        result[filled] = self.words[(starts[:, None] + slot)[filled]]
        return result


def read_word_stream(path: Path, *, words_per_chunk: int = 1 << 17) -> Iterator[WordEvents]:
    """Read a word file in chunks of whole events.

    Memory depends on ``words_per_chunk`` and not on the file.

    Args:
        path: Word file.
        words_per_chunk: Words read at once, at least one event's worth.

    Yields:
        Consecutive events, in file order; every event once.

    Raises:
        DataError: If the file is missing or empty, its size is not a multiple of 8 bytes, it does
            not begin with a header, a header's count disagrees with the words up to the next
            header, or the last event is cut.
    """
    words_per_chunk = max(words_per_chunk, 1 << _COUNT.width)
    n_words = _file_words(path)
    n_events, n_read = 0, 0
    rest = np.empty(0, np.uint64)
    with path.open("rb") as file:
        while block := file.read(8 * words_per_chunk):
            words = np.concatenate([rest, np.frombuffer(block, "<u8")])
            n_read += len(block) // 8
            at_end = n_read >= n_words
            events, used = _split(words, path, n_read - len(words), n_events, at_end=at_end)
            rest = words[used:]
            n_events += events.n_events
            if events.n_events:
                yield events


def _file_words(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as err:
        raise DataError(
            f"cannot read the word file {path}: {err.strerror}; check the path"
        ) from None
    if size == 0:
        raise DataError(f"{path} is empty; a word stream holds at least one event header")
    if size % 8:
        raise DataError(
            f"{path} has {size} bytes, not a multiple of 8: a 64-bit word is cut in the middle; "
            "copy the file again"
        )
    return size // 8


def _split(
    words: npt.NDArray[np.uint64], path: Path, first_word: int, first_event: int, *, at_end: bool
) -> tuple[WordEvents, int]:
    """Return the whole events at the beginning of ``words`` and how many words they take."""
    # Candidate words have zeros in bits 63:61, so headers can be found without following counts.
    positions = np.flatnonzero(words >> np.uint64(_MARK_BIT) == _MARK)
    if words.size and (positions.size == 0 or positions[0] != 0):
        raise DataError(
            f"{path}, word {first_word}: expected an event header (bits 63:62 = 0b10), got {int(words[0]):#018x}; "
            "this is not a PUPPI word stream or it lost its place"
        )
    headers = words[positions]
    counts = _COUNT.get(headers).astype(np.int64)
    found = np.diff(positions, append=words.size) - 1
    whole = counts == found
    if not at_end and positions.size:
        # The last event may go on in the next chunk, or end exactly here.
        whole[-1] = counts[-1] >= found[-1]
    if not whole.all():
        wrong = int(np.argmin(whole))
        raise DataError(
            f"{path}, word {first_word + positions[wrong]}: the header of event {first_event + wrong} promises "
            f"{counts[wrong]} words, {_what_follows(wrong, found, at_end=at_end)}"
        )
    reserved = _RESERVED.get(headers)
    if reserved.any():
        wrong = int(np.argmax(reserved != 0))
        raise DataError(
            f"{path}, word {first_word + positions[wrong]}: the header of event {first_event + wrong} is "
            f"{int(headers[wrong]):#018x}; its bits 11:8 must be zero"
        )
    n_whole = len(counts) - int(not at_end and positions.size > 0 and counts[-1] > found[-1])
    used = int(positions[n_whole]) if n_whole < len(positions) else words.size
    inside = np.ones(used, dtype=bool)
    inside[positions[:n_whole]] = False
    headers = headers[:n_whole]
    events = WordEvents(
        words=words[:used][inside],
        counts=counts[:n_whole],
        run=_RUN.get(headers),
        orbit=_ORBIT.get(headers),
        bunch_crossing=_BUNCH_CROSSING.get(headers),
        error=_ERROR.get(headers).astype(bool),
    )
    return events, used


def _what_follows(wrong: int, found: npt.NDArray[np.int64], *, at_end: bool) -> str:
    if at_end and wrong == len(found) - 1:
        return f"but {found[wrong]} follow until the end of the file; the stream is cut or damaged"
    return f"but {found[wrong]} follow until the next header; the stream is damaged"


def write_word_stream(path: Path, chunks: Iterable[WordEvents]) -> int:
    """Write a word file; the inverse of :func:`read_word_stream`.

    Args:
        path: File to make or replace; it appears only when it is complete.
        chunks: Events in the order of the file.

    Returns:
        Number of events written.

    Raises:
        DataError: If an event has more than 208 words or a header field does not fit its bits.
    """
    n_events = 0
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for events in chunks:
            file.write(_with_headers(events, n_events).astype("<u8").tobytes())
            n_events += events.n_events
    return n_events


def _with_headers(events: WordEvents, first_event: int) -> npt.NDArray[np.uint64]:
    too_long = events.counts > MAX_WORDS_PER_EVENT
    if too_long.any():
        wrong = int(np.argmax(too_long))
        raise DataError(
            f"event {first_event + wrong} has {int(events.counts[wrong])} words; the format holds "
            f"at most {MAX_WORDS_PER_EVENT}, drop candidates first"
        )
    headers = np.full(events.n_events, _MARK << _MARK_BIT, np.uint64)
    headers |= _COUNT.put(events.counts.astype(np.uint64))
    headers |= _BUNCH_CROSSING.put(events.bunch_crossing)
    headers |= _ORBIT.put(events.orbit)
    headers |= _RUN.put(events.run)
    headers |= _ERROR.put(events.error.astype(np.uint64))
    starts = np.cumsum(events.counts) - events.counts
    return np.insert(events.words, starts, headers)
