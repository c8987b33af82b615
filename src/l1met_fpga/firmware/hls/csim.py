"""Compile a project's C++ with g++ and run it on many events in parallel processes."""

import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ToolError
from l1met_fpga.files import atomic_path, read_json, write_json
from l1met_fpga.firmware.reference import HeadCodes, by_head
from l1met_fpga.firmware.score_heads import score_heads, words_name
from l1met_fpga.firmware.tools import pipe_through, require_tool, run_tool
from l1met_fpga.identity import content_digest
from l1met_fpga.models.network import Network
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.puppi.vertex import vertex_of

__all__ = ["CSimulation", "compile_csim", "compile_library", "compiled_csim"]

CHUNK_EVENTS: Final = 10_000
"""Events of one process at most; it holds them twice."""
WORKER: Final = Path(__file__).with_name("csim_worker.py")
COMPILE_TIMEOUT_S: Final = 1800.0
SIMULATION_TIMEOUT_S: Final = 3600.0
"""Of one chunk of events; the largest shipped network takes seconds."""


def compile_csim(folder: Path, *, top: str, flags: tuple[str, ...]) -> Path:
    """Compile the C simulation of a project.

    Args:
        folder: Project folder.
        top: Name of its top function.
        flags: Extra flags of g++.

    Returns:
        The shared library.

    Raises:
        ToolMissingError: If there is no g++.
        ToolError: If the sources do not compile; the log is ``{top}_csim_compile.log``.
    """
    library = folder / f"{top}_csim.so"
    made_for = library.with_suffix(".json")
    made_for.unlink(missing_ok=True)
    compile_library(folder, library, sources=[f"{top}_csim.cpp"], flags=flags)
    write_json(made_for, _made_for(flags))
    return library


def compiled_csim(folder: Path, *, top: str, flags: tuple[str, ...]) -> Path | None:
    """Return the C simulation of a project that has one, compiled again if it is of another CPU.

    Code for the CPU that compiled it (``-march=native``) may end a process elsewhere.

    Args:
        folder: Project folder.
        top: Name of its top function.
        flags: Extra flags of g++.

    Raises:
        ToolError: If it has to be compiled and cannot be, as :func:`compile_csim`.
    """
    library = folder / f"{top}_csim.so"
    if not library.is_file():
        return None
    note = library.with_suffix(".json")
    if _is_note_of(note, flags):
        return library
    return compile_csim(folder, top=top, flags=flags)


def _is_note_of(note: Path, flags: tuple[str, ...]) -> bool:
    try:
        return read_json(note, error=ToolError, next_step="compile again") == _made_for(flags)
    except (OSError, ToolError):  # missing or damaged: not known to be the same
        return False


def _made_for(flags: tuple[str, ...]) -> dict[str, Any]:
    """Return what a library was compiled with, and for which CPU where that matters."""
    processor = platform.machine()
    about = Path("/proc/cpuinfo")
    if any(flag.endswith("=native") for flag in flags) and about.is_file():
        lines = about.read_text(encoding="utf-8").splitlines()
        able = [line for line in lines if line.startswith(("flags", "Features"))]
        processor += f" {content_digest(able[:1])}"
    return {"flags": list(flags), "processor": processor}


def compile_library(
    folder: Path, library: Path, *, sources: Sequence[str], flags: tuple[str, ...]
) -> Path:
    """Compile C++ files of a project to a shared library, as :func:`compile_csim`.

    Args:
        folder: Project folder.
        library: File to make.
        sources: Files to compile, seen from the project folder.
        flags: Extra flags of g++.
    """
    compiler = require_tool("g++", advice="install GCC 10 or newer to run the C simulation")
    with atomic_path(library) as temporary:
        run_tool(
            [compiler, "-std=c++17", "-shared", "-fPIC", "-w", *flags, "-Ifirmware/ap_types",
             *sources, "-o", temporary.resolve()],
            cwd=folder,
            log=folder / f"{library.stem}_compile.log",
            timeout_s=COMPILE_TIMEOUT_S,
        )  # fmt: skip
    return library


class CSimulation:
    """The compiled project as a form: candidates in, integer codes out.

    Every chunk of events runs in a process of its own, so that all cores work and a crash in the
    C++ is an error here and not the end of this process.
    """

    def __init__(
        self,
        library: Path,
        network: Network,
        *,
        processes: int | None = None,
        takes_words: bool = False,
    ) -> None:
        """Load nothing yet: the processes do.

        Args:
            library: From :func:`compile_csim`.
            network: The integer network.
            processes: Processes at a time; default one per CPU core.
            takes_words: Whether the top function takes words; beside those of a network that reads z0
                from the vertex goes the vertex, and words of scores come out.
        """
        self.library = library.resolve()
        self.network = network
        self.vertex = takes_words and network.reads_vertex
        self.scores = tuple(score_heads(network)) if takes_words else ()
        self.processes = processes or allowed_processors()

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return the codes by head, and the words of scores by their names.

        Raises:
            ToolError: If a simulation process dies or takes too long.
            DataError: If the vertex is missing.
        """
        columns = [np.asarray(candidates[name], dtype=np.int16) for name in self.network.columns]
        beside = [vertex_of(candidates)] if self.vertex else []
        n_events = len(columns[0])
        chunk = min(CHUNK_EVENTS, -(-n_events // self.processes))
        parts = [slice(first, first + chunk) for first in range(0, n_events, max(chunk, 1))]
        with ThreadPoolExecutor(self.processes) as pool:  # each thread waits for its process
            codes = list(pool.map(lambda part: self._simulate(columns, beside, part), parts))
        rows = np.concatenate(codes) if codes else self._codes(b"")
        ends = np.cumsum([self._n_numbers, *(head.size for head in self.scores)])
        numbers, *words = np.split(rows, ends[:-1], axis=1)
        names = (words_name(head) for head in self.scores)
        return by_head(self.network, numbers) | dict(zip(names, words, strict=True))

    def _simulate(
        self,
        columns: Sequence[npt.NDArray[np.int16]],
        beside: Sequence[npt.NDArray[np.int16]],
        part: slice,
    ) -> npt.NDArray[np.int64]:
        missing = self.network.n_candidates - columns[0].shape[1]
        padded = [np.pad(column[part], ((0, 0), (0, missing))) for column in columns]
        padded += [array[part] for array in beside]
        numbers = [len(padded[0]), self.n_outputs, *(c[0].nbytes for c in padded)]
        answer = pipe_through(
            [sys.executable, "-IS", WORKER, self.library, self.library.stem, *map(str, numbers)],
            b"".join(column.tobytes() for column in padded),
            what=f"the C simulation {self.library}",
            timeout_s=SIMULATION_TIMEOUT_S,
        )
        return self._codes(answer)

    def _codes(self, output: bytes) -> npt.NDArray[np.int64]:
        return np.frombuffer(output, np.int64).reshape(-1, self.n_outputs)

    @property
    def _n_numbers(self) -> int:
        return sum(head.size for head in self.network.heads)

    @property
    def n_outputs(self) -> int:
        """Integers per event: numbers of all heads one after the other, then words of scores."""
        return self._n_numbers + sum(head.size for head in self.scores)
