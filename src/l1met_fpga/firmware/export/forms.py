"""Exports as forms for the bit-exactness check."""

import logging
from pathlib import Path

from l1met_fpga.firmware.check import Form
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.tools import find_tool
from l1met_fpga.models.network import Network

__all__ = ["exported_forms"]

logger = logging.getLogger(__name__)


def exported_forms(network: Network, folder: Path) -> dict[str, Form]:
    """Compile the exports of a network and return them as forms; none where g++ or make is missing.

    Args:
        network: The integer network.
        folder: Where the libraries are kept.
    """
    missing = [name for name in ("g++", "make") if find_tool(name) is None]
    if missing:
        logger.warning("the exports were not checked: %s is not on PATH", " and ".join(missing))
        return {}
    package = folder / "cmssw" / network.digest[:12]
    return {
        "cpp": CppForm.compiled(network, folder / "cpp"),
        "cmssw": CmsswForm.compiled(network, package),
    }
