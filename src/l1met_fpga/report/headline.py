"""What a run has shown, in the few lines that end a command on the screen."""

from collections.abc import Iterator
from typing import Final

from l1met_fpga.evaluation.summary import bin_text, with_error
from l1met_fpga.results.firmware import RtlFigures
from l1met_fpga.results.metrics import Efficiency, Metrics
from l1met_fpga.results.report import Report

__all__ = ["firmware_lines", "physics_lines"]

_AGAINST: Final = {"puppi": "PUPPI", "table": "the weight table"}
_TWINS: Final = ("float", "unpruned")


def physics_lines(metrics: Metrics) -> list[str]:
    """Say what the first network gains at the lowest rate: one line per signal sample.

    Args:
        metrics: Content of ``metrics.json``.

    Returns:
        Nothing without a network or a rate; the notes of the evaluation say why.
    """
    if metrics.primary is None or not metrics.working_points:
        return []
    point = min(metrics.working_points, key=lambda one: one.rate_khz)
    lines = []
    for label, found in metrics.trigger.items():
        key, row = next(iter(found.efficiency[point.key].items()))
        where = f"{label}, genMET {bin_text(key)}, {point.title}"
        lines.append(f"{where}: {_gain(metrics, metrics.primary, row)}")
    return lines


def _gain(metrics: Metrics, primary: str, row: dict[str, Efficiency]) -> str:
    mine, title = row[primary], metrics.title(primary)
    if mine.efficiency is None:
        return f"{title}: {mine.missing}"
    text = f"{title} keeps {mine.efficiency:.3f} of the events"
    puppi = row.get("puppi")
    if puppi is not None and puppi.efficiency:
        ratio = mine.efficiency / puppi.efficiency
        text += f", {ratio:.1f} x as many as PUPPI MET ({puppi.efficiency:.3f})"
    twins = {f"{primary}_{form}": f"its {form} twin" for form in _TWINS}
    differences = [
        f"{with_error(mine.difference[name])} to {told}"
        for name, told in (_AGAINST | twins).items()
        if name in mine.difference and mine.difference[name].value is not None
    ]
    return f"{text}; {', '.join(differences)}" if differences else text


def firmware_lines(report: Report) -> list[str]:
    """Say whether the forms agree, what the firmware costs, and which limits hold.

    Args:
        report: Content of ``report.json``.
    """
    return [*_exactness(report), _rtl(report), f"budget: {report.budget.summary}"]


def _exactness(report: Report) -> Iterator[str]:
    checked = {form: row for form, row in (report.bit_exactness or {}).items() if row is not None}
    if checked:
        wrong = [form for form, row in checked.items() if row.differing]
        if wrong:
            yield f"NOT bit-exact: {', '.join(wrong)} of {', '.join(checked)}"
        else:
            yield f"bit-exact: {len(checked)} of {len(checked)} forms ({', '.join(checked)})"


def _rtl(report: Report) -> str:
    rtl = report.rtl
    if rtl is None:
        return (
            "latency and LUTs are not known yet: `make rtl` (l1met synthesize --build) makes the "
            "streaming RTL, simulates it and counts its LUTs with open tools, in one to two minutes"
        )
    return f"streaming RTL: {'; '.join((*_resources(rtl), *_timing(rtl)))}"


def _resources(rtl: RtlFigures) -> Iterator[str]:
    if rtl.lut is None:
        yield "no resources, the synthesis did not run"
        return
    part = f" of {rtl.part.split('-')[0]}" if rtl.part else ""
    share = "" if rtl.lut_percent is None else f" ({rtl.lut_percent:.1f} %{part})"
    yield f"{rtl.lut:,.0f} LUT{share}, {rtl.dsp or 0:,.0f} DSP"


def _timing(rtl: RtlFigures) -> Iterator[str]:
    period = rtl.clock_period_ns
    if rtl.latency_last_word_cycles is not None:
        told = f"{rtl.latency_last_word_cycles:g} clocks"
        if period is not None:
            told += f" = {rtl.latency_last_word_cycles * period:.0f} ns"
        yield f"{told} from the last word to px, py"
    if rtl.ii_cycles is not None:
        yield f"an event every {rtl.ii_cycles:g} clocks"
    if period is not None:
        routed = "not routed"
        if rtl.worst_slack_ns is not None:
            routed = f"routed, worst slack {rtl.worst_slack_ns:+.3f} ns"
        yield f"{1000 / period:.0f} MHz, {routed}"
