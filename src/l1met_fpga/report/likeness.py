"""Whether figures of two reports are of one kind: stage, tool, part, clock, samples.

Figures of different kinds may be looked at side by side; no verdict follows from their difference.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from l1met_fpga.report.physics import GAIN_SAMPLE
from l1met_fpga.results.keys import look_up

__all__ = ["Context", "contexts", "unlike"]

MEASURED: Final = "post-route"
"""The one stage that is no estimate."""
_TOLD_ELSEWHERE: Final = ("label", "events")
"""Parts of a sample's identity that have rows of their own."""
_DIGEST: Final = re.compile(r"[0-9a-f]{16,}")
_TRAINED: Final = ("training_samples", "training_events")
_RTL_COUNTS: Final = ("kind", "tool", "part", "clock_period_ns")
_CLOCKED: Final = ("part", "clock_period_ns")
_NEEDS: Final = (
    ("hls.latency_*", ("hls.backend", "hls.part", "hls.clock_period_ns")),
    ("hls.ii_cycles", ("hls.backend", "hls.part", "hls.clock_period_ns")),
    ("hls.estimated_*", ("hls.backend", "hls.part", "hls.clock_period_ns")),
    ("hls.*", ("hls.stage", "hls.tool", "hls.part", "hls.clock_period_ns")),
    *(
        (f"{rtl}.{figures}", tuple(f"{rtl}.{name}" for name in needs))
        for rtl in ("rtl", "rtl_parallel")
        for figures, needs in (
            ("latency_*", _CLOCKED),
            ("ii_cycles", _CLOCKED),
            ("lut_estimate*", _CLOCKED),
            ("*", _RTL_COUNTS),
        )
    ),
)
"""What must be equal for a figure, by its key; the first pattern that fits counts."""
_SHOWN: Final = (
    "model", "network", "sample", "seed",
    *_TRAINED,
    *(f"hls.{name}" for name in ("stage", "tool", "tool_version", "backend", *_CLOCKED)),
    *(
        f"{rtl}.{name}"
        for rtl in ("rtl", "rtl_parallel")
        for name in ("kind", "tool", "tool_version", *_CLOCKED)
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What two reports were made with.

    Attributes:
        key: Dotted key.
        old: Before.
        new: After.
    """

    key: str
    old: Any
    new: Any

    @property
    def same(self) -> bool:
        """Whether nothing changed; a tool's name may be written in small or large letters."""
        return bool(_plain(self.old) == _plain(self.new))

    @property
    def old_text(self) -> str:
        """Old value in words."""
        return _words(self.key, self.old)

    @property
    def new_text(self) -> str:
        """New value in words."""
        return _words(self.key, self.new)

    @property
    def verdict(self) -> str:
        """``differs``, or nothing."""
        return "" if self.same else "differs"


def contexts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Context]:
    """Return what the figures of two reports were made with; what neither has is left out."""
    keys = [*_SHOWN, *dict.fromkeys((*_sample_keys(old), *_sample_keys(new)))]
    both = [Context(key, look_up(old, key), look_up(new, key)) for key in keys]
    return [one for one in both if one.old is not None or one.new is not None]


def unlike(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Return why a figure of two reports is not of one kind; None if it is.

    What only one report says counts as different: it cannot be called the same.
    """
    needs = _physics_needs(key, old, new) if key.startswith("physics.") else _needs(key)
    for need in needs:
        found = Context(need, look_up(old, need), look_up(new, need))
        if not found.same:
            name = need.rpartition(".")[2].replace("_", " ")
            return f"{name}: {found.old_text} against {found.new_text}"
    return None


def _needs(key: str) -> tuple[str, ...]:
    return next((needs for pattern, needs in _NEEDS if fnmatchcase(key, pattern)), ())


def _physics_needs(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a physics figure depends on: the training, its sample, the pile-up sample."""
    yield from _TRAINED
    if not (old.get("evaluated") and new.get("evaluated")):
        yield "sample"
    label = key.split(".")[2] if key.startswith("physics.trigger.") else GAIN_SAMPLE
    for place in dict.fromkeys((*_sample_keys(old), *_sample_keys(new))):
        about = look_up(old, place.rpartition(".")[0]) or look_up(new, place.rpartition(".")[0])
        rates = isinstance(about, Mapping) and about.get("background")
        if rates or place.startswith(f"evaluated.{label}."):
            yield place


def _sample_keys(report: Mapping[str, Any]) -> Iterator[str]:
    for label in report.get("evaluated") or {}:
        yield f"evaluated.{label}.events"
        yield f"evaluated.{label}.identity"


def _plain(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _short(value: Any) -> str:
    """Return a digest by its first digits, which tell two apart; anything else as it is."""
    text = str(value)
    return f"{text[:8]}…" if _DIGEST.fullmatch(text) else text


def _words(key: str, value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, Mapping):
        told = {name: inner for name, inner in value.items() if name not in _TOLD_ELSEWHERE}
        return ", ".join(f"{name} {_short(inner)}" for name, inner in told.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if key.endswith((".stage", ".kind")):
        return f"{value} ({'measured' if str(value) == MEASURED else 'estimate'})"
    return f"{value:g}" if isinstance(value, float) else str(value)
