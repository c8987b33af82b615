"""One answer to one question of a reader; a page shows it as a tile, a terminal as a line."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Answer", "Verdict"]

Verdict = Literal["good", "bad", "open"]
"""Shown to hold, shown not to hold, or not decided: not measured, or within its error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to one question of a reader.

    Attributes:
        topic: What the question is about.
        value: The answer, a word or a number with its unit.
        note: What is needed to read it rightly.
        verdict: Whether it is good.
        more: What a line says besides, and a tile has no room for.
    """

    topic: str
    value: str
    note: str
    verdict: Verdict
    more: str = ""

    @property
    def details(self) -> str:
        """What is said after the value."""
        return "; ".join(filter(None, (self.note, self.more)))

    @property
    def line(self) -> str:
        """The answer as one line of text."""
        return f"{self.topic}: {self.value}" + (f"; {self.details}" if self.details else "")
