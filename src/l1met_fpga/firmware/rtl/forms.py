"""The RTL as forms of the network: candidate columns in, integer codes of px, py out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.reference import HeadCodes
from l1met_fpga.firmware.rtl.design import Design
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark, VerilatedModel
from l1met_fpga.models import network as net
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import PHI_COUNTS_PER_TURN, Candidates

__all__ = ["InterpreterForm", "Latency", "SimulationForm", "measure_latency"]

IntArray = npt.NDArray[np.int64]

EVENTS_PER_CHUNK: Final = 1000
RESET_CLOCKS: Final = 2
MARGIN_CLOCKS: Final = 8


def _chunks(candidates: Candidates, run: Callable[[Candidates], IntArray]) -> IntArray:
    """Run chunks of events in threads (the work is in C++, outside Python's lock)."""
    n_events = len(candidates["pt"])
    parts = [
        {name: np.asarray(codes)[i : i + EVENTS_PER_CHUNK] for name, codes in candidates.items()}
        for i in range(0, n_events, EVENTS_PER_CHUNK)
    ]
    with ThreadPoolExecutor(allowed_processors()) as pool:
        results = list(pool.map(run, parts))
    return np.concatenate(results) if results else np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class InterpreterForm:
    """The traced logic in da4ml's interpreter; products and sums in NumPy.

    Attributes:
        design: The traced design.
    """

    design: Design

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return codes by head."""
        return {self.design.head.name: _chunks(candidates, self._run)}

    def _run(self, candidates: Candidates) -> IntArray:
        design = self.design
        filled = np.asarray(candidates["pt"]) > 0
        rows = {
            name: np.asarray(candidates[name])[filled].astype(np.int64)
            for name in {*design.columns, "pt", "phi"}
        }
        event = np.nonzero(filled)[0]
        outputs = design.phi.run(np.stack([rows[c] for c in design.columns], axis=1))
        momentum = design.projection.run(_projected(design.momentum, rows["pt"], rows["phi"]))

        def pooled(terms: tuple[Any, ...]) -> IntArray:
            sums = np.zeros((len(filled), len(terms)), np.int64)
            for i, term in enumerate(terms):
                value = outputs[:, term.outputs].prod(axis=1)
                if term.kind == "vector":
                    value = value * momentum[:, term.axis]
                np.add.at(sums[:, i], event, value)
            return sums

        vectors = design.vector.run(-pooled(design.vector_terms))
        ports = design.vector.outputs
        if design.rho is not None and design.output is not None:
            coefficients = design.rho.run(pooled(design.event_terms))
            vectors = design.output.run(np.repeat(coefficients, 2, axis=1) * vectors)
            ports = design.output.outputs
        shift = [design.output_port.frac_bits - p.frac_bits if p.width else 0 for p in ports]
        met: IntArray = vectors << np.array(shift)
        return met


def _projected(momentum: net.Momentum, pt: IntArray, phi: IntArray) -> IntArray:
    """Multiply pt with cosine and sine, before rounding, shape (n, 2)."""
    first = np.array(momentum.quadrant_cos, dtype=np.int64)
    turn = np.abs(phi)
    beyond = turn > PHI_COUNTS_PER_TURN // 2
    half = np.where(beyond, PHI_COUNTS_PER_TURN - turn, turn)
    quarter = PHI_COUNTS_PER_TURN // 4
    obtuse = half > quarter
    angle = np.where(obtuse, 2 * quarter - half, half)
    cos = np.where(obtuse, -first[angle], first[angle])
    sin = np.where((phi < 0) ^ beyond, -first[quarter - angle], first[quarter - angle])
    return np.stack([pt * cos, pt * sin], axis=1)


@dataclass(frozen=True)
class SimulationForm:
    """The Verilated top level, events back to back.

    Attributes:
        design: What was generated.
        model: Its compiled simulation.
        words: Global-trigger words of the last call, uint64, shape (n_events,).
    """

    design: Design
    model: VerilatedModel
    words: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return codes by head.

        Raises:
            BitExactnessError: If the firmware gives another number of results than events, or
                flags a protocol error.
        """
        codes = _chunks(candidates, lambda part: self.results(part)[0])
        return {self.design.head.name: codes}

    def results(self, candidates: Candidates) -> tuple[IntArray, npt.NDArray[np.uint64]]:
        """Return codes of px, py and the global-trigger words.

        Raises:
            BitExactnessError: As for a call.
        """
        beats, found = run_events(self.design, self.model, candidates)
        if len(found) != len(beats.first) or found["error"].any():
            raise BitExactnessError(
                f"the RTL gave {len(found)} results ({int(found['error'].sum())} with an error "
                f"flag) for {len(beats.first)} events; the generated logic is wrong"
            )
        return np.stack([found["x"], found["y"]], axis=1).astype(np.int64), found["word"].copy()


def run_events(
    design: Design, model: VerilatedModel, candidates: Candidates, *, before: npt.ArrayLike = 0
) -> tuple[Any, npt.NDArray[Any]]:
    """Reset the design, send events, wait for all words.

    Args:
        design: What was generated.
        model: Its compiled simulation.
        candidates: Columns, shape (n_events, n_slots).
        before: Idle clocks before each event.

    Returns:
        The beats that were sent, and the results.
    """
    drain = design.latency + design.word_clocks + MARGIN_CLOCKS
    gaps = np.zeros(len(candidates["pt"]), np.int64) + np.asarray(before)
    if len(gaps):
        gaps[0] += RESET_CLOCKS
    beats = beats_of(candidates, design.lanes, before=gaps, trailing=drain)
    beats.marks[:RESET_CLOCKS] = Mark.RESET
    found, _ = model.run(beats.marks, beats.words, beats.columns)
    return beats, found


@dataclass(frozen=True, slots=True)
class Latency:
    """Clocks measured in the simulation.

    Attributes:
        from_first_word: First word of a full event to px, py.
        from_last_word: Last word to px, py.
        to_word: Last word to the global-trigger word.
        interval: Between results of full events sent back to back.
    """

    from_first_word: int
    from_last_word: int
    to_word: int
    interval: int


def measure_latency(design: Design, model: VerilatedModel) -> Latency:
    """Measure with full events, back to back.

    Raises:
        BitExactnessError: If events take different times.
    """
    from l1met_fpga.puppi.columns import REQUIRED_COLUMNS

    shape = (4, design.network.n_candidates)
    candidates = {name: np.zeros(shape, np.int16) for name in REQUIRED_COLUMNS}
    candidates["pt"][:] = 40
    candidates["pid"][:] = 2
    candidates["puppi_weight"][:] = 256
    beats, found = run_events(design, model, candidates)
    figures = {
        "from_first_word": found["cycle"] - beats.first,
        "from_last_word": found["cycle"] - beats.last,
        "to_word": found["word_cycle"] - beats.last,
        "interval": np.diff(found["cycle"]),
    }
    for name, clocks in figures.items():
        if len(np.unique(clocks)) != 1:
            raise BitExactnessError(f"{name} differs from event to event: {clocks.tolist()} clocks")
    return Latency(**{name: int(clocks[0]) for name, clocks in figures.items()})
