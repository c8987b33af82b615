"""The CMSSW package as a form of the network, run through its public interface."""

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ToolError
from l1met_fpga.files import exclusive
from l1met_fpga.firmware.export.cmssw import INTERFACE, export_cmssw, package_name, told_head
from l1met_fpga.firmware.export.cpp import COMPILER_FLAGS, result_integer
from l1met_fpga.firmware.export.cpp_form import Prediction
from l1met_fpga.firmware.export.rendering import TEMPLATES
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.reference import HeadCodes, by_head, checked_columns
from l1met_fpga.firmware.score_heads import words_name
from l1met_fpga.firmware.tools import require_tool, run_tool
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.vertex import packed, vertex_of

__all__ = ["CmsswForm"]

TIMEOUT_S: Final = 600.0
_FAILURES: Final = {
    1: "it cannot be opened",
    2: "it has no create_model or destroy_model",
    3: "it threw",
}


@dataclass(frozen=True)
class CmsswForm:
    """A compiled package and the driver that loads it.

    Attributes:
        network: The integer network.
        library: The package's library, ``.so`` included.
        driver: Library with the loop over events.
    """

    network: Network
    library: Path
    driver: ctypes.CDLL

    @classmethod
    def compiled(cls, network: Network, folder: Path) -> "CmsswForm":
        """Export a package into a folder and build it with its own Makefile.

        Raises:
            ToolMissingError: If there is no g++ or no make.
            ToolError: If it does not build; the log lies in the folder.
            ConversionError: If the folder holds the package of another network.
        """
        with exclusive(folder / "package"):
            return cls._built(network, folder)

    @classmethod
    def _built(cls, network: Network, folder: Path) -> "CmsswForm":
        advice = "install GCC 10 or newer and make to build the CMSSW package"
        make, compiler = (require_tool(name, advice=advice) for name in ("make", "g++"))
        package = package_name(network)
        export_cmssw(network, folder / "package", package=package, version="v1")
        # Where the Makefile looks for it: make and its shell would take a path apart at blanks.
        extras = folder / "hls4mlEmulatorExtras"
        extras.unlink(missing_ok=True)
        extras.symlink_to(INTERFACE)
        run_tool(
            [make, f"CXX={compiler}"],
            cwd=folder / "package", log=folder / "make.log", timeout_s=TIMEOUT_S,
        )  # fmt: skip
        driver = folder / "driver.so"
        include = f"-I{INTERFACE / 'include' / 'hls4ml'}"
        n_numbers = sum(head.size for head in network.heads)
        options = [*COMPILER_FLAGS, "-shared", "-fPIC", f"-DNUMBER_INT={result_integer(network)}",
                   f"-DNUMBERS={n_numbers}", f"-DFIELDS={len(COLUMNS)}"]  # fmt: skip
        if gt_head(network) is not None:
            options.append("-DHAS_WORD")
        if network.reads_vertex:
            options.append("-DHAS_VERTEX")
        if (scored := told_head(network)) is not None:
            options.append(f"-DSCORES={scored.size}")
        run_tool(
            [compiler, *options, include, TEMPLATES / "cmssw" / "driver.cpp", "-o", driver.name],
            cwd=folder, log=folder / "driver.log", timeout_s=TIMEOUT_S,
        )  # fmt: skip
        library = folder / "package" / f"{package}_v1.so"
        return cls(network, library.resolve(), ctypes.CDLL(str(driver.resolve())))

    def __call__(self, candidates: Candidates) -> HeadCodes:
        """Return codes by head."""
        return self.predict(candidates)[0]

    def predict(self, candidates: Candidates) -> Prediction:
        """Return codes by head, with the words of scores by their name, and words for the global trigger.

        Events go in as 64-bit words where words can carry them, else as fields.

        Raises:
            DataError: If a column is missing or holds a code outside its type.
            ToolError: If the package fails.
        """
        checked_columns(self.network, candidates)
        shape = candidates["pt"].shape
        empty = np.zeros(shape, np.int16)
        columns = {name: np.asarray(candidates.get(name, empty)) for name in COLUMNS}
        fields = np.stack([columns[name].astype(np.int16) for name in COLUMNS], axis=-1)
        words, has_word = packed(candidates, z0_origin=self.network.z0_origin)
        whole = np.asarray(has_word.all(axis=1), np.uint8)
        n_numbers = sum(head.size for head in self.network.heads)
        codes, gt_words = np.zeros((shape[0], n_numbers), np.int64), np.zeros(shape[0], np.uint64)
        sizes = [ctypes.c_int64(size) for size in shape]
        vertex = vertex_of(candidates) if self.network.reads_vertex else None
        inputs = [_pointer(array) for array in (fields, words, whole, vertex)]
        scored = told_head(self.network)
        words_of_scores = np.zeros((shape[0], 0 if scored is None else scored.size), np.uint8)
        outputs = [_pointer(array) for array in (codes, gt_words, words_of_scores)]
        status = self.driver.l1met_run_emulator(
            str(self.library).encode(), *inputs, *sizes, *outputs
        )
        if status:
            raise ToolError(f"the CMSSW package {self.library} failed: {_FAILURES[status]}")
        found = by_head(self.network, codes)
        if scored is not None:
            found[words_name(scored)] = words_of_scores.astype(np.int64)
        return found, gt_words


def _pointer(array: npt.NDArray[Any] | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)
