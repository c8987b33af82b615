"""One sentence on what a comparison of trainings shows; that nothing is shown is a sentence too."""

from collections.abc import Mapping
from typing import Final

from l1met_fpga.results.distillation import ArmResult, Effect
from l1met_fpga.results.metrics import WorkingPointInfo

__all__ = ["SAVED_LUTS", "verdict"]

SAVED_LUTS: Final = 0.2
"""Share of the LUTs that an arm must save to be worth a word at equal efficiency."""
_EQUAL: Final = 0.01
"""Loss of efficiency that is as good as none."""


def verdict(arms: Mapping[str, ArmResult], baseline: str, point: WorkingPointInfo) -> str:
    """Say whether training with teachers is better than without, by more than two errors.

    An arm counts only if no control does as well: a control has teachers that know nothing which the
    student could not know.

    Args:
        arms: All arms, the baseline among them.
        baseline: What they are compared with.
        point: The rate.
    """
    found = {
        name: arm.difference[point.key]
        for name, arm in arms.items()
        if arm.difference is not None and arm.difference[point.key].value is not None
    }
    controls = {name: one for name, one in found.items() if arms[name].control}
    taught = {name: one for name, one in found.items() if name not in controls}
    where = f"at {point.title}"
    if not taught:
        return f"No arm with teachers could be measured {where}: no verdict."
    best = max(taught, key=lambda name: taught[name].value or 0.0)
    found_gain = (taught[best].value or 0.0) > 0 and taught[best].is_real
    if not found_gain:
        return _null(taught, best, baseline, where) + _savings(arms, taught, baseline)
    equal = [name for name, one in controls.items() if _is_as_good(one, taught[best])]
    if equal:
        return (
            f"No gain by what teachers know {where}: {best} is better than {baseline} by "
            f"{_told(taught[best])}, but so is the control {equal[0]} by {_told(controls[equal[0]])}."
        )
    against = (
        f"; no control does as well ({', '.join(controls)})" if controls else "; no control ran"
    )
    return f"Teachers help {where}: {best} is better than {baseline} by {_told(taught[best])}{against}."


def _null(taught: Mapping[str, Effect], best: str, baseline: str, where: str) -> str:
    worse = [name for name, one in taught.items() if one.is_real and (one.value or 0.0) < 0]
    told = f", worse by more than that: {', '.join(worse)}" if worse else ""
    one = taught[best]
    limit = (one.value or 0.0) + 2 * (one.error or 0.0)
    return (
        f"No arm with teachers is better than {baseline} by more than two errors {where}{told}; the best, "
        f"{best}, differs by {_told(one)}, so a gain above {max(limit, 0.0):.3f} is unlikely (2 errors)."
    )


def _savings(arms: Mapping[str, ArmResult], taught: Mapping[str, Effect], baseline: str) -> str:
    """Name arms that are as good with fewer LUTs."""
    base = arms[baseline].luts
    for name, one in taught.items():
        luts = arms[name].luts
        if base is None or luts is None or one.value is None or one.error is None:
            continue
        if luts <= (1 - SAVED_LUTS) * base and one.value - one.error >= -_EQUAL:
            saved = 1 - luts / base
            return f" {name} needs {saved:.0%} fewer LUTs at equal efficiency ({_told(one)})."
    return ""


def _is_as_good(control: Effect, best: Effect) -> bool:
    """Whether a control is within one error of an arm."""
    return (control.value or 0.0) + (control.error or 0.0) >= (best.value or 0.0)


def _told(one: Effect) -> str:
    return f"{one.value:+.3f} ± {one.error:.3f}"
