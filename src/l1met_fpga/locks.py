"""The right to be the only process that makes a file, on folders with and without file locks."""

import errno
import fcntl
import logging
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

__all__ = ["exclusive", "is_held"]

_log = logging.getLogger(__name__)

_LONGEST_NAME: Final = 255
"""Bytes of a file name on the file systems in use."""
_POLL_S: Final = 0.2


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the sole right to make ``path``, waiting while another process has it.

    The right is an flock on a file beside ``path``, which the kernel frees when its holder dies.
    Some network folders have no flock. There two things stand for it: a lock in the temporary
    folder, against processes of this machine, and a file beside ``path`` that only one can create,
    against other machines. The latter outlives a machine that crashes; whoever waits for it is
    told which file to remove.

    Raises:
        OSError: If the folder of ``path`` may not be written; its ``filename`` is ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(_flocked(_beside(path, "lock"), remove=True))
        except _NoLocksError as err:
            _log.warning("%s has no file locks (%s); a lock file is used", path.parent, err)
            held.enter_context(_created(_beside(path, "held")))
        except OSError as err:
            raise OSError(err.errno, err.strerror, str(path)) from err
        yield


def is_held(path: Path) -> bool:
    """Say whether a process holds the right to make ``path``; nothing is made or waited for."""
    if _beside(path, "held").exists():
        return True
    try:
        lock = os.open(_beside(path, "lock"), os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


class _NoLocksError(Exception):
    """The file system of a lock file does not lock."""


def _beside(path: Path, ending: str) -> Path:
    name = f".{path.name}.{ending}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f".{_digest(path.name)}.{ending}"
    return path.with_name(name)


def _digest(text: str) -> str:
    return sha256(os.fsencode(text)).hexdigest()[:32]


@contextmanager
def _flocked(path: Path, *, remove: bool) -> Iterator[int]:
    """Hold an flock on ``path``; ``remove`` says whether to remove it afterwards."""
    lock = _lock(path)
    try:
        yield lock
    finally:
        if remove:
            path.unlink(missing_ok=True)
        os.close(lock)


def _lock(path: Path) -> int:
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            _wait_for_flock(lock, path)
            # The process before this one removed its lock file: a lock on that one guards nothing.
            if path.exists() and os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _wait_for_flock(lock: int, path: Path) -> None:
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("waiting for another process (%s)", path)
            fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as err:  # ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL: as many as file systems
        path.unlink(missing_ok=True)
        raise _NoLocksError(err.strerror) from err


@contextmanager
def _created(path: Path) -> Iterator[None]:
    """Hold ``path`` by having created it, and a lock of this machine by the same name."""
    user = os.getuid()
    here = Path(tempfile.gettempdir()) / f"l1met-{user}-{_digest(str(path.resolve()))}.lock"
    with ExitStack() as held:
        try:
            lock = held.enter_context(_flocked(here, remove=False))
        except _NoLocksError as err:
            reason = f"no file locks, nor in {here.parent}; set TMPDIR to a folder of this machine"
            raise OSError(errno.ENOLCK, reason, str(path.parent)) from err
        _create(path, f"user {user} on {platform.node()} ({os.fstat(lock).st_ino})")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _create(path: Path, owner: str) -> None:
    told = False
    while True:
        with suppress(FileExistsError), path.open("x", encoding="utf-8") as made:
            made.write(owner)
            return
        with suppress(FileNotFoundError):
            found = path.read_text(encoding="utf-8")
            if found == owner:  # left by a process that died: the lock of this machine is ours
                return
            if not told:
                _log.warning("waiting for %s; remove %s if it has crashed", found, path)
                told = True
        time.sleep(_POLL_S)
