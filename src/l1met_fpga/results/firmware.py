"""Firmware figures of ``report.json``: the RTL, and the vendor's reports of the HLS project."""

from pydantic import Field, JsonValue

from l1met_fpga.results.base import Number, Period, Result

__all__ = ["HlsFigures", "HlsStage", "RtlFigures", "RtlTiming"]


class RtlTiming(Result):
    """Open static timing of the netlist.

    Attributes:
        tight_mhz: Clock with the net delays of a well-packed block by itself.
        typical_mhz: Of an ordinary design.
        congested_mhz: Of a nearly full device.
        late_ends: Ends of paths that miss the clock, typical nets.
        worst_paths: The five longest paths of typical nets, in words.
    """

    tight_mhz: Number | None = None
    typical_mhz: Number | None = None
    congested_mhz: Number | None = None
    late_ends: Number | None = None
    worst_paths: JsonValue = None


class RtlFigures(Result):
    """Streaming or fully parallel RTL; ``kind`` says what the counts are, and from which tool."""

    lanes: int | None
    ii_cycles: Number | None
    latency_first_word_cycles: Number | None
    latency_last_word_cycles: Number | None
    clock_period_ns: Period | None
    lut: Number | None
    ff: Number | None
    dsp: Number | None
    bram: Number | None
    lut_estimate: Number | None
    tool: str | None
    tool_version: str | None
    part: str | None
    kind: str | None = None
    latency_gt_word_cycles: Number | None = None
    lut_percent: Number | None = None
    lut_percent_of_slr: Number | None = None
    dsp_percent: Number | None = None
    lut_estimate_traced: Number | None = None
    worst_slack_ns: Number | None = None
    worst_hold_slack_ns: Number | None = None
    timing: RtlTiming | None = None


class HlsStage(Result):
    """One vendor report."""

    kind: str
    tool: str
    tool_version: str
    part: str
    clock_period_ns: Period | None = None
    estimated_clock_period_ns: Period | None = None
    latency_cycles: Number | None = None
    latency_ns: Number | None = None
    ii_cycles: Number | None = None
    lut: Number | None = None
    ff: Number | None = None
    dsp: Number | None = None
    bram: Number | None = None
    uram: Number | None = None
    percent_of_part: dict[str, float] | None = None
    percent_of_slr: dict[str, float] | None = None
    worst_slack_ns: Number | None = None
    worst_hold_slack_ns: Number | None = None


class HlsFigures(Result):
    """The vendor's figures of the HLS project.

    Attributes:
        stage: Where the resources come from: ``C synthesis`` (an estimate), ``post-synthesis``,
            ``post-place`` or ``post-route``.
        estimated_clock_period_ns: Of C synthesis.
        worst_slack_ns: Setup slack of the latest timing report; negative misses the clock.
        worst_hold_slack_ns: Its hold slack.
        stages: Every report found.
        io_type: How candidates enter: ``io_parallel``, ``io_stream`` or ``words``.
        reasons: Why a figure is ``null``, by its key below ``hls``.
    """

    backend: str | None
    tool: str | None
    tool_version: str | None
    part: str | None
    clock_period_ns: Period | None
    estimated_clock_period_ns: Period | None = None
    latency_cycles: Number | None
    latency_ns: Number | None = None
    ii_cycles: Number | None
    lut: Number | None
    ff: Number | None
    dsp: Number | None
    bram: Number | None
    uram: Number | None
    stage: str | None
    worst_slack_ns: Number | None = None
    worst_hold_slack_ns: Number | None = None
    stages: list[HlsStage] = Field(default_factory=list)
    reasons: dict[str, str] = Field(default_factory=dict)
    io_type: str | None = None
