"""No step is silent: what a long one is doing is said again while nothing else is said."""

import threading
import time
from typing import Final, Self

from rich.console import Console
from rich.status import Status

__all__ = ["SILENCE_S", "Activity"]

SILENCE_S: Final = 10.0
"""The longest time without a sign of life."""


class Activity:
    """A spinner on a terminal; elsewhere a line whenever nothing was said for a while.

    Args:
        console: Where lines go.
        doing: What is being done first.
        silence_s: The longest time without a line.
    """

    def __init__(self, console: Console, doing: str, *, silence_s: float = SILENCE_S) -> None:
        self._console, self._silence_s = console, silence_s
        self._doing, self._since_s = doing, time.monotonic()
        self._said_s = self._since_s
        self._ended = threading.Event()
        self._status = Status(doing, console=console) if console.is_terminal else None
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Give signs of life from now on."""
        (self._status or self._thread).start()

    def stop(self) -> None:
        """Be silent; nothing is printed after this."""
        self._ended.set()
        if self._status is None:
            self._thread.join()
        else:
            self._status.stop()

    def doing(self, what: str) -> None:
        """Begin with something else."""
        self._doing, self._since_s = what, time.monotonic()
        if self._status is not None:
            self._status.update(what)

    def say(self, line: str) -> None:
        """Print a line."""
        self._console.print(line)
        self._said_s = time.monotonic()

    def _repeat(self) -> None:
        while not self._ended.wait(max(0.05, self._said_s + self._silence_s - time.monotonic())):
            if time.monotonic() - self._said_s >= self._silence_s:
                self.say(f"{self._doing}: {time.monotonic() - self._since_s:.0f} s")
