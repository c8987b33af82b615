"""Exports as forms for the bit-exactness check."""

import logging
from pathlib import Path

from l1met_fpga.firmware.check import Form
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.tools import find_tool
from l1met_fpga.models.network import Network

__all__ = ["exported_forms"]

logger = logging.getLogger(__name__)


def exported_forms(network: Network, folder: Path) -> dict[str, Form]:
    """Compile the exports of a network and return them as forms; none where g++ is missing.

    Args:
        network: The integer network.
        folder: Where the libraries are kept.
    """
    if find_tool("g++") is None:
        logger.warning("the exports were not checked: g++ is not on PATH")
        return {}
    return {"cpp": CppForm.compiled(network, folder / "cpp")}
