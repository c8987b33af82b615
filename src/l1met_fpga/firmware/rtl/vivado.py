"""Place and route with Vivado when it is on PATH."""

import logging
from pathlib import Path
from typing import Final

from l1met_fpga.firmware.tools import find_tool, run_tool

__all__ = ["run_if_present"]

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 6 * 3600.0


def run_if_present(folder: Path, top: str) -> bool:
    """Run the written project; False without Vivado.

    The reports go to ``folder/vivado``; :mod:`l1met_fpga.report.rtl_vivado` reads them.

    Args:
        folder: Project folder with ``build_vivado.tcl``.
        top: Top module, for messages.

    Raises:
        ToolError: If Vivado fails.
    """
    program = find_tool("vivado")
    if program is None:
        logger.info("vivado is not on PATH: %s was not placed and routed", top)
        return False
    run_tool(
        [program, "-mode", "batch", "-source", "build_vivado.tcl"],
        cwd=folder,
        log=folder / "vivado" / "vivado.log",
        timeout_s=TIMEOUT_S,
    )
    return True
