"""C-synthesis reports of Vitis HLS and Vivado HLS: XML and text to numbers.

Each parser takes the text of a report and gives a :class:`CSynthesis`; a number that is not there
is an error and never 0.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

from l1met_fpga.errors import ReportError

__all__ = ["CSynthesis", "Resources", "parse_csynth_rpt", "parse_csynth_xml"]

_XML_NAMES: Final = {"lut": "LUT", "ff": "FF", "bram18": "BRAM_18K", "uram": "URAM"}


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
        latency_min_cycles: Best-case latency.
        latency_max_cycles: Worst-case latency.
        ii_min_cycles: Smallest initiation interval.
        ii_max_cycles: Largest initiation interval.
        used: Resources.
        available: Resources of the part.
    """

    tool: str
    tool_version: str
    part: str
    top: str
    target_clock_ns: float
    estimated_clock_ns: float
    latency_min_cycles: int
    latency_max_cycles: int
    ii_min_cycles: int
    ii_max_cycles: int
    used: Resources
    available: Resources

    @property
    def latency_max_ns(self) -> float:
        """Worst-case latency at the target clock."""
        return self.latency_max_cycles * self.target_clock_ns


def parse_csynth_xml(text: str) -> CSynthesis:
    """Parse ``<top>_csynth.xml`` or ``csynth.xml``.

    Raises:
        ReportError: If it is not such a report, or a number is missing or undefined.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as err:
        raise ReportError(f"the C-synthesis report is not XML: {err}") from err
    version = _xml_text(root, "ReportVersion/Version")
    latency = "PerformanceEstimates/SummaryOfOverallLatency"
    vitis = root.find("UserAssignments/FlowTarget") is not None
    return CSynthesis(
        tool="Vitis HLS" if vitis else "Vivado HLS",
        tool_version=version,
        part=_xml_text(root, "UserAssignments/Part"),
        top=_xml_text(root, "UserAssignments/TopModelName"),
        target_clock_ns=_xml_number(root, "UserAssignments/TargetClockPeriod"),
        estimated_clock_ns=_xml_number(
            root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"
        ),
        latency_min_cycles=int(_xml_number(root, f"{latency}/Best-caseLatency")),
        latency_max_cycles=int(_xml_number(root, f"{latency}/Worst-caseLatency")),
        ii_min_cycles=int(_xml_number(root, f"{latency}/Interval-min")),
        ii_max_cycles=int(_xml_number(root, f"{latency}/Interval-max")),
        used=_xml_resources(root, "AreaEstimates/Resources"),
        available=_xml_resources(root, "AreaEstimates/AvailableResources"),
    )


def _xml_text(root: ET.Element, path: str) -> str:
    element = root.find(path)
    if element is None or not (element.text or "").strip():
        raise ReportError(f"the C-synthesis report has no {path}; the run did not finish")
    return str(element.text).strip()


def _xml_number(root: ET.Element, path: str) -> float:
    text = _xml_text(root, path)
    try:
        return float(text)
    except ValueError:
        raise ReportError(
            f"the C-synthesis report gives {path} as {text!r}; a loop without a fixed number of "
            "turns has no latency"
        ) from None


def _xml_resources(root: ET.Element, path: str) -> Resources:
    numbers = {key: int(_xml_number(root, f"{path}/{name}")) for key, name in _XML_NAMES.items()}
    dsp = next(
        (name for name in ("DSP", "DSP48E") if root.find(f"{path}/{name}") is not None), None
    )
    if dsp is None:
        raise ReportError(f"the C-synthesis report has no {path}/DSP; the run did not finish")
    return Resources(dsp=int(_xml_number(root, f"{path}/{dsp}")), **numbers)


def parse_csynth_rpt(text: str) -> CSynthesis:
    """Parse ``<top>_csynth.rpt``, the text form of the same numbers.

    Raises:
        ReportError: If it is not such a report, or a number is missing or undefined.
    """
    title = re.search(r"== (Vitis|Vivado) HLS Report for '([^']+)'", text)
    if title is None:
        raise ReportError(
            "this is no C-synthesis report: the line '== ... HLS Report for' is missing"
        )
    clock = _row(text, r"\|\s*ap_clk\s*\|", "the clock")
    latency = _latency_cells(text)
    return CSynthesis(
        tool=f"{title[1]} HLS",
        tool_version=_field(text, "Version").split()[0],
        part=_field(text, "Target device"),
        top=title[2],
        target_clock_ns=_cell(clock[1], "the target clock"),
        estimated_clock_ns=_cell(clock[2], "the estimated clock"),
        latency_min_cycles=int(_cell(latency[0], "the latency")),
        latency_max_cycles=int(_cell(latency[1], "the latency")),
        ii_min_cycles=int(_cell(latency[4], "the interval")),
        ii_max_cycles=int(_cell(latency[5], "the interval")),
        used=_rpt_resources(text, "Total"),
        available=_rpt_resources(text, "Available"),
    )


def _field(text: str, name: str) -> str:
    match = re.search(rf"^\* {name}:\s+(\S.*)$", text, re.MULTILINE)
    if match is None:
        raise ReportError(f"the C-synthesis report has no line {name!r}")
    return match[1].strip()


def _row(text: str, start: str, what: str) -> list[str]:
    match = re.search(rf"^\s*({start}.*)\|\s*$", text, re.MULTILINE)
    if match is None:
        raise ReportError(f"the C-synthesis report has no table row with {what}")
    return [cell.strip() for cell in match[1].strip("|").split("|")]


def _latency_cells(text: str) -> list[str]:
    _, found, rest = text.partition("+ Latency:")
    rows = [line for line in rest.split("+ Detail", 1)[0].splitlines() if line.strip()[:1] == "|"]
    if not found or len(rows) < 3:
        raise ReportError("the C-synthesis report has no latency table")
    return [cell.strip() for cell in rows[2].strip().strip("|").split("|")]


def _cell(text: str, what: str) -> float:
    match = re.match(r"~?(\d+(?:\.\d+)?)", text)
    if match is None:
        raise ReportError(f"the C-synthesis report gives {what} as {text!r}, which is no number")
    return float(match[1])


def _rpt_resources(text: str, row: str) -> Resources:
    _, found, rest = text.partition("== Utilization Estimates")
    if not found:
        raise ReportError("the C-synthesis report has no utilization estimates")
    names = [name.upper() for name in _row(rest, r"\|\s*Name\s*\|", "resource names")]
    cells = dict(zip(names, _row(rest, rf"\|\s*{row}\s*\|", repr(row)), strict=True))
    dsp = "DSP" if "DSP" in cells else "DSP48E"
    keys = {**_XML_NAMES, "dsp": dsp}
    missing = [name for name in keys.values() if name not in cells]
    if missing:
        raise ReportError(f"the utilization estimates have no column {', '.join(missing)}")
    return Resources(**{key: int(_cell(cells[name], name)) for key, name in keys.items()})
