"""How the program prints: what it is given, letter by letter, on any terminal.

A name of a file or a message may hold square brackets, colons and letters that the terminal does
not have. Consoles made here therefore know no markup; styles are put on with ``styled``.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

__all__ = ["console", "print_error", "program", "readable", "readable_os_error", "stream_prints",
           "styled", "tolerant_streams"]  # fmt: skip

_ENDLESS_WORD: Final = re.compile(r"\S{1000,}")  # paths are shorter
_LOG_FILE_WIDTH: Final = 150
"""Columns of tables that go to a file or a pipe, where nothing wraps."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that changes and wraps nothing of what it is told to print."""
    made = Console(stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _LOG_FILE_WIDTH
    return made


def styled(*parts: object | tuple[object, str]) -> Text:
    """Return the parts one after the other; a part is a value or ``(value, style)``."""
    pairs = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Text.assemble(*((str(value), style) for value, style in pairs))


def program() -> str:
    """Return how this program can be called again: by its name if that is on PATH."""
    called = Path(sys.argv[0])
    return "l1met" if called.name != "l1met" or shutil.which("l1met") else str(called)


def print_error(sentence: str) -> None:
    """Print the sentence of an error to the standard error, endless words shortened."""
    console(stderr=True).print(styled(("error:", "bold red"), " ", readable(sentence)))


def readable(sentence: str) -> str:
    """Shorten words that nobody reads: a number of a thousand digits, a line without blanks."""
    return _ENDLESS_WORD.sub(lambda word: f"{word[0][:100]}...{word[0][-100:]}", sentence)


def readable_os_error(error: OSError) -> str:
    """Return what the operating system refused, with the files it was about."""
    reason = error.strerror or str(error) or type(error).__name__
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    if not names:
        return reason
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = _what_is_no_folder(Path(names[0])) or reason
    if isinstance(error, IsADirectoryError):
        reason = "it is a folder, and a file is needed there; choose another name"
    return f"{' -> '.join(names)}: {reason}"


def _what_is_no_folder(path: Path) -> str | None:
    """Say which part of a path is in the way of a folder; None if none is."""
    for part in (*reversed(path.parents), path):
        if os.path.lexists(part) and not part.is_dir():
            what = "leads nowhere" if not part.exists() else "is no folder"
            return f"{part} {what}, and a folder is needed there; choose another place"
    return None


def tolerant_streams() -> None:
    """Let the standard streams replace letters that their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def stream_prints(text: str) -> bool:
    """Say whether the encoding of the standard output has every letter of ``text``."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
