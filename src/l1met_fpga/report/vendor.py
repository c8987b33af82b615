"""The vendor's figures of an HLS project under the keys of ``report.json``."""

import re
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConfigError, ReportError
from l1met_fpga.files import write_json
from l1met_fpga.firmware.builds import Build
from l1met_fpga.firmware.devices import device_of
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.findings import Findings
from l1met_fpga.report.vendor_csynth import CSynthesis, Resources, parse_csynth_xml
from l1met_fpga.report.vendor_vivado import parse_timing, parse_utilization
from l1met_fpga.results.base import Number
from l1met_fpga.results.firmware import HlsFigures, HlsStage

__all__ = ["RESOURCES", "collect_vendor", "report_text", "same_part", "write_vendor"]

RESOURCES: Final = "resources.json"
STAGE: Final = "hls"
"""Key of the report that all of this is about."""
_VIVADO_REPORTS: Final = (
    "vivado_synth.rpt",
    "vivado_synth_util.rpt",
    "vivado_impl_util.rpt",
    "util.rpt",
)
_TIMING_REPORTS: Final = ("vivado_synth_timing.rpt", "vivado_impl_timing.rpt", "timing.rpt")
_ORDER: Final = ("C synthesis", "post-synthesis", "post-place", "post-route")
_SAME_CLOCK_NS: Final = 0.01
"""Vivado rounds periods to picoseconds; scripts write two or three digits."""


def write_vendor(folder: Path, config: HlsConfig) -> dict[str, Any]:
    """Read a project after its vendor run and write its ``resources.json``.

    Returns:
        What was written: the keys ``hls.*`` of ``report.json``, and ``build``, what it was made from.

    Raises:
        ReportError: If the C-synthesis report is missing, or a report cannot be used.
    """
    path, findings = csynth_report(folder, config), Findings(folder)
    found = collect_vendor(folder, config, findings)
    if found is None and not findings.found:
        raise ReportError(f"no C-synthesis report {path}; build with `l1met synthesize --build`")
    if found is None:
        raise ReportError("; ".join(map(str, findings.found)))
    figures = found.model_dump()
    build = Build.read(folder)
    if build is not None:
        figures["build"] = build.digest
    write_json(folder / RESOURCES, figures)
    return figures


def collect_vendor(folder: Path, config: HlsConfig, findings: Findings) -> HlsFigures | None:
    """Read every vendor report of a project.

    Latency and interval are those of C synthesis; resources are those of the latest stage. A report
    that cannot be read, or is about another part or clock, becomes a finding and gives nothing.

    Args:
        folder: Project folder after a vendor run.
        config: Section ``hls``.
        findings: Takes what could not be used.

    Returns:
        None without a readable C-synthesis report. ``bram`` counts block RAM tiles of 36 kbit.
    """
    csynth = findings.read(
        STAGE, csynth_report(folder, config), lambda path: parse_csynth_xml(report_text(path))
    )
    if csynth is None:
        return None
    stages = [_csynth_stage(csynth)]
    for names, read in ((_VIVADO_REPORTS, _vivado_stage), (_TIMING_REPORTS, _timing_stage)):
        for name in names:
            found = findings.read(STAGE, folder / name, lambda path: read(path, csynth))  # noqa: B023
            if found is not None:
                stages.append(found)
    sized = [stage for stage in stages if stage.lut is not None]
    last = max(sized, key=lambda stage: _ORDER.index(stage.kind))
    slack, hold_slack = _worst_slack(stages)
    return HlsFigures(
        backend=config.backend.value,
        io_type=config.io_type.value,
        tool=last.tool,
        tool_version=last.tool_version,
        part=csynth.part,
        clock_period_ns=csynth.target_clock_ns,
        estimated_clock_period_ns=csynth.estimated_clock_ns,
        latency_cycles=csynth.latency_max_cycles,
        latency_ns=csynth.latency_max_ns,
        ii_cycles=csynth.ii_max_cycles,
        lut=last.lut,
        ff=last.ff,
        dsp=last.dsp,
        bram=last.bram,
        uram=last.uram,
        stage=last.kind,
        worst_slack_ns=slack,
        worst_hold_slack_ns=hold_slack,
        stages=stages,
        reasons=csynth.reasons,
    )


def _worst_slack(stages: list[HlsStage]) -> tuple[Number | None, Number | None]:
    """Return setup and hold slack of the latest stage, the worst where several reports are of it.

    A report that does not say its stage may be of the latest. Hold slack counts after routing only,
    because the router mends it.
    """
    timed = [stage for stage in stages if stage.worst_slack_ns is not None]
    known = [kind for kind in _ORDER if any(stage.kind == _timing_of(kind) for stage in timed)]
    latest = (_timing_of(known[-1] if known else None), _timing_of(None))
    counted = [stage for stage in timed if stage.kind in latest]
    routed = [stage for stage in counted if stage.kind in (_timing_of(_ORDER[-1]), latest[1])]
    return (
        min((s.worst_slack_ns for s in counted if s.worst_slack_ns is not None), default=None),
        min(
            (s.worst_hold_slack_ns for s in routed if s.worst_hold_slack_ns is not None),
            default=None,
        ),
    )


def _timing_of(stage: str | None) -> str:
    return f"{stage or 'Vivado'} timing"


def report_text(path: Path) -> str:
    """Return a report's text; letters of another encoding (names, paths) do not matter in it."""
    return path.read_text(encoding="utf-8", errors="replace")


def same_part(one: str, other: str) -> bool:
    """Whether two ways of writing a part mean one: with and without ``xc``, package, speed."""
    a, b = (re.sub(r"[^a-z0-9]", "", part.lower()).removeprefix("xc") for part in (one, other))
    return a.startswith(b) or b.startswith(a)


def _csynth_stage(csynth: CSynthesis) -> HlsStage:
    return HlsStage(
        kind="C synthesis",
        tool=csynth.tool,
        tool_version=csynth.tool_version,
        part=csynth.part,
        clock_period_ns=csynth.target_clock_ns,
        estimated_clock_period_ns=csynth.estimated_clock_ns,
        latency_cycles=csynth.latency_max_cycles,
        latency_ns=csynth.latency_max_ns,
        ii_cycles=csynth.ii_max_cycles,
        **_resources(csynth.used, csynth.part),
    )


def _vivado_stage(path: Path, csynth: CSynthesis) -> HlsStage:
    found = parse_utilization(report_text(path))
    _require_part(found.part, csynth)
    return HlsStage(
        kind=found.stage,
        tool="Vivado",
        tool_version=found.tool_version,
        part=found.part,
        **_resources(found.used, csynth.part),
    )


def _timing_stage(path: Path, csynth: CSynthesis) -> HlsStage:
    found = parse_timing(report_text(path))
    _require_part(found.part, csynth)
    if abs(found.clock_period_ns - csynth.target_clock_ns) > _SAME_CLOCK_NS:
        raise ReportError(
            f"its clock has {found.clock_period_ns:g} ns, that of C synthesis "
            f"{csynth.target_clock_ns:g} ns, so its slack says nothing about this clock; constrain "
            "the same period"
        )
    return HlsStage(
        kind=_timing_of(found.stage),
        tool="Vivado",
        tool_version=found.tool_version,
        part=csynth.part,
        clock_period_ns=found.clock_period_ns,
        worst_slack_ns=found.worst_slack_ns,
        worst_hold_slack_ns=found.worst_hold_slack_ns,
    )


def _require_part(part: str, csynth: CSynthesis) -> None:
    if not same_part(part, csynth.part):
        raise ReportError(
            f"it is about part {part}, C synthesis about {csynth.part}; run Vivado on this project"
        )


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
