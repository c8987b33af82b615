"""Run the vendor's HLS tool on a written project."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ToolError, ToolMissingError
from l1met_fpga.firmware.tools import find_tool, run_tool

__all__ = ["VendorTool", "csynth_report", "find_vendor", "run_vendor", "vendor_programs"]

logger = logging.getLogger(__name__)

LOG: Final = "vendor.log"
_PROGRAMS: Final = {
    Backend.VITIS: ("vitis-run", "vitis_hls"),
    Backend.VIVADO: ("vivado_hls",),
}


@dataclass(frozen=True, slots=True)
class VendorTool:
    """A vendor program on PATH."""

    name: str
    path: str


def vendor_programs(backend: Backend) -> tuple[str, ...]:
    """Return the programs that can build a project of this back end, newest first."""
    return _PROGRAMS[backend]


def find_vendor(backend: Backend, *, required: bool = False) -> VendorTool | None:
    """Return the vendor's program, or None when it is not on PATH.

    Raises:
        ToolMissingError: If it is required and missing.
    """
    for name in vendor_programs(backend):
        path = find_tool(name)
        if path is not None:
            return VendorTool(name, path)
    if required:
        raise ToolMissingError(
            f"vendor synthesis was asked for, but none of {', '.join(vendor_programs(backend))} is "
            f"on PATH; source the {backend.value} settings script, or leave out --require-vendor"
        )
    return None


def run_vendor(tool: VendorTool, folder: Path, config: HlsConfig) -> Path:
    """Run C simulation and C synthesis, and what else the configuration asks for.

    Args:
        tool: Program to run.
        folder: Project folder.
        config: Section ``hls``.

    Returns:
        The C-synthesis report (XML). The log is ``vendor.log`` in the project folder.

    Raises:
        ToolError: If the tool fails, takes too long, or leaves no report; nothing is removed.
    """
    steps = {
        "reset": 1,
        "csim": 1,
        "synth": 1,
        "cosim": int(config.cosim),
        "validation": int(config.cosim),
        "export": 0,
        "vsynth": int(config.vsynth),
        "fifo_opt": 0,
    }
    report = csynth_report(folder, config)
    before = report.stat().st_mtime_ns if report.is_file() else None
    logger.info("running %s in %s (log: %s)", tool.name, folder, folder / LOG)
    run_tool(
        _command(tool, folder, steps),
        cwd=folder,
        log=folder / LOG,
        timeout_s=config.vendor_timeout_s,
    )
    if not report.is_file() or report.stat().st_mtime_ns == before:
        raise ToolError(
            f"{tool.name} ended without an error but left no new {report}; see {folder / LOG}"
        )
    return report


def csynth_report(folder: Path, config: HlsConfig) -> Path:
    """Return where the C-synthesis report of a project appears."""
    top = config.top_function
    return folder / f"{top}_prj" / "solution1" / "syn" / "report" / f"{top}_csynth.xml"


def _command(tool: VendorTool, folder: Path, steps: dict[str, int]) -> list[str]:
    if tool.name == "vivado_hls":
        options = " ".join(f"{name}={value}" for name, value in steps.items())
        return [tool.path, "-f", "build_prj.tcl", options]
    lines = "".join(f"    {name:<10} {value}\n" for name, value in steps.items())
    (folder / "build_opt.tcl").write_text(f"array set opt {{\n{lines}}}\n", encoding="utf-8")
    if tool.name == "vitis_hls":
        return [tool.path, "-f", "build_prj.tcl"]
    return [tool.path, "--tcl", "build_prj.tcl", "--mode", "hls"]
