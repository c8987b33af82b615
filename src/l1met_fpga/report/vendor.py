"""The vendor's figures of an HLS project under the keys of ``report.json``."""

from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConfigError, ReportError
from l1met_fpga.files import write_json
from l1met_fpga.firmware.builds import Build
from l1met_fpga.firmware.devices import device_of
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.vendor_csynth import CSynthesis, Resources, parse_csynth_xml
from l1met_fpga.report.vendor_vivado import parse_timing, parse_utilization

__all__ = ["RESOURCES", "collect_vendor", "write_vendor"]

RESOURCES: Final = "resources.json"
_VIVADO_REPORTS: Final = (
    "vivado_synth.rpt",
    "vivado_synth_util.rpt",
    "vivado_impl_util.rpt",
    "util.rpt",
)
_TIMING_REPORTS: Final = ("vivado_synth_timing.rpt", "vivado_impl_timing.rpt", "timing.rpt")


def write_vendor(folder: Path, config: HlsConfig) -> dict[str, Any]:
    """Read a built project and write its ``resources.json``.

    Returns:
        What was written, see :func:`collect_vendor`; ``build`` says what it was made from.

    Raises:
        ReportError: If a report is missing or lacks a number.
    """
    figures = collect_vendor(folder, config)
    build = Build.read(folder)
    if build is not None:
        figures["build"] = build.digest
    write_json(folder / RESOURCES, figures)
    return figures


def collect_vendor(folder: Path, config: HlsConfig) -> dict[str, Any]:
    """Read every vendor report of a project.

    Args:
        folder: Project folder after a vendor run.
        config: Section ``hls``.

    Returns:
        The keys ``hls.*`` of ``report.json``, with the resources of the latest stage, and
        ``stages``: one entry per report with ``kind``, ``tool``, ``tool_version``, ``part``,
        resources, and percent of the part and of one SLR where the part is known. ``bram`` counts
        block RAM tiles of 36 kbit.

    Raises:
        ReportError: If the C-synthesis report is missing, or a report lacks a number.
    """
    path = csynth_report(folder, config)
    if not path.is_file():
        raise ReportError(f"no C-synthesis report {path}; build with `l1met synthesize --build`")
    csynth = parse_csynth_xml(path.read_text(encoding="utf-8", errors="replace"))
    stages = [_csynth_stage(csynth)]
    for name in _VIVADO_REPORTS:
        if (folder / name).is_file():
            stages.append(_vivado_stage(folder / name, csynth.part))
    for name in _TIMING_REPORTS:
        if (folder / name).is_file():
            stages.append(_timing_stage(folder / name, csynth.part))
    last = next(stage for stage in reversed(stages) if "lut" in stage)
    return {
        "backend": config.backend.value,
        "tool": last["tool"],
        "tool_version": last["tool_version"],
        "part": csynth.part,
        "clock_period_ns": csynth.target_clock_ns,
        "latency_cycles": csynth.latency_max_cycles,
        "latency_ns": csynth.latency_max_ns,
        "ii_cycles": csynth.ii_max_cycles,
        **{key: last[key] for key in ("lut", "ff", "dsp", "bram", "uram")},
        "stage": last["kind"],
        "stages": stages,
    }


def _csynth_stage(csynth: CSynthesis) -> dict[str, Any]:
    return {
        "kind": "C synthesis",
        "tool": csynth.tool,
        "tool_version": csynth.tool_version,
        "part": csynth.part,
        "clock_period_ns": csynth.target_clock_ns,
        "estimated_clock_period_ns": csynth.estimated_clock_ns,
        "latency_cycles": csynth.latency_max_cycles,
        "latency_ns": csynth.latency_max_ns,
        "ii_cycles": csynth.ii_max_cycles,
        **_resources(csynth.used, csynth.part),
    }


def _vivado_stage(path: Path, part: str) -> dict[str, Any]:
    found = parse_utilization(path.read_text(encoding="utf-8", errors="replace"))
    return {
        "kind": found.stage,
        "tool": "Vivado",
        "tool_version": found.tool_version,
        "part": found.part,
        **_resources(found.used, part),
    }


def _timing_stage(path: Path, part: str) -> dict[str, Any]:
    found = parse_timing(path.read_text(encoding="utf-8", errors="replace"))
    return {
        "kind": f"{found.stage} timing",
        "tool": "Vivado",
        "tool_version": found.tool_version,
        "part": part,
        "clock_period_ns": found.clock_period_ns,
        "worst_slack_ns": found.worst_slack_ns,
        "worst_hold_slack_ns": found.worst_hold_slack_ns,
    }


def _resources(used: Resources, part: str) -> dict[str, Any]:
    numbers = {
        "lut": used.lut, "ff": used.ff, "dsp": used.dsp, "bram": used.bram18 / 2, "uram": used.uram,
    }  # fmt: skip
    try:
        device = device_of(part)
    except ConfigError:
        return numbers
    counted = {
        "lut": used.lut, "ff": used.ff, "dsp": used.dsp, "bram18": used.bram18, "uram": used.uram,
    }  # fmt: skip
    return {
        **numbers,
        "percent_of_part": {name: device.percent(name, n) for name, n in counted.items()},
        "percent_of_slr": {name: device.percent_of_slr(name, n) for name, n in counted.items()},
    }
