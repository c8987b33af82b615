"""What changed between two reports, and whether a figure became worse by too much."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConfigError, ReportError
from l1met_fpga.report.collect import check_report, load_json

__all__ = ["DEFAULT_RULES", "Change", "Rule", "changes", "load_report", "parse_thresholds"]

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
        verdict: ``same``, ``better``, ``worse``, ``worse (allowed)``, ``new``, ``gone``,
            ``changed`` (no direction).
        too_much: Whether it is worse than its threshold.
    """

    key: str
    old: float | None
    new: float | None
    error: float | None
    verdict: str
    too_much: bool

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
    return "not run" if value is None else f"{value:.6g}"


def load_report(path: Path) -> dict[str, Any]:
    """Read ``report.json`` or that of a run folder.

    Raises:
        ReportError: If there is none or it is damaged.
    """
    file = path / "report.json" if path.is_dir() else path
    report = load_json(file)
    if report is None:
        raise ReportError(f"no {file}; make it with `l1met report`")
    check_report(report, file)
    return report


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
    old: Mapping[str, Any], new: Mapping[str, Any], rules: Sequence[Rule] = DEFAULT_RULES
) -> list[Change]:
    """Compare every number of two reports.

    A stage that ran before and not now is ``gone`` and counts as too much worse when a rule knows
    the key: a figure must not pass by not being measured.
    """
    before, after = dict(_numbers(old)), dict(_numbers(new))
    return [
        _change(key, before, after, _rule(key, rules))
        for key in dict.fromkeys((*before, *after))
        if not key.endswith(".error") and not key.startswith("budget.")
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
    key: str, before: Mapping[str, float], after: Mapping[str, float], rule: Rule | None
) -> Change:
    old, new = before.get(key), after.get(key)
    if old is None or new is None:
        gone = new is None
        return Change(key, old, new, None, "gone" if gone else "new", gone and rule is not None)
    sibling = f"{key.rpartition('.')[0]}.error"
    error = None
    if key.endswith((".value", ".efficiency")) and sibling in before and sibling in after:
        error = math.hypot(before[sibling], after[sibling])
    if old == new:
        return Change(key, old, new, error, "same", False)
    if rule is None:
        return Change(key, old, new, error, "changed", False)
    worsening = old - new if rule.higher_is_better else new - old
    if worsening < 0:
        return Change(key, old, new, error, "better", False)
    allowed = rule.allowed * abs(old) + (N_SIGMA * error if error is not None else 0.0)
    too_much = worsening > allowed
    return Change(key, old, new, error, "worse" if too_much else "worse (allowed)", too_much)
