"""What the firmware costs and how fast it is, as few numbers as can be read at a glance."""

from collections.abc import Iterable, Iterator
from typing import Final

from l1met_fpga.report.answer import Answer, Verdict
from l1met_fpga.results.firmware import HlsFigures, RtlFigures
from l1met_fpga.results.report import Report

__all__ = ["firmware_answers"]

_RESOURCES: Final = ("lut", "ff", "dsp", "bram", "uram")
_TIMING: Final = ("worst_slack_ns", "worst_hold_slack_ns", "estimated_clock_period_ns")
_CYCLES: Final = ("ii_cycles", "latency_cycles", "latency_last_word_cycles", "latency_gt_word_cycles",
                  "latency_first_word_cycles")  # fmt: skip


def firmware_answers(report: Report) -> Iterator[Answer]:
    """Yield cost, latency and clock of the RTL, or of the HLS project where there is no RTL."""
    broken = {row.key for row in report.budget.violations}
    found: RtlFigures | HlsFigures | None = report.rtl or report.hls
    if found is None:
        yield _not_built(report.lut_estimate)
        return
    stage = "hls" if isinstance(found, HlsFigures) else "rtl"

    def verdict(names: Iterable[str], *, known: bool) -> Verdict:
        if any(f"{stage}.{name}" in broken for name in names):
            return "bad"
        return "good" if known else "open"

    yield _resources(found, verdict(_RESOURCES, known=found.lut is not None))
    yield _latency(found, verdict(_CYCLES, known=_cycles(found) is not None))
    yield _clock(found, verdict(_TIMING, known=found.worst_slack_ns is not None))


def _not_built(luts: float | None) -> Answer:
    """Say what is known without firmware: LUTs that were counted from the design, if it streams."""
    value = "not known yet" if luts is None else f"about {float(f'{luts:.3g}'):,.0f} LUT"
    counted = () if luts is None else ("counted from the design of the streaming RTL",)
    how = (
        "`make rtl` (l1met synthesize --build) makes the streaming RTL, simulates it and "
        "counts its LUTs with open tools, in one to two minutes"
    )
    return Answer("LUTs, clocks, MHz", value, "; ".join((*counted, how)), "open")


def _resources(found: RtlFigures | HlsFigures, verdict: Verdict) -> Answer:
    topic = f"HLS {found.stage}" if isinstance(found, HlsFigures) else "streaming RTL"
    if found.lut is None:
        return Answer(topic, "LUTs not known", "the synthesis did not run", verdict)
    percent, part = _percent(found), (found.part or "the part").split("-")[0]
    share = () if percent is None else (f"{percent:.1f} % of {part}",)
    tool = " ".join(filter(None, (found.tool, found.tool_version)))
    parts = (*share, f"{found.dsp or 0:,.0f} DSP", *([tool] if tool else []))
    return Answer(topic, f"{found.lut:,.0f} LUT", "; ".join(parts), verdict)


def _percent(found: RtlFigures | HlsFigures) -> float | None:
    if isinstance(found, RtlFigures):
        return found.lut_percent
    shares = (row.percent_of_part or {} for row in found.stages if row.lut == found.lut)
    return next((share["lut"] for share in shares if "lut" in share), None)


def _cycles(found: RtlFigures | HlsFigures) -> float | None:
    if isinstance(found, RtlFigures):
        return found.latency_last_word_cycles
    return found.latency_cycles


def _latency(found: RtlFigures | HlsFigures, verdict: Verdict) -> Answer:
    cycles, period, parts = _cycles(found), found.clock_period_ns, []
    if cycles is not None:
        from_where = " from the last word to the result" if isinstance(found, RtlFigures) else ""
        parts.append(f"{cycles:g} clocks{from_where}")
    if found.ii_cycles is not None:
        parts.append(f"an event every {found.ii_cycles:g} clocks")
    value = "not known"
    if cycles is not None:
        value = f"{cycles:g} clocks" if period is None else f"{cycles * period:.0f} ns"
    return Answer("latency", value, "; ".join(parts), verdict)


def _clock(found: RtlFigures | HlsFigures, verdict: Verdict) -> Answer:
    period, slack = found.clock_period_ns, found.worst_slack_ns
    value = "not known" if period is None else f"{1000 / period:.0f} MHz"
    if slack is not None:
        verdict = "bad" if slack < 0 else verdict
        return Answer("clock", value, f"routed, worst slack {slack:+.3f} ns", verdict)
    timing = found.timing if isinstance(found, RtlFigures) else None
    parts = ["not routed"]
    if timing is not None and timing.typical_mhz is not None:
        parts.append(f"{timing.typical_mhz:.0f} MHz by open static timing, typical nets")
    return Answer("clock", value, "; ".join(parts), verdict)
