"""The four firmwares of a network side by side: which to take when, and who measured what."""

from typing import Final

from l1met_fpga.report.page import EMPTY, Table, number
from l1met_fpga.results.exactness import FormAgreement
from l1met_fpga.results.firmware import HlsFigures, RtlFigures
from l1met_fpga.results.report import Report

__all__ = ["combinations"]

_COLUMNS: Final = (
    "firmware", "clock (MHz)", "latency (clocks)", "interval (clocks)", "LUT",
    "outputs that differ", "measured by", "take it",
)  # fmt: skip
_USES: Final = {
    "HLS arrays": "for all candidates in one clock, as an emulator's source",
    "HLS words": "for links with a vendor's HLS tool",
    "RTL streaming": "for links: smallest and first",
    "RTL parallel": "to compare with published designs",
}
_NO_VENDOR: Final = "g++ (exactness); no vendor tool has run"


def combinations(report: Report) -> Table | None:
    """Return one row per firmware, None if none was built or checked.

    Args:
        report: Content of ``report.json``.
    """
    arrays, words = report.hls, report.hls_words
    if arrays is not None and arrays.io_type == "words":  # the run's own project is of that kind
        arrays, words = None, arrays
    rows = (
        _hls("HLS arrays", report, arrays, "hls_csim"),
        _hls("HLS words", report, words, "hls_words"),
        _rtl("RTL streaming", report, report.rtl, "rtl_verilator"),
        _rtl("RTL parallel", report, report.rtl_parallel, None),
    )
    known = tuple(row for row in rows if row is not None)
    if not known:
        return None
    note = (
        "Latency: HLS, first input to result; RTL streaming, last word to result; RTL parallel, all "
        "candidates in one clock. Clock: what a timing report or the static timing allows, "
        "otherwise what was asked for. A dash is a figure that no tool has given."
    )
    return Table("Which firmware", _COLUMNS, known, note=note)


def _hls(name: str, report: Report, found: HlsFigures | None, form: str) -> tuple[str, ...] | None:
    check = _check(report, form)
    if found is None and check is None:
        return None
    if found is None:
        return (name, *[EMPTY] * 4, _differing(check), _NO_VENDOR, _USES[name])
    return (
        name,
        _clock(found.clock_period_ns, found.worst_slack_ns, found.estimated_clock_period_ns),
        number(found.latency_cycles),
        number(found.ii_cycles),
        number(found.lut),
        _differing(check),
        f"{found.tool} {found.tool_version}, {found.stage}",
        _USES[name],
    )


def _rtl(
    name: str, report: Report, found: RtlFigures | None, form: str | None
) -> tuple[str, ...] | None:
    if found is None:
        return None
    typical = found.timing.typical_mhz if found.timing is not None else None
    clock = (
        f"{typical:.0f} (static timing)"
        if found.worst_slack_ns is None and typical is not None
        else _clock(found.clock_period_ns, found.worst_slack_ns, None)
    )
    latency = found.latency_last_word_cycles
    return (
        name,
        clock,
        number(latency),
        number(found.ii_cycles),
        number(found.lut if found.lut is not None else found.lut_estimate),
        _differing(_check(report, form)) if form else "a lane is that of the streaming RTL",
        f"{found.tool} {found.tool_version or ''}, {found.kind or 'counted'}".replace(" ,", ","),
        _USES[name],
    )


def _check(report: Report, form: str) -> FormAgreement | None:
    return (report.bit_exactness or {}).get(form)


def _differing(check: FormAgreement | None) -> str:
    return "not checked" if check is None else f"{check.differing} of {check.outputs}"


def _clock(period_ns: float | None, slack_ns: float | None, estimated_ns: float | None) -> str:
    """Say what a design reaches: after timing, by C synthesis, or what it was asked for."""
    if period_ns is None:
        return EMPTY
    if slack_ns is not None and slack_ns < period_ns:
        return f"{1e3 / (period_ns - slack_ns):.0f} (slack)"
    if estimated_ns is not None:
        return f"{1e3 / estimated_ns:.0f} (estimate)"
    return f"{1e3 / period_ns:.0f} (asked for)"
