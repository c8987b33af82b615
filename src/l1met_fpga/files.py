"""Files that appear whole or not at all, and the right to be the only one who makes them."""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["atomic_path", "exclusive", "write_json"]

_log = logging.getLogger(__name__)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    A reader sees the old file or the whole new one, never a part; after an error the old file
    stays and the temporary one is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the sole right to make ``path``, waiting while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock_path = path.parent / f".{path.name}.lock"
    lock = _locked(lock_path)
    try:
        yield
    finally:
        lock_path.unlink()
        lock.close()


def _locked(path: Path) -> IO[str]:
    while True:
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("waiting for another process (%s)", path)
            fcntl.flock(lock, fcntl.LOCK_EX)
        # The process before this one removed its lock file: a lock on that one guards nothing.
        if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
            return lock
        lock.close()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically; NaN is refused because JSON has none."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
