"""The lines that end a command: the answers of the report's first screen."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.console import Console

from l1met_fpga.cli.terminal import styled

if TYPE_CHECKING:
    from l1met_fpga.report.answer import Answer, Verdict

__all__ = ["print_answers"]

STYLES: "Final[dict[Verdict, str]]" = {"good": "green", "bad": "bold red", "open": "yellow"}


def print_answers(console: Console, answers: "Iterable[Answer]") -> None:
    """Print a line per answer, with what more there is to say in a line below it.

    On a terminal the answer has the colour of its verdict.
    """
    for answer in answers:
        note = f"; {answer.note}" if answer.note else ""
        value = (answer.value, STYLES[answer.verdict])
        console.print(styled(f"{answer.topic}: ", value, note))
        if answer.more:
            console.print(styled(f"  {answer.more}"))
