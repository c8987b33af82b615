"""Place and route with Vivado when it is on PATH."""

import logging
import re
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ReportError
from l1met_fpga.firmware.tools import find_tool, run_tool

__all__ = ["parse_timing", "parse_utilization", "run_if_present"]

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 6 * 3600.0
_ROWS: Final = {
    "lut": r"CLB LUTs\*?",
    "ff": r"CLB Registers",
    "carry8": r"CARRY8",
    "dsp": r"DSPs",
    "bram": r"Block RAM Tile",
}


def run_if_present(folder: Path, top: str) -> dict[str, Any] | None:
    """Run the written project; None without Vivado.

    Args:
        folder: Project folder with ``build_vivado.tcl``.
        top: Top module, for messages.

    Returns:
        Figures that replace those of the open tools.

    Raises:
        ToolError: If Vivado fails.
        ReportError: If its reports lack a figure.
    """
    program = find_tool("vivado")
    if program is None:
        logger.info("vivado is not on PATH: %s was not placed and routed", top)
        return None
    run_tool(
        [program, "-mode", "batch", "-source", "build_vivado.tcl"],
        cwd=folder,
        log=folder / "vivado" / "vivado.log",
        timeout_s=TIMEOUT_S,
    )
    utilization = (folder / "vivado" / "utilization_route.rpt").read_text()
    timing = (folder / "vivado" / "timing_route.rpt").read_text()
    return {
        **parse_utilization(utilization),
        **parse_timing(timing),
        "kind": "post-route",
        "tool": "vivado",
        "tool_version": _version(utilization),
    }


def parse_utilization(text: str) -> dict[str, float]:
    """Read used resources from ``report_utilization``.

    Raises:
        ReportError: If a row is missing.
    """
    found: dict[str, float] = {}
    for key, name in _ROWS.items():
        match = re.search(rf"^\|\s*{name}\s*\|\s*([\d.]+)\s*\|", text, re.MULTILINE)
        if match is None:
            raise ReportError(f"the utilization report has no row {name!r}")
        found[key] = float(match[1]) if key == "bram" else int(float(match[1]))
    return found


def parse_timing(text: str) -> dict[str, float]:
    """Read the worst setup slack from ``report_timing_summary``.

    Raises:
        ReportError: If it is missing.
    """
    match = re.search(r"WNS\(ns\)[^\n]*\n[\s-]*\n?\s*(-?\d+\.\d+)", text)
    if match is None:
        raise ReportError("the timing report has no WNS(ns) column")
    return {"worst_slack_ns": float(match[1])}


def _version(text: str) -> str:
    match = re.search(r"Tool Version\s*:\s*(?:Vivado\s+)?(\S+)", text)
    if match is None:
        raise ReportError("the utilization report does not say its tool version")
    return match[1]
