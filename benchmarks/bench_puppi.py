"""Speed of the PUPPI formats on one core: `make bench-puppi` prints the table of the docs."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.emulator import emulate_puppi_met
from l1met_fpga.puppi.stream import WordEvents, read_word_stream, write_word_stream
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.puppi.words import pack, unpack

N_CHUNK_EVENTS = 10_000


def make_chunk(rng: np.random.Generator) -> WordEvents:
    """Return events of about 55 candidates with random fields."""
    counts = np.clip(rng.normal(55, 19, N_CHUNK_EVENTS), 0, 128).astype(np.int64)
    words = rng.integers(0, 1 << 61, int(counts.sum()), dtype=np.uint64)
    words[(words >> np.uint64(37)) & np.uint64(7) < 2] &= np.uint64((1 << 55) - 1)
    none = np.zeros(N_CHUNK_EVENTS, np.uint64)
    return WordEvents(words, counts, none, none, none, none.astype(bool))


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several runs: the others were disturbed."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def read_and_unpack(path: Path) -> int:
    """Read a stream and unpack all of it; return the number of words."""
    return sum(unpack(events.words)["pt"].size for events in read_word_stream(path))


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="events in the word file")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    chunk = make_chunk(np.random.default_rng(0))
    n_words = chunk.words.size
    columns = unpack(chunk.words)
    padded: dict[str, npt.NDArray[np.int16]] = unpack(chunk.padded(N_CANDIDATES))
    rows: list[tuple[str, float, str]] = []

    def measure(what: str, unit: str, amount: float, work: Callable[[], object]) -> None:
        rows.append((what, amount / best_seconds(work, options.repeats), unit))

    measure("unpack", "words", n_words, lambda: unpack(chunk.words))
    measure("pack", "words", n_words, lambda: pack(columns))
    measure("PUPPI MET, float", "events", N_CHUNK_EVENTS, lambda: puppi_met_xy_gev(padded))
    measure(
        "PUPPI MET, CMSSW emulator", "events", N_CHUNK_EVENTS, lambda: emulate_puppi_met(padded)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.dump"
        n_chunks = max(1, options.events // N_CHUNK_EVENTS)
        total = n_chunks * n_words
        measure(
            "write a word file", "words", total, lambda: write_word_stream(path, [chunk] * n_chunks)
        )
        measure(
            "read a word file",
            "words",
            total,
            lambda: sum(e.n_events for e in read_word_stream(path)),
        )
        measure("read and unpack a word file", "words", total, lambda: read_and_unpack(path))
    console = Console(width=120)
    console.print("| what | millions per second, one core |\n|---|---|")
    for what, rate, unit in rows:
        console.print(f"| {what} | {rate / 1e6:.2f} {unit} |", highlight=False)


if __name__ == "__main__":
    main()
