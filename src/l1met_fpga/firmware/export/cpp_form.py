"""The C++ header as a form of the network: compiled, loaded, run on many events from Python."""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError, ToolError
from l1met_fpga.files import atomic_path
from l1met_fpga.firmware.export.cpp import build_command, cpp_files
from l1met_fpga.firmware.reference import HeadCodes, by_head, checked_columns
from l1met_fpga.firmware.score_heads import score_heads, words_name
from l1met_fpga.firmware.tools import require_tool, run_tool
from l1met_fpga.identity import content_digest, require_same
from l1met_fpga.models.network import Network
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.vertex import VERTEX, packed, vertex_of
from l1met_fpga.scratch import scratch

__all__ = ["CppForm", "Prediction"]

Prediction = tuple[HeadCodes, npt.NDArray[np.uint64]]
"""Codes by head, and words for the global trigger, shape (n_events,), zero without a vector."""

COMPILE_TIMEOUT_S: Final = 300.0
EVENTS_PER_CHUNK: Final = 4096


class CppForm:
    """The compiled header: candidates or words in, integer codes out; all processors work."""

    def __init__(self, library: Path, network: Network) -> None:
        """Load a library that :func:`compiled` or the printed command made.

        Raises:
            ToolError: If it is not such a library, or was made from another network.
        """
        self.network = network
        try:
            self._library = ctypes.CDLL(str(library.resolve()))
            digest = self._library.l1met_network_digest
        except (OSError, AttributeError) as err:
            raise ToolError(f"{library} is no library of `l1met export cpp`: {err}") from None
        digest.restype = ctypes.c_char_p
        require_same(
            {"network": digest().decode()},
            {"network": network.digest},
            what=f"library {library}",
            next_step="Export and compile it again",
            error=ToolError,
        )

    @classmethod
    def compiled(cls, network: Network, folder: Path) -> "CppForm":
        """Compile the header of a network, or use the library of the very same text again.

        Args:
            network: The integer network.
            folder: Folder to keep the library in; nothing else there is touched.

        Raises:
            ToolMissingError: If there is no g++.
            ToolError: If it does not compile; the log lies in the folder.
            ConversionError: If the network cannot be computed exactly in 64-bit integers.
        """
        files, command = cpp_files(network), build_command(network).split()
        library = folder / f"libl1met_cpp_{content_digest([files, command])[:16]}.so"
        if not library.is_file():
            require_tool(command[0], advice="install GCC 10 or newer to compile the C++ header")
            with atomic_path(library) as temporary:
                _compile(files, command, temporary, log=folder / "compile.log")
        return cls(library, network)

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return codes by head, and the words of scores by their names.

        Columns go in as they are; events with a vertex go in as words, where words can carry them.
        """
        codes = self.predict(candidates)[0]
        if self.network.reads_vertex and VERTEX in candidates:
            words, carried = packed(candidates, z0_origin="vertex")
            whole = carried.all(axis=1)
            found, _ = self.predict_words(words[whole], vertex_of(candidates)[whole])
            for head, of_words in found.items():
                codes[head][whole] = of_words
        return codes | self.score_words(codes)

    def predict(self, candidates: Candidates) -> Prediction:
        """Run on columns.

        Args:
            candidates: Columns, integers, shape (n_events, n_slots), at most ``n_candidates``
                slots. Those that the network does not read may be missing. z0 counts from where the
                network has it from.

        Raises:
            DataError: If one that it reads is missing, shapes differ, or a code is outside its type.
        """
        columns = {
            name: np.ascontiguousarray(codes, dtype=np.int16)
            for name, codes in checked_columns(self.network, candidates).items()
        }

        def run(part: slice, outputs: list[ctypes.c_void_p]) -> None:
            rows = [columns[name][part] if name in columns else None for name in COLUMNS]
            pointers = [None if row is None else row.ctypes.data for row in rows]
            array = (ctypes.c_void_p * len(rows))(*pointers)
            self._library.l1met_predict_columns(array, *_sizes(columns["pt"][part]), *outputs)

        return self._in_chunks(len(columns["pt"]), run)

    def predict_words(
        self, words: npt.NDArray[np.uint64], vertex: npt.NDArray[np.int16] | None = None
    ) -> Prediction:
        """Run on 64-bit words; a word of pt 0 is an empty slot.

        Args:
            words: Shape (n_events, n_slots).
            vertex: z0 of the vertex of each event in counts of the words, shape (n_events, 1), for a
                network that reads z0 from it.

        Raises:
            DataError: If these are not words, more than ``n_candidates`` of an event, or there is a
                vertex that the network does not take, or none where it takes one.
        """
        shape, most = words.shape, self.network.n_candidates
        if words.dtype != np.uint64 or words.ndim != 2 or shape[1] > most:
            raise DataError(
                f"words must be uint64 of shape (n_events, n_slots), at most {most} slots; got "
                f"{words.dtype} {shape}"
            )
        if (vertex is not None) != self.network.reads_vertex:
            takes = "reads z0 from a vertex" if self.network.reads_vertex else "takes no vertex"
            given = "one was given" if vertex is not None else "none was given"
            raise DataError(f"network {self.network.name!r} {takes}; {given} with the words")
        words = np.ascontiguousarray(words)
        beside = (
            [] if vertex is None else [np.ascontiguousarray(vertex, np.int16).reshape(shape[0])]
        )

        def run(part: slice, outputs: list[ctypes.c_void_p]) -> None:
            rows = words[part]
            pointers = [_pointer(rows), *(_pointer(array[part]) for array in beside)]
            self._library.l1met_predict_words(*pointers, *_sizes(rows), *outputs)

        return self._in_chunks(len(words), run)

    def score_words(self, codes: HeadCodes) -> HeadCodes:
        """Return the trigger's words of each head of classes by their names, shape (n_events, n_classes).

        Args:
            codes: What :meth:`predict` gave.
        """
        joined = np.concatenate([codes[head.name] for head in self.network.heads], axis=1)
        joined = np.ascontiguousarray(joined, np.int64)
        found = {}
        for head in score_heads(self.network):
            words, name = np.zeros((len(joined), head.size), np.uint8), words_name(head)
            run = getattr(self._library, f"l1met_{name}")
            run(_pointer(joined), ctypes.c_int64(len(joined)), _pointer(words))
            found[name] = words.astype(np.int64)
        return found

    def _in_chunks(
        self, n_events: int, run: Callable[[slice, list[ctypes.c_void_p]], None]
    ) -> Prediction:
        """Let threads fill parts of the results; the C++ works outside Python's lock."""
        n_numbers = sum(head.size for head in self.network.heads)
        codes, words = np.zeros((n_events, n_numbers), np.int64), np.zeros(n_events, np.uint64)

        def one(first: int) -> None:
            part = slice(first, first + EVENTS_PER_CHUNK)
            run(part, [_pointer(codes[part]), _pointer(words[part])])

        with ThreadPoolExecutor(allowed_processors()) as pool:
            list(pool.map(one, range(0, n_events, EVENTS_PER_CHUNK)))
        return by_head(self.network, codes), words


def _compile(files: dict[str, str], command: list[str], library: Path, *, log: Path) -> None:
    target = command.index("-o") + 1
    with scratch(library) as folder:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        command = [*command[:target], str(library.resolve()), *command[target + 1 :]]
        run_tool(command, cwd=folder, log=log, timeout_s=COMPILE_TIMEOUT_S)


def _pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _sizes(rows: npt.NDArray[Any]) -> list[ctypes.c_int64]:
    return [ctypes.c_int64(size) for size in rows.shape]
