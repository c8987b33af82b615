"""The improvement in sentences: what the network gains at each working point."""

from collections.abc import Iterator
from typing import Final

from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import Metrics

__all__ = ["REFERENCES", "bin_text", "summary_lines", "with_error"]

REFERENCES: Final[tuple[str, ...]] = (
    "puppi", "jump", "jets", "scaled_puppi", "per_type", "table",
)  # fmt: skip
"""Baselines that the text compares with, where present."""


def with_error(measured: Measured, *, percent: bool = False, sign: bool = True) -> str:
    """Return ``+0.123 +- 0.004``, or ``not measured`` without a value."""
    value, error = measured.value, measured.error
    if value is None:
        return "not measured"
    scale, digits, unit = (100.0, 1, " %") if percent else (1.0, 3, "")
    shown = round(scale * value, digits) + 0.0  # no minus in front of zero
    text = f"{shown:{'+' if sign else ''}.{digits}f}"
    return text + (f" ± {scale * error:.{digits}f}" if error is not None else "") + unit


def summary_lines(metrics: Metrics) -> list[str]:
    """Return sentences about the first network, or about every file without one."""
    estimates = metrics.estimates
    references = [name for name in REFERENCES if name in estimates] or list(estimates)[:1]
    subjects = [metrics.primary] if metrics.primary else list(estimates)[1:]
    lines: list[str] = []
    for subject in subjects:
        others = [name for name in references if name != subject]  # a network may be called jets
        for label in metrics.resolution:
            lines += _resolution_lines(metrics, label, subject, others)
        for label in metrics.trigger:
            lines += _trigger_lines(metrics, label, subject, others)
    return lines


def _resolution_lines(
    metrics: Metrics, label: str, subject: str, references: list[str]
) -> Iterator[str]:
    low, high = metrics.config.gain_range_gev
    gains, words = metrics.resolution[label].gain[subject], metrics.words
    for reference in references:
        told = ", ".join(
            f"{words.widths[part].title} {with_error(gain, percent=True)}"
            for part, gain in gains[reference].items()
        )
        yield (
            f"{label}, {words.truth} {low:g}-{high:g} {words.unit}: slope-corrected resolution of "
            f"{metrics.title(subject)} against {metrics.title(reference)}: {told} (positive is "
            "better)."
        )


def _trigger_lines(
    metrics: Metrics, label: str, subject: str, references: list[str]
) -> Iterator[str]:
    found = metrics.trigger[label]
    for point in metrics.working_points:
        for key, row in found.efficiency[point.key].items():
            mine = row[subject]
            if mine.efficiency is None:
                yield f"{label}, {point.title}, {metrics.words.truth} {bin_text(key)}: {mine.missing}."
                continue
            others = "; ".join(
                f"{metrics.title(name)} {_number(row[name].efficiency)} "
                f"({with_error(mine.difference[name])})"
                for name in references
            )
            yield (
                f"{label}, {point.title}, {metrics.words.truth} {bin_text(key)}: efficiency of "
                f"{metrics.title(subject)} {mine.efficiency:.3f} "
                f"[{mine.low:.3f}, {mine.high:.3f}] against {others}."
            )
        reached = [
            f"{metrics.title(name)} {curve.offline_gev:.0f} GeV"
            for name in (subject, *references)
            if (curve := found.turn_on[point.key][name]).offline_gev is not None
        ]
        if reached:
            yield f"{label}, {point.title}: 90 % efficiency at {', '.join(reached)}."


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def bin_text(key: str) -> str:
    """Return ``100-150 GeV`` or ``> 150 GeV`` for a key of ``metrics.json``."""
    return f"> {key[6:]} GeV" if key.startswith("above_") else f"{key.replace('_', '-')} GeV"
