"""Budgets: limits from the model's YAML file against the figures of a report."""

from collections.abc import Mapping
from typing import Any

from l1met_fpga.config.budget import BudgetConfig

__all__ = ["check_budget", "value_at"]


def value_at(report: Mapping[str, Any], key: str) -> float | None:
    """Return the number at a dotted key; ``None`` where a stage was not run or there is no number."""
    here: Any = report
    for part in key.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return None
        here = here[part]
    return float(here) if isinstance(here, int | float) and not isinstance(here, bool) else None


def check_budget(report: Mapping[str, Any], budget: BudgetConfig) -> dict[str, Any]:
    """Return ``passed``, ``violations`` and ``not_checked`` (limits on stages that did not run).

    Any output that differs between two forms of the network is a violation too.
    """
    violations, skipped = [], []
    limits = [(key, limit, "at_most") for key, limit in budget.at_most.items()]
    limits += [(key, limit, "at_least") for key, limit in budget.at_least.items()]
    for key, limit, kind in limits:
        value = value_at(report, key)
        if value is None:
            skipped.append(key)
        elif value > limit if kind == "at_most" else value < limit:
            violations.append({"key": key, "value": value, "limit": limit, "kind": kind})
    for form, agreement in (report.get("bit_exactness") or {}).items():
        if agreement is not None and agreement["differing"]:
            key = f"bit_exactness.{form}.differing"
            value = float(agreement["differing"])
            violations.append({"key": key, "value": value, "limit": 0.0, "kind": "at_most"})
    return {"passed": not violations, "violations": violations, "not_checked": skipped}
