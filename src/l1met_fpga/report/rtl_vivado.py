"""Put Vivado's placed-and-routed figures of the streaming RTL in the place of the open tools'."""

import json
import logging
from pathlib import Path

from l1met_fpga.files import write_json
from l1met_fpga.firmware.builds import RECORD, Build
from l1met_fpga.report.vendor_vivado import parse_timing, parse_utilization

__all__ = ["use_vivado_figures"]

logger = logging.getLogger(__name__)


def use_vivado_figures(folder: Path) -> bool:
    """Update ``resources.json`` from the reports of a Vivado run, when there are any.

    The figures of the open tools stay under ``open_tools``. Reports of other sources than those
    that lie in the folder are not used: Vivado's script puts a copy of ``build.json`` beside its
    reports; reports without it must not be older than the sources.

    Args:
        folder: RTL project folder.

    Returns:
        Whether there were reports of these sources.

    Raises:
        ReportError: If a report lacks a number.
    """
    utilization = folder / "vivado" / "utilization_route.rpt"
    timing = folder / "vivado" / "timing_route.rpt"
    if not (utilization.is_file() and timing.is_file()):
        return False
    if not _of_these_sources(folder, (utilization, timing)):
        logger.warning(
            "the reports in %s were made from other sources than those in %s; their figures are "
            "not used. Run build_vivado.tcl again",
            *(folder / "vivado", folder),
        )
        return False
    used, slack = (
        parse_utilization(utilization.read_text(encoding="utf-8", errors="replace")),
        parse_timing(timing.read_text(encoding="utf-8", errors="replace")),
    )
    path = folder / "resources.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    before = content["streaming"]
    content["open_tools"] = content.get("open_tools", before)
    content["streaming"] = {
        **before,
        "lut": used.used.lut,
        "ff": used.used.ff,
        "dsp": used.used.dsp,
        "bram": used.used.bram18 / 2,
        "kind": used.stage,
        "tool": "vivado",
        "tool_version": used.tool_version,
        "worst_slack_ns": slack.worst_slack_ns,
    }
    write_json(path, content)
    return True


def _of_these_sources(folder: Path, reports: tuple[Path, ...]) -> bool:
    build, beside = Build.read(folder), Build.read(folder / "vivado")
    if build is None or beside is not None:
        return build == beside
    written = (folder / RECORD).stat().st_mtime_ns
    return all(path.stat().st_mtime_ns >= written for path in reports)
