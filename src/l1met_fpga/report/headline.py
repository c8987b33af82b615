"""What a run has shown: the answers on the first screen of a report and at the end of a command."""

from collections import Counter
from collections.abc import Mapping

from l1met_fpga.report.answer import Answer
from l1met_fpga.report.headline_firmware import firmware_answers
from l1met_fpga.report.headline_physics import physics_answers
from l1met_fpga.results.exactness import FormAgreement
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import Budget, Report

__all__ = ["answers"]


def answers(
    report: Report, metrics: Metrics | None, network: str | None = None
) -> tuple[Answer, ...]:
    """Answer what is asked first: exact? better? how large? how late? how fast? within limits?

    Args:
        report: Content of ``report.json``.
        metrics: Content of ``metrics.json``, if evaluated.
        network: Name of the run's network in ``metrics``; the first network if not given.
    """
    return (
        _exact(report.bit_exactness),
        *(physics_answers(metrics, network) if metrics is not None else (_not_evaluated(),)),
        *firmware_answers(report),
        _budget(report.budget),
    )


def _exact(found: Mapping[str, FormAgreement | None] | None) -> Answer:
    checked = {form: row for form, row in (found or {}).items() if row is not None}
    if not checked:
        return Answer("bit-exact", "not checked", "`make hls` or `l1met check` does it", "open")
    wrong = [form for form, row in checked.items() if row.differing]
    differing, outputs = (
        sum(getattr(row, name) for row in checked.values()) for name in ("differing", "outputs")
    )
    told = f"{differing:,} of {outputs:,} outputs differ: {', '.join(checked)}"
    if wrong:
        return Answer("bit-exact", f"NO: {', '.join(wrong)}", told, "bad")
    return Answer("bit-exact", f"{len(checked)} of {len(checked)} forms", told, "good")


def _not_evaluated() -> Answer:
    return Answer("efficiency", "not evaluated", "`l1met evaluate` does it", "open")


def _budget(found: Budget) -> Answer:
    if not found.limits:
        return Answer("budget", "no limits", "", "open")
    broken = [str(row) for row in found.violations]
    left = Counter(row.key.partition(".")[0] for row in found.unchecked)
    unchecked = ", ".join(f"{n} of {stage}" for stage, n in left.items())
    return Answer(
        topic="budget",
        value=f"{found.checked} of {found.limits} checked, {len(broken) or 'none'} broken",
        note="; ".join((*broken, *([f"not checked: {unchecked}"] if left else []))),
        verdict="bad" if broken else "good" if found.passed else "open",
    )
