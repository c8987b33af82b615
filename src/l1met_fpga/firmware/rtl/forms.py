"""The RTL as forms of the network: candidate columns in, integer codes by head out."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.reference import HeadCodes
from l1met_fpga.firmware.rtl.blocks import Port
from l1met_fpga.firmware.rtl.design import Design
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark, VerilatedModel
from l1met_fpga.firmware.score_heads import words_name
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import PHI_COUNTS_PER_TURN, Candidates
from l1met_fpga.puppi.vertex import VERTEX

__all__ = ["InterpreterForm", "Latency", "SimulationForm", "measure_latency"]

IntArray = npt.NDArray[np.int64]

EVENTS_PER_CHUNK: Final = 1000
RESET_CLOCKS: Final = 2
MARGIN_CLOCKS: Final = 8


def _chunks(
    network: Network, candidates: Candidates, run: Callable[[Candidates], HeadCodes]
) -> HeadCodes:
    """Run chunks of events in threads (the work is in C++, outside Python's lock)."""
    n_events = len(candidates["pt"])
    parts = [
        {name: np.asarray(codes)[i : i + EVENTS_PER_CHUNK] for name, codes in candidates.items()}
        for i in range(0, n_events, EVENTS_PER_CHUNK)
    ]
    with ThreadPoolExecutor(allowed_processors()) as pool:
        results = list(pool.map(run, parts))
    if not results:
        return {head.name: np.zeros((0, head.size), np.int64) for head in network.heads}
    return {name: np.concatenate([r[name] for r in results]) for name in results[0]}


@dataclass(frozen=True)
class InterpreterForm:
    """The traced logic in da4ml's interpreter; products and sums in NumPy.

    Attributes:
        design: The traced design.
    """

    design: Design

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return codes by head."""
        return _chunks(self.design.network, candidates, self._run)

    def _run(self, candidates: Candidates) -> HeadCodes:
        design = self.design
        filled = np.asarray(candidates["pt"]) > 0
        rows = {
            name: np.asarray(candidates[name])[filled].astype(np.int64)
            for name in {*design.columns, *self._momentum_columns}
        }
        event = np.nonzero(filled)[0]
        outputs = design.phi.run(np.stack([rows[c] for c in design.columns], axis=1))
        vector, momentum = design.parts.vector, np.zeros((0, 2), np.int64)
        if vector is not None and design.projection is not None:
            turned = _projected(vector.momentum, rows["pt"], rows["phi"])
            momentum = design.projection.run(turned)

        def pooled(terms: tuple[Any, ...]) -> IntArray:
            sums = np.zeros((len(filled), len(terms)), np.int64)
            for i, term in enumerate(terms):
                value = outputs[:, term.outputs].prod(axis=1)
                if term.kind == "vector":
                    value = value * momentum[:, term.axis]
                np.add.at(sums[:, i], event, value)
            return sums

        events: dict[str, tuple[IntArray, Sequence[Port]]] = {}
        coefficients, n = np.zeros((0, 0), np.int64), design.n_coefficients
        if design.rho is not None:
            found = design.rho.run(pooled(design.event_terms))
            coefficients, first = found[:, :n], n
            for head in design.parts.heads:
                part = slice(first, first + head.size)
                events[head.name] = found[:, part], design.rho.outputs[part]
                first += head.size
        if vector is not None and design.vector is not None:
            found, ports = design.vector.run(-pooled(design.vector_terms)), design.vector.outputs
            if design.output is not None:
                found = design.output.run(np.repeat(coefficients, 2, axis=1) * found)
                ports = design.output.outputs
            events[vector.head.name] = found, ports
        return {
            head.name: _aligned(*events[head.name], design.port_of(head))
            for head in design.network.heads
        }

    @property
    def _momentum_columns(self) -> tuple[str, ...]:
        return ("pt", "phi") if self.design.parts.vector is not None else ()


def _aligned(codes: IntArray, ports: Sequence[Port], out: Port) -> IntArray:
    """Bring codes of a block's outputs to counts of the head's type."""
    shifts = [out.frac_bits - port.frac_bits if port.width else 0 for port in ports]
    aligned: IntArray = codes << np.array(shifts)
    return aligned


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
        return _chunks(self.design.network, candidates, lambda part: self.results(part)[0])

    def results(self, candidates: Candidates) -> tuple[HeadCodes, npt.NDArray[np.uint64]]:
        """Return codes by head, and the global-trigger words (zero where there are none).

        Raises:
            BitExactnessError: As for a call.
        """
        beats, found = run_events(self.design, self.model, candidates)
        if len(found) != len(beats.first) or found["error"].any():
            raise BitExactnessError(
                f"the RTL gave {len(found)} results ({int(found['error'].sum())} with an error "
                f"flag) for {len(beats.first)} events; the generated logic is wrong"
            )
        codes = {
            head.name: np.stack([found[port] for port in head.numbers], axis=1)
            for head in self.design.network.heads
        }
        for head in self.design.scores:
            codes[words_name(head)] = found[words_name(head)].astype(np.int64)
        return codes, found["word"].copy()


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
    drain = design.latency + design.clocks_after_heads + MARGIN_CLOCKS
    gaps = np.zeros(len(candidates["pt"]), np.int64) + np.asarray(before)
    if len(gaps):
        gaps[0] += RESET_CLOCKS
    beats = beats_of(
        candidates, design.lanes, before=gaps, trailing=drain, z0_origin=design.network.z0_origin
    )
    beats.marks[:RESET_CLOCKS] = Mark.RESET
    found, _ = model.run(beats.marks, beats.words, beats.columns, vertex=beats.vertex)
    return beats, found


@dataclass(frozen=True, slots=True)
class Latency:
    """Clocks measured in the simulation.

    Attributes:
        from_first_word: First word of a full event to its heads.
        from_last_word: Last word to px, py.
        interval: Between results of full events sent back to back.
        to_word: Last word to the global-trigger word, None where there is none.
    """

    from_first_word: int
    from_last_word: int
    interval: int
    to_word: int | None = None


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
    if design.network.reads_vertex:
        candidates |= {"z0": np.zeros(shape, np.int16), VERTEX: np.zeros((shape[0], 1), np.int16)}
    beats, found = run_events(design, model, candidates)
    figures = {
        "from_first_word": found["cycle"] - beats.first,
        "from_last_word": found["cycle"] - beats.last,
        "interval": np.diff(found["cycle"]),
    }
    if design.cordic is not None:
        figures["to_word"] = found["word_cycle"] - beats.last
    for name, clocks in figures.items():
        if len(np.unique(clocks)) != 1:
            raise BitExactnessError(f"{name} differs from event to event: {clocks.tolist()} clocks")
    return Latency(**{name: int(clocks[0]) for name, clocks in figures.items()})
