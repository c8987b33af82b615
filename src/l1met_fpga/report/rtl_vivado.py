"""Put Vivado's placed-and-routed figures of the streaming RTL in the place of the open tools'."""

import logging
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import L1MetError, ReportError
from l1met_fpga.files import read_json, write_json
from l1met_fpga.firmware.builds import RECORD, Build
from l1met_fpga.report.vendor import report_text, same_part
from l1met_fpga.report.vendor_vivado import parse_timing, parse_utilization

__all__ = ["UNUSABLE", "use_vivado_figures"]

logger = logging.getLogger(__name__)

UNUSABLE: Final = "unusable_reports"
"""Key of ``resources.json``: reports that could not be used, by file, with the reason."""
_SAME_CLOCK_NS: Final = 0.01


def use_vivado_figures(folder: Path) -> bool:
    """Update ``resources.json`` from the reports of a Vivado run, when there are any.

    The figures of the open tools stay under ``open_tools``. Reports that cannot be read, were
    made from other sources, or are about another part or clock change no figure; their reason is
    kept for the report.

    Args:
        folder: RTL project folder.

    Returns:
        Whether figures were taken.
    """
    utilization = folder / "vivado" / "utilization_route.rpt"
    timing = folder / "vivado" / "timing_route.rpt"
    if not (utilization.is_file() and timing.is_file()):
        return False
    path = folder / "resources.json"
    again = "build the firmware again"
    content = read_json(path, error=ReportError, next_step=again)
    before = content.get("open_tools", content.get("streaming"))
    if not isinstance(before, dict):
        raise ReportError(f"{path} has no figures of the open tools; {again}")
    try:
        _require_these_sources(folder, (utilization, timing))
        content["streaming"] = before | _figures(utilization, timing, before)
        content["open_tools"] = before
        content.pop(UNUSABLE, None)
    except (L1MetError, OSError) as err:
        name = str(utilization.parent.relative_to(folder))
        logger.warning("%s was not used: %s", utilization.parent, err)
        content |= {"streaming": before, UNUSABLE: {name: str(err)}}
    write_json(path, content)
    return UNUSABLE not in content


def _require_these_sources(folder: Path, reports: tuple[Path, ...]) -> None:
    """Refuse reports of RTL that was written anew since.

    Vivado's script puts a copy of ``build.json`` beside its reports; reports without it must not be
    older than the record of the sources, or than the sources where there is none.
    """
    build, beside = Build.read(folder), Build.read(folder / "vivado")
    if beside is not None:
        same = build == beside
    else:
        record = folder / RECORD
        files = [record] if record.is_file() else list((folder / "src").rglob("*"))
        written = max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)
        same = all(report.stat().st_mtime_ns >= written for report in reports)
    if not same:
        raise ReportError(
            f"the reports were made from other sources than those in {folder / 'src'}; run "
            "build_vivado.tcl again"
        )


def _figures(utilization: Path, timing: Path, before: dict[str, Any]) -> dict[str, Any]:
    used, slack = parse_utilization(report_text(utilization)), parse_timing(report_text(timing))
    part, period = before.get("part"), before.get("clock_period_ns")
    if part is not None and not same_part(used.part, part):
        raise ReportError(f"{utilization.name} is about part {used.part}, the RTL about {part}")
    if period is not None and abs(slack.clock_period_ns - period) > _SAME_CLOCK_NS:
        raise ReportError(
            f"{timing.name} has a clock of {slack.clock_period_ns:g} ns, the RTL {period:g} ns"
        )
    return {
        "lut": used.used.lut,
        "ff": used.used.ff,
        "dsp": used.used.dsp,
        "bram": used.used.bram18 / 2,
        "kind": used.stage,
        "tool": "vivado",
        "tool_version": used.tool_version,
        "worst_slack_ns": slack.worst_slack_ns,
        "worst_hold_slack_ns": slack.worst_hold_slack_ns,
    }
