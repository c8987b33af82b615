"""Compile a project's C++ with g++ and run it on many events in parallel processes."""

import ctypes
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ToolError
from l1met_fpga.firmware.tools import require_tool, run_tool
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.run_folder import atomic_path

__all__ = ["CSimulation", "compile_csim"]

CHUNK_EVENTS: Final = 500
COMPILE_TIMEOUT_S: Final = 1800.0


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
        ToolError: If the sources do not compile; the log is ``csim_compile.log``.
    """
    compiler = require_tool("g++", advice="install GCC 10 or newer to run the C simulation")
    library = folder / f"{top}_csim.so"
    with atomic_path(library) as temporary:
        run_tool(
            [
                *(compiler, "-std=c++17", "-shared", "-fPIC", "-w", *flags),
                *("-Ifirmware/ap_types", f"{top}_csim.cpp", "-o", temporary.resolve()),
            ],
            cwd=folder,
            log=folder / "csim_compile.log",
            timeout_s=COMPILE_TIMEOUT_S,
        )
    return library


class CSimulation:
    """The compiled project as a form: candidates in, integer codes out.

    Every chunk of events runs in a worker process, so that all cores work and a crash in the C++
    is an error here and not the end of this process.
    """

    def __init__(self, library: Path, network: Network, *, processes: int | None = None) -> None:
        self.library = library.resolve()
        self.network = network
        self.processes = processes or os.cpu_count() or 1

    def __call__(self, candidates: Candidates) -> npt.NDArray[np.int64]:
        """Return the output codes, shape (n_events, 2).

        Raises:
            ToolError: If a simulation process dies.
        """
        chunks = list(self._chunks(candidates))
        if not chunks:
            return np.zeros((0, *self.network.output.shape), np.int64)
        # spawn: a fork would copy TensorFlow's threads' locks
        context = multiprocessing.get_context("spawn")
        workers = min(self.processes, len(chunks))
        arguments = (str(self.library), self.network.output.shape[0])
        try:
            with ProcessPoolExecutor(workers, context, _load, arguments) as pool:
                return np.concatenate(list(pool.map(_simulate, chunks)))
        except BrokenProcessPool as err:
            raise ToolError(f"the C simulation {self.library} died: {err}") from err

    def _chunks(self, candidates: Candidates) -> Iterator[list[npt.NDArray[np.int16]]]:
        columns = [np.asarray(candidates[name], dtype=np.int16) for name in self.network.columns]
        missing = self.network.n_candidates - columns[0].shape[1]
        for first in range(0, len(columns[0]), CHUNK_EVENTS):
            part = [column[first : first + CHUNK_EVENTS] for column in columns]
            yield [np.ascontiguousarray(np.pad(p, ((0, 0), (0, missing)))) for p in part]


_worker: tuple[ctypes.CDLL, str, int] | None = None


def _load(library: str, n_outputs: int) -> None:
    global _worker
    _worker = (ctypes.CDLL(library), Path(library).stem, n_outputs)


def _simulate(columns: list[npt.NDArray[np.int16]]) -> npt.NDArray[np.int64]:
    if _worker is None:
        raise ToolError("a C simulation process was used before its library was loaded")
    library, function, n_outputs = _worker
    codes = np.empty((len(columns[0]), n_outputs), np.int64)
    pointers = [column.ctypes.data_as(ctypes.c_void_p) for column in columns]
    pointers.append(codes.ctypes.data_as(ctypes.c_void_p))
    getattr(library, function)(ctypes.c_int64(len(codes)), *pointers)
    return codes
