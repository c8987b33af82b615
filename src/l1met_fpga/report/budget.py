"""Budgets: limits from the model's YAML file against the figures of a report.

Two limits need no line in the file: every form of the network agrees bit by bit, and the clock is
met. "Passed" is said only of limits that were checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from l1met_fpga.config.budget import BudgetConfig
from l1met_fpga.errors import BudgetError, ConfigError, ReportError, UncheckedError
from l1met_fpga.results.keys import look_up
from l1met_fpga.results.report import Budget, HeldLimit, Report, Unchecked, Violation

__all__ = [
    "STAGES",
    "check_budget",
    "read_stages",
    "require_budget",
    "require_checked",
    "require_stages",
]

STAGES: Final = {
    "physics": "it was not evaluated (l1met evaluate)",
    "pruning": "there is no network.json (l1met train)",
    "bit_exactness": "it was not checked (l1met check)",
    "saturation": "it was not counted in test events (l1met check)",
    "rtl": "it was not built (l1met synthesize --build)",
    "rtl_parallel": "it was not built (rtl.parallel: true and l1met synthesize --build)",
    "hls": "no vendor tool was run (l1met synthesize --build with the tool on PATH)",
    "hls_words": "no vendor tool was run (l1met export vendor, l1met report --vendor)",
}
"""Stages that may not have run, and why there is nothing then."""


class _Limit(NamedTuple):
    key: str
    limit: float
    kind: Literal["at_most", "at_least"]


def check_budget(content: Mapping[str, Any], budget: BudgetConfig) -> Budget:
    """Hold every limit against the figures.

    Args:
        content: Content of ``report.json`` without the budget, as plain values.
        budget: Section ``budget``.
    """
    violations, unchecked, held = [], [], []
    limits = [*_written(budget), *_exactness(content), *_timing(content, budget)]
    for key, limit, kind in limits:
        value = look_up(content, key)
        if value is None:
            unchecked.append(Unchecked(key=key, reason=_reason(content, key)))
        elif value > limit if kind == "at_most" else value < limit:
            violations.append(Violation(key=key, value=value, limit=limit, kind=kind))
        else:
            held.append(HeldLimit(key=key, value=value, limit=limit, kind=kind))
    checked = len(limits) - len(unchecked)
    return Budget(
        passed=False if violations else None if unchecked else True,
        limits=len(limits),
        checked=checked,
        summary=_summary(len(limits), violations, unchecked),
        violations=violations,
        unchecked=unchecked,
        held=held,
    )


def require_budget(budget: Budget) -> None:
    """Check that no limit is broken; :func:`require_checked` is about those not checked.

    Raises:
        BudgetError: Names each broken limit.
    """
    if budget.violations:
        raise BudgetError(f"budget violated: {', '.join(map(str, budget.violations))}")


def require_checked(report: Report, without: Sequence[str]) -> None:
    """Check that every limit was held against a figure.

    Args:
        report: Content of ``report.json``.
        without: Stages that the run may lack; limits on one that did not run do not count.

    Raises:
        UncheckedError: Names each limit that was not checked, and why.
    """
    lacking = [f"{stage}." for stage in without if getattr(report, stage) is None]
    left = [row for row in report.budget.unchecked if not row.key.startswith(tuple(lacking))]
    if left:
        stages = sorted({row.key.partition(".")[0] for row in left} - set(without))
        more = f", or say what the run goes without (--without {','.join(stages)})"
        raise UncheckedError(
            f"{len(left)} of {report.budget.limits} limits not checked: "
            f"{'; '.join(f'{row.key} ({row.reason})' for row in left)}. Make these figures"
            f"{more if stages else ''}"
        )


def read_stages(text: str | None, option: str) -> list[str]:
    """Read names of stages with commas between; None gives none.

    An empty text is refused like an unknown stage: a gate must not open by an empty variable.

    Raises:
        ConfigError: If there is no such stage.
    """
    stages = [] if text is None else [stage.strip() for stage in text.split(",")]
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise ConfigError(
            f"{option} takes stages of the report, got {', '.join(map(repr, unknown))}; "
            f"there are {', '.join(STAGES)}"
        )
    return stages


def require_stages(report: Report, stages: Sequence[str]) -> None:
    """Check that stages have run.

    Raises:
        ReportError: Names each stage that has no figures.
    """
    content = report.model_dump()
    missing = [f"{s}: {_reason(content, s)}" for s in stages if content[s] is None]
    if missing:
        raise ReportError(f"required, but without figures: {'; '.join(missing)}")


def _written(budget: BudgetConfig) -> Iterator[_Limit]:
    yield from (_Limit(key, limit, "at_most") for key, limit in budget.at_most.items())
    yield from (_Limit(key, limit, "at_least") for key, limit in budget.at_least.items())


def _exactness(content: Mapping[str, Any]) -> Iterator[_Limit]:
    for form, agreement in (content["bit_exactness"] or {}).items():
        if agreement is not None:
            yield _Limit(f"bit_exactness.{form}.differing", 0.0, "at_most")


def _timing(content: Mapping[str, Any], budget: BudgetConfig) -> Iterator[_Limit]:
    """Yield limits on the slack, and on the estimate of C synthesis where nothing better is."""
    if budget.timing == "ignore":
        return
    for stage in ("hls", "rtl"):
        found = content[stage] or {}
        keys = ("worst_slack_ns", "worst_hold_slack_ns")
        present = [key for key in keys if found.get(key) is not None]
        yield from (_Limit(f"{stage}.{key}", 0.0, "at_least") for key in present)
        estimate = found.get("estimated_clock_period_ns")
        if not present and estimate is not None and found["clock_period_ns"] is not None:
            key = f"{stage}.estimated_clock_period_ns"
            yield _Limit(key, found["clock_period_ns"], "at_most")


def _reason(content: Mapping[str, Any], key: str) -> str:
    """Say why there is no figure."""
    stage, _, rest = key.partition(".")
    if content.get(stage) is None:
        told = [f"{f['path']}: {f['reason']}" for f in content["findings"] if f["stage"] == stage]
        return told[0] if told else STAGES.get(stage, "it is not known")
    reasons = content[stage].get("reasons", {}) if isinstance(content[stage], Mapping) else {}
    for place, reason in reasons.items():
        if rest == place or rest.startswith(f"{place}."):
            return str(reason)
    return _where_it_ends(content, key)


def _where_it_ends(content: Mapping[str, Any], key: str) -> str:
    parts = key.split(".")
    for n in range(len(parts) - 1, 0, -1):
        place = ".".join(parts[:n])
        here = look_up(content, place)
        if isinstance(here, Mapping):
            name = ".".join(parts[n:])
            if parts[n] in here or name in here:
                break
            return f"there is no {name!r} in {place} (there are {', '.join(here) or 'none'})"
    return "it was not measured"


def _summary(limits: int, violations: Sequence[Violation], unchecked: Sequence[Unchecked]) -> str:
    if limits == 0:
        return "no limits"
    broken = f"{len(violations)} broken" if violations else "none broken"
    left = f"; not checked: {', '.join(row.key for row in unchecked)}" if unchecked else ""
    told = f" ({'; '.join(map(str, violations))})" if violations else ""
    return f"{limits - len(unchecked)} of {limits} checked, {broken}{told}{left}"
