"""What changed between two reports, and whether a figure became worse by too much."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import BudgetError, ConfigError, NotComparableError
from l1met_fpga.report.likeness import Context, contexts, unlike
from l1met_fpga.results.base import read_result
from l1met_fpga.results.report import Report

__all__ = [
    "DEFAULT_RULES",
    "Change",
    "Comparison",
    "Rule",
    "changes",
    "compare",
    "load_report",
    "parse_thresholds",
    "require_judged",
]

NOT_COMPARABLE: Final = "not comparable"
EXACT: Final = "bit_exactness.*.differing"
"""Judged against 0 where the old report does not have the form."""
N_SIGMA: Final = 3.0
"""A figure with an error is worse only if it moved by more than this many combined errors."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which way is better, and how much worse is allowed.

    Attributes:
        pattern: Dotted keys, ``*`` matches anything.
        higher_is_better: Direction.
        allowed: Allowed relative worsening.
    """

    pattern: str
    higher_is_better: bool
    allowed: float


DEFAULT_RULES: Final = (
    Rule("physics.gain_vs_*.value", True, 0.0),
    Rule("physics.loss_vs_float.*.value", False, 0.0),
    Rule("physics.trigger.*.efficiency", True, 0.0),
    Rule("bit_exactness.*.differing", False, 0.0),
    Rule("bit_exactness.*.largest_lsb", False, 0.0),
    Rule("saturation.*.share", False, 0.05),
    Rule("lut_estimate", False, 0.05),
    Rule("rtl*.ii_cycles", False, 0.0),
    Rule("rtl*.latency_*_cycles", False, 0.05),
    Rule("hls.ii_cycles", False, 0.0),
    Rule("hls.latency_cycles", False, 0.05),
    *(
        Rule(f"{part}.{name}", False, 0.05)
        for part in ("rtl*", "hls")
        for name in ("lut", "ff", "dsp", "bram", "uram")
    ),
)
"""Figures with errors (physics) must move by more than 3 errors; the others have a fraction."""


@dataclass(frozen=True, slots=True)
class Change:
    """One number in two reports.

    Attributes:
        key: Dotted key.
        old: Before; ``None`` when the stage was not run.
        new: After.
        error: Combined error of the difference, for figures that have one. The two reports may
            share events, then the true error is smaller and this test is careful.
        verdict: ``same``, ``better``, ``worse``, ``worse (allowed)``, ``new``, ``not run`` (any
            more), ``not comparable``, ``changed`` (no direction).
        too_much: Whether it is worse than its threshold.
        reason: Why it is not comparable.
    """

    key: str
    old: float | None
    new: float | None
    error: float | None
    verdict: str
    too_much: bool = False
    reason: str | None = None

    @property
    def old_text(self) -> str:
        """Old value."""
        return _text(self.old)

    @property
    def new_text(self) -> str:
        """New value."""
        return _text(self.new)

    @property
    def change_text(self) -> str:
        """Difference, relative where there is no error."""
        if self.old is None or self.new is None:
            return "-"
        difference = self.new - self.old
        if self.error is not None:
            return f"{difference:+.4g} ± {self.error:.2g}"
        return f"{difference:+.6g}" + (f" ({difference / self.old:+.1%})" if self.old else "")


def _text(value: float | None) -> str:
    return "not run" if value is None else f"{value:.5g}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side.

    Attributes:
        contexts: What they were made with; said before any figure.
        changes: Every figure.
    """

    contexts: list[Context]
    changes: list[Change]

    @property
    def reasons(self) -> list[str]:
        """Why figures could not be judged, one sentence per reason."""
        keys: dict[str, list[str]] = {}
        for row in self.changes:
            if row.reason is not None:
                keys.setdefault(row.reason, []).append(row.key)
        return [
            f"not comparable: {reason}: {len(names)} figures ({', '.join(names[:4])}"
            f"{', ...' if len(names) > 4 else ''})"
            for reason, names in keys.items()
        ]


def load_report(path: Path) -> Report:
    """Read ``report.json`` or that of a run folder.

    Raises:
        ReportError: If there is none or it is damaged.
    """
    file = path / "report.json" if path.is_dir() else path
    return read_result(Report, file, made_by="l1met report")


def compare(
    old: Report,
    new: Report,
    rules: Sequence[Rule] | None = None,
    *,
    missing_is_worse: bool = False,
) -> Comparison:
    """Compare two reports, see :func:`changes`."""
    before, after = old.model_dump(), new.model_dump()
    found = changes(before, after, rules or DEFAULT_RULES, missing_is_worse=missing_is_worse)
    return Comparison(contexts(before, after), found)


def require_judged(found: Comparison) -> None:
    """Check that no figure is worse than its threshold and that all could be judged.

    Raises:
        BudgetError: Names the figures that are worse.
        NotComparableError: Says which figures are not of one kind.
    """
    worse = [row.key for row in found.changes if row.too_much]
    if worse:
        raise BudgetError(
            f"{len(worse)} figures are worse than their thresholds: {', '.join(worse)}"
        )
    if found.reasons:
        raise NotComparableError(
            f"figures were not judged: {'; '.join(found.reasons)}. Compare reports of one kind"
        )


def parse_thresholds(typed: Sequence[str]) -> tuple[Rule, ...]:
    """Return the default rules with the allowed worsening of some keys replaced.

    Raises:
        ConfigError: If a text is not ``KEY=FRACTION`` or no rule knows the key's direction.
    """
    own = []
    for text in typed:
        key, _, value = text.partition("=")
        known = _rule(key, DEFAULT_RULES)
        try:
            allowed = float(value)
        except ValueError:
            allowed = math.nan
        if known is None or not allowed >= 0:
            raise ConfigError(
                f"--threshold takes KEY=FRACTION with a key such as rtl.lut or "
                f"hls.latency_cycles and a fraction of 0 or more, got {text!r}"
            )
        own.append(Rule(key, known.higher_is_better, allowed))
    return (*own, *DEFAULT_RULES)


def changes(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    rules: Sequence[Rule] = DEFAULT_RULES,
    *,
    missing_is_worse: bool = False,
) -> list[Change]:
    """Compare every number of two reports.

    Args:
        old: Content of ``report.json`` before.
        new: After.
        rules: Directions and allowed worsening.
        missing_is_worse: Whether a figure that was measured before and is not any more counts as
            too much worse, so that nothing passes by not being measured.
    """
    before, after = dict(_numbers(old)), dict(_numbers(new))
    made_with = {one.key for one in contexts(old, new)}
    return [
        _change(key, before, after, _rule(key, rules), unlike(key, old, new), missing_is_worse)
        for key in dict.fromkeys((*before, *after))
        if not key.endswith(".error")
        and not key.startswith(("budget.", "evaluated."))
        and key not in made_with
    ]


def _rule(key: str, rules: Sequence[Rule]) -> Rule | None:
    return next((rule for rule in rules if fnmatchcase(key, rule.pattern)), None)


def _numbers(report: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(report, Mapping):
        for key, value in report.items():
            yield from _numbers(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(report, int | float) and not isinstance(report, bool):
        yield prefix, float(report)


def _change(
    key: str,
    before: Mapping[str, float],
    after: Mapping[str, float],
    rule: Rule | None,
    reason: str | None,
    missing_is_worse: bool,
) -> Change:
    old, new = before.get(key), after.get(key)
    if new is None:
        return Change(key, old, new, None, "not run", missing_is_worse and rule is not None)
    if old is None:
        inexact = fnmatchcase(key, EXACT) and new > 0
        return Change(key, old, new, None, "worse" if inexact else "new", inexact)
    sibling = f"{key.rpartition('.')[0]}.error"
    error = None
    if key.endswith((".value", ".efficiency")) and sibling in before and sibling in after:
        error = math.hypot(before[sibling], after[sibling])
    if rule is None:
        return Change(key, old, new, error, "same" if old == new else "changed")
    if reason is not None:
        return Change(key, old, new, error, NOT_COMPARABLE, reason=reason)
    return _judged(key, old, new, error, rule)


def _judged(key: str, old: float, new: float, error: float | None, rule: Rule) -> Change:
    worsening = old - new if rule.higher_is_better else new - old
    if worsening == 0:
        return Change(key, old, new, error, "same")
    if worsening < 0:
        return Change(key, old, new, error, "better")
    allowed = rule.allowed * abs(old) + (N_SIGMA * error if error is not None else 0.0)
    too_much = worsening > allowed
    return Change(key, old, new, error, "worse" if too_much else "worse (allowed)", too_much)
