"""PUPPI word streams: 64-bit words with one header per event."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.quantize import clean, located
from l1met_fpga.puppi.stream import read_word_stream
from l1met_fpga.puppi.words import unpack

__all__ = ["read_words"]

_WORDS_PER_EVENT = 64
"""Sets how many words make a step; any number gives the same events."""


def read_words(path: Path, events_per_step: int, tally: Counter[str]) -> Iterator[Examples]:
    """Read a word stream in steps; memory does not depend on its size.

    Run, luminosity block and event number are run, orbit and bunch crossing of the header.

    Args:
        path: Word file.
        events_per_step: Approximate number of events per batch.
        tally: Counts what was changed or dropped, and ``error_flag_events``.

    Raises:
        DataError: If the stream is cut or damaged.
    """
    n_events = 0
    for events in read_word_stream(path, words_per_chunk=events_per_step * _WORDS_PER_EVENT):
        with located(f"{path}, events {n_events} to {n_events + events.n_events - 1}"):
            columns = unpack(events.words)
        tally["error_flag_events"] += int(events.error.sum())
        ids = np.stack([events.run, events.orbit, events.bunch_crossing], axis=1)
        n_events += events.n_events
        yield clean(Examples.of(events.counts, columns, ids=ids), tally)
