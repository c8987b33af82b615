"""C-synthesis reports (XML) of Vitis HLS and Vivado HLS: text to numbers.

A number that is not there is an error and never 0. Latency and interval may be undefined (a loop
without a fixed number of turns has none): then the figure is None and the reason is told.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

from l1met_fpga.errors import ReportError

__all__ = ["CSynthesis", "Resources", "parse_csynth_xml"]

_NAMES: Final = {"lut": ("LUT",), "ff": ("FF",), "dsp": ("DSP", "DSP48E"), "bram18": ("BRAM_18K",)}
"""DSP48E is the name that Vivado HLS uses."""
_LATENCY: Final = "PerformanceEstimates/SummaryOfOverallLatency"
_UNDEFINED: Final = ("undef", "?", "-")


@dataclass(frozen=True, slots=True)
class Resources:
    """FPGA resources; ``bram18`` counts memories of 18 kbit (a block RAM tile is two)."""

    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int


@dataclass(frozen=True, slots=True)
class CSynthesis:
    """Result of C synthesis: estimates of the HLS compiler.

    Attributes:
        tool: ``Vitis HLS`` or ``Vivado HLS``.
        tool_version: For example ``2021.2``.
        part: FPGA part.
        top: Top function.
        target_clock_ns: Requested period.
        estimated_clock_ns: Period that the compiler expects.
        latency_max_cycles: Worst-case latency, None if undefined.
        ii_max_cycles: Largest initiation interval, None if undefined.
        used: Resources.
        reasons: Why a figure is None, by its name.
    """

    tool: str
    tool_version: str
    part: str
    top: str
    target_clock_ns: float
    estimated_clock_ns: float
    latency_max_cycles: int | None
    ii_max_cycles: int | None
    used: Resources
    reasons: dict[str, str]

    @property
    def latency_max_ns(self) -> float | None:
        """Worst-case latency at the target clock."""
        cycles = self.latency_max_cycles
        return None if cycles is None else cycles * self.target_clock_ns


def parse_csynth_xml(text: str) -> CSynthesis:
    """Parse ``<top>_csynth.xml`` or ``csynth.xml``.

    Raises:
        ReportError: If it is not such a report, or a number is missing.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as err:
        raise ReportError(f"the C-synthesis report is not XML: {err}") from err
    reasons: dict[str, str] = {}
    vitis = root.find("UserAssignments/FlowTarget") is not None
    return CSynthesis(
        tool="Vitis HLS" if vitis else "Vivado HLS",
        tool_version=_text(root, "ReportVersion/Version"),
        part=_text(root, "UserAssignments/Part"),
        top=_text(root, "UserAssignments/TopModelName"),
        target_clock_ns=_number(root, "UserAssignments/TargetClockPeriod"),
        estimated_clock_ns=_number(
            root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"
        ),
        latency_max_cycles=_cycles(root, "latency_cycles", "Worst-caseLatency", reasons),
        ii_max_cycles=_cycles(root, "ii_cycles", "Interval-max", reasons),
        used=_resources(root, "AreaEstimates/Resources"),
        reasons=reasons,
    )


def _text(root: ET.Element, path: str) -> str:
    element = root.find(path)
    if element is None or not (element.text or "").strip():
        raise ReportError(f"the C-synthesis report has no {path}; the run did not finish")
    return str(element.text).strip()


def _number(root: ET.Element, path: str) -> float:
    text = _text(root, path)
    try:
        return float(text)
    except ValueError:
        raise ReportError(
            f"the C-synthesis report gives {path} as {text!r}, which is no number"
        ) from None


def _cycles(root: ET.Element, key: str, name: str, reasons: dict[str, str]) -> int | None:
    path = f"{_LATENCY}/{name}"
    text = _text(root, path)
    if text in _UNDEFINED:
        reasons[key] = (
            f"C synthesis gives {name} as {text!r}: a loop without a fixed number of turns has none"
        )
        return None
    return int(_number(root, path))


def _resources(root: ET.Element, path: str) -> Resources:
    found = {}
    for key, names in _NAMES.items():
        present = [name for name in names if root.find(f"{path}/{name}") is not None]
        found[key] = int(_number(root, f"{path}/{(present or names)[0]}"))
    # families and versions without UltraRAM do not list it
    uram = root.find(f"{path}/URAM") is not None
    return Resources(uram=int(_number(root, f"{path}/URAM")) if uram else 0, **found)
