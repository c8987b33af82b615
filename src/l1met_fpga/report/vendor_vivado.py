"""Vivado's utilization and timing reports: text to numbers."""

import re
from dataclasses import dataclass
from typing import Final

from l1met_fpga.errors import ReportError
from l1met_fpga.report.vendor_csynth import Resources

__all__ = ["Timing", "Utilization", "parse_timing", "parse_utilization"]

_STAGES: Final = {
    "synthesized": "post-synthesis",
    "optimized": "post-synthesis",
    "placed": "post-place",
    "fully placed": "post-place",
    "physopt postplace": "post-place",
    "routed": "post-route",
    "fully routed": "post-route",
}
_ROWS: Final = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "ff": ("CLB Registers", "Slice Registers"),
    "dsp": ("DSPs",),
}


@dataclass(frozen=True, slots=True)
class Utilization:
    """``report_utilization``.

    Attributes:
        tool_version: Vivado version, for example ``2020.1``.
        part: Device as the report writes it.
        design: Name of the design.
        stage: ``post-synthesis``, ``post-place`` or ``post-route``.
        used: Resources; a block RAM tile counts as two of 18 kbit.
    """

    tool_version: str
    part: str
    design: str
    stage: str
    used: Resources


@dataclass(frozen=True, slots=True)
class Timing:
    """``report_timing_summary``.

    Attributes:
        tool_version: Vivado version.
        part: Device as the report writes it.
        design: Name of the design.
        stage: ``post-synthesis``, ``post-place`` or ``post-route``.
        worst_slack_ns: Worst setup slack (WNS), negative when the clock is missed.
        worst_hold_slack_ns: Worst hold slack (WHS).
        clock_period_ns: Period of the slowest constrained clock path's clock.
    """

    tool_version: str
    part: str
    design: str
    stage: str
    worst_slack_ns: float
    worst_hold_slack_ns: float
    clock_period_ns: float

    @property
    def met(self) -> bool:
        """Whether the clock is met."""
        return self.worst_slack_ns >= 0 and self.worst_hold_slack_ns >= 0


def parse_utilization(text: str) -> Utilization:
    """Parse ``vivado_synth.rpt`` or any ``report_utilization`` of 7 series and UltraScale parts.

    Raises:
        ReportError: If it is not such a report or a number is missing.
    """
    if "Utilization Design Information" not in text:
        raise ReportError(
            "this is no utilization report: 'Utilization Design Information' is missing"
        )
    tiles = _used(text, ("Block RAM Tile",))
    # 7 series parts have no UltraRAM and their reports no such row
    ultra = _used(text, ("URAM",)) if "CLB LUTs" in text else 0.0
    return Utilization(
        tool_version=_version(text),
        part=_header(text, "Device"),
        design=_header(text, "Design"),
        stage=_stage(text),
        used=Resources(
            bram18=round(2 * tiles),
            uram=int(ultra),
            **{key: int(_used(text, names)) for key, names in _ROWS.items()},
        ),
    )


def parse_timing(text: str) -> Timing:
    """Parse ``report_timing_summary``.

    Raises:
        ReportError: If it is not such a report or a number is missing.
    """
    summary = re.search(r"^\s*WNS\(ns\)\s+TNS\(ns\).*\n[\s-]*\n\s*(?P<row>.+)$", text, re.MULTILINE)
    if summary is None:
        raise ReportError("this is no timing summary: the table with WNS(ns) is missing")
    cells = summary["row"].split()
    clock = re.search(r"^\S+\s+\{[^}]*\}\s+(?P<period>\d+\.\d+)\s+\d+\.\d+\s*$", text, re.MULTILINE)
    if clock is None:
        raise ReportError("the timing summary has no clock with a period; was a clock constrained?")
    return Timing(
        tool_version=_version(text),
        part=_header(text, "Device"),
        design=_header(text, "Design"),
        stage=_stage(text),
        worst_slack_ns=_slack(cells, 0, "WNS"),
        worst_hold_slack_ns=_slack(cells, 4, "WHS"),
        clock_period_ns=float(clock["period"]),
    )


def _slack(cells: list[str], index: int, name: str) -> float:
    try:
        return float(cells[index])
    except (IndexError, ValueError):
        got = cells[index] if index < len(cells) else "nothing"
        raise ReportError(
            f"the timing summary gives {name} as {got!r}, which is no number"
        ) from None


def _header(text: str, name: str) -> str:
    match = re.search(rf"^\| {name}\s*:\s*(\S.*?)\s*\|?$", text, re.MULTILINE)
    if match is None:
        raise ReportError(f"the Vivado report has no header line {name!r}")
    return match[1]


def _version(text: str) -> str:
    match = re.search(r"^\| Tool Version\s*: Vivado v\.(\S+)", text, re.MULTILINE)
    if match is None:
        raise ReportError("the Vivado report has no header line 'Tool Version'")
    return match[1]


def _stage(text: str) -> str:
    state = _header(text, "Design State")
    stage = _STAGES.get(state.lower())
    if stage is None:
        raise ReportError(f"unknown design state {state!r}; known: {', '.join(_STAGES)}")
    return stage


def _used(text: str, names: tuple[str, ...]) -> float:
    for name in names:
        match = re.search(rf"^\| *{re.escape(name)}\*? *\| *([\d.]+) *\|", text, re.MULTILINE)
        if match is not None:
            return float(match[1])
    raise ReportError(f"the utilization report has no row {' or '.join(map(repr, names))}")
