"""Vivado's utilization and timing reports: text to numbers."""

import re
from dataclasses import dataclass
from typing import Final

from l1met_fpga.errors import ReportError
from l1met_fpga.report.vendor_csynth import Resources

__all__ = ["Timing", "Utilization", "parse_timing", "parse_utilization"]

_STAGES: Final = (
    ("rout", "post-route"),
    ("plac", "post-place"),
    ("synth|optimi", "post-synthesis"),
)
"""What a design state holds in every version: ``Fully Placed``, ``Physopt postRoute``, ..."""
_UNFINISHED: Final = re.compile(r"partial|\bun|\bnot\b", re.IGNORECASE)
_ROWS: Final = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "ff": ("CLB Registers", "Slice Registers", "Registers"),
    "dsp": ("DSPs", "DSP Slices"),
}
"""Names of UltraScale(+), of the 7 series and of Versal."""
_RAM_TILES: Final = "Block RAM Tile"


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
        stage: ``post-synthesis``, ``post-place`` or ``post-route``; None where the report does
            not say it (older versions).
        worst_slack_ns: Worst setup slack (WNS), negative when the clock is missed.
        worst_hold_slack_ns: Worst hold slack (WHS).
        clock_period_ns: Period of the slowest constrained clock path's clock.
    """

    tool_version: str
    part: str
    design: str
    stage: str | None
    worst_slack_ns: float
    worst_hold_slack_ns: float
    clock_period_ns: float


def parse_utilization(text: str) -> Utilization:
    """Parse ``vivado_synth.rpt`` or any ``report_utilization``, of 7 series parts to Versal.

    A family without UltraRAM has no such row in its table of block RAMs; then it uses none.

    Raises:
        ReportError: If it is not such a report or a number is missing.
    """
    used = _used(text)
    if not used:
        raise ReportError("this is no utilization report: it has no table of used sites")
    tiles = _need(used, (_RAM_TILES,))
    return Utilization(
        tool_version=_version(text),
        part=_header(text, "Device"),
        design=_header(text, "Design"),
        stage=_stage(_header(text, "Design State")),
        used=Resources(
            bram18=round(2 * tiles),
            uram=int(used.get("URAM", 0.0)),
            **{key: int(_need(used, names)) for key, names in _ROWS.items()},
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
        stage=_stage(_header(text, "Design State")) if "| Design State" in text else None,
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
    match = re.search(rf"^\|? *{name}\s*:\s*(\S.*?)\s*\|?$", text, re.MULTILINE)
    if match is None:
        raise ReportError(f"the Vivado report has no header line {name!r}")
    return match[1]


def _version(text: str) -> str:
    match = re.search(r"^\|? *Tool Version\s*: Vivado v\.(\S+)", text, re.MULTILINE)
    if match is None:
        raise ReportError("the Vivado report has no header line 'Tool Version'")
    return match[1]


def _stage(state: str) -> str:
    if not _UNFINISHED.search(state):
        for pattern, stage in _STAGES:
            if re.search(pattern, state, re.IGNORECASE):
                return stage
    raise ReportError(
        f"design state {state!r} is no finished stage; known are synthesized, placed and routed "
        "designs, also after phys_opt_design"
    )


def _used(text: str) -> dict[str, float]:
    """Return the column ``Used`` of every table by site type; the first table of a site counts."""
    found: dict[str, float] = {}
    column = 1
    for line in text.splitlines():
        if not line.lstrip().startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == "Site Type" and "Used" in cells:
            column = cells.index("Used")
        elif len(cells) > column and re.fullmatch(r"\d+(\.\d+)?", cells[column]):
            found.setdefault(cells[0].rstrip("*").rstrip(), float(cells[column]))
    return found


def _need(used: dict[str, float], names: tuple[str, ...]) -> float:
    for name in names:
        if name in used:
            return used[name]
    raise ReportError(f"the utilization report has no row {' or '.join(map(repr, names))}")
