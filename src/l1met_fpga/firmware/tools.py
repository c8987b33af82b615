"""The one door to external programs: compilers, simulators, synthesis tools."""

import functools
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from l1met_fpga.caches import private_temporary_folder
from l1met_fpga.errors import ToolError, ToolMissingError
from l1met_fpga.files import require_folder

__all__ = ["find_tool", "pipe_through", "require_tool", "run_tool"]

logger = logging.getLogger(__name__)

TAIL_LINES = 15
"""Lines of the log that an error message repeats."""
_CACHES: Final = {"YOWASP_CACHE_DIR": "yowasp"}
"""Variables that tell a tool where its cache is, which it otherwise keeps in the home folder."""


def find_tool(*names: str) -> str | None:
    """Return the path of the first of these programs that is on PATH, or None."""
    return next((path for name in names if (path := shutil.which(name))), None)


def require_tool(name: str, *, advice: str) -> str:
    """Return the path of a program.

    Args:
        name: Program name.
        advice: What the user can do when it is missing.

    Raises:
        ToolMissingError: If it is not on PATH.
    """
    path = find_tool(name)
    if path is None:
        raise ToolMissingError(f"{name!r} is not on PATH; {advice}")
    return path


def run_tool(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program, write everything it says to ``log``, and check its exit code.

    It runs in a process group of its own, which is stopped as a whole: vendor tools are scripts
    that start others.

    Args:
        argv: Program and arguments; no shell is involved.
        cwd: Folder to run in.
        log: File for its output.
        timeout_s: Stop it after this many seconds.
        environment: Variables to set on top of the present ones.

    Raises:
        ToolMissingError: If the program does not exist.
        ToolError: If it fails or takes too long; quotes the end of the log.
    """
    program = Path(str(argv[0])).name
    log.parent.mkdir(parents=True, exist_ok=True)
    logger.debug("running %s in %s, log %s", program, cwd, log)
    try:
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                [str(a) for a in argv],
                cwd=cwd,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_cache_variables(), **(environment or {})},
                start_new_session=True,
            )
    except FileNotFoundError as err:
        raise ToolMissingError(f"cannot start {program!r}: {err}") from None
    try:
        returncode = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{program} was stopped after {timeout_s:g} s; see {log}") from None
    finally:  # also at Ctrl-C, which the terminal does not send to another session
        if process.returncode is None:
            _kill_group(process)
    if returncode:
        tail = "\n".join(
            log.read_text(errors="replace", encoding="utf-8").splitlines()[-TAIL_LINES:]
        )
        raise ToolError(f"{program} exited with {returncode}; see {log}. It ended with:\n{tail}")


def pipe_through(argv: Sequence[str | Path], given: bytes, *, what: str, timeout_s: float) -> bytes:
    """Run a program on bytes and return the bytes that it answers.

    Args:
        argv: Program and arguments; no shell is involved.
        given: Its standard input.
        what: The program in words, for messages.
        timeout_s: Stop it after this many seconds.

    Raises:
        ToolError: If it fails or takes too long; quotes the end of what it said.
    """
    with subprocess.Popen(
        [str(a) for a in argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            answer, said = process.communicate(given, timeout_s)
        except subprocess.TimeoutExpired:
            raise ToolError(f"{what} was stopped after {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                _kill_group(process)
    if process.returncode:
        tail = said.decode(errors="replace").strip()[-500:]
        raise ToolError(f"{what} died with exit code {process.returncode}. {tail}")
    return answer


@functools.cache
def _cache_variables() -> dict[str, str]:
    """Return cache folders for tools whose own place, below the home folder, cannot be written.

    Batch slots have homes that may not be written, or none; a tool would end there.
    """
    wanted = [name for name in _CACHES if name not in os.environ]
    if not wanted or _home_cache_is_writable():
        return {}
    base = private_temporary_folder()
    return {name: str(base / _CACHES[name]) for name in wanted}


def _home_cache_is_writable() -> bool:
    try:
        require_folder(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    except (OSError, RuntimeError):  # RuntimeError: no HOME, and a user unknown to the system
        return False
    return True


def _kill_group(leader: subprocess.Popen[bytes]) -> None:
    """Stop a process and all that it started in its group."""
    os.killpg(leader.pid, signal.SIGKILL)  # it was not waited for, so its number is still its own
    leader.wait()
