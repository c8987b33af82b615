"""Folders for what is being made, which vanish with their makers: also with one that was killed.

A maker holds an flock on its folder. Whoever makes the same thing later removes folders of that
thing which nobody holds. Where folders cannot be locked, what a killed maker left stays.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

__all__ = ["PREFIX", "scratch"]

PREFIX: Final = ".l1met-"
"""How the names of such folders begin."""


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """Yield a new folder beside a path, for work on that path; it is removed afterwards.

    Args:
        beside: What is being made; its folder must exist.

    Raises:
        OSError: If the folder of ``beside`` may not be written.
    """
    prefix = f"{PREFIX}{sha256(os.fsencode(beside.name)).hexdigest()[:12]}-"
    _remove_abandoned(beside.parent, prefix)
    folder, lock = _locked_folder(beside.parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = parent / f"{prefix}{secrets.token_hex(8)}"
        folder.mkdir(0o700)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # no locks on this file system
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder, lock
        os.close(lock)  # taken for abandoned before it was locked


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # held by its maker, removed by another process, or no locks here
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
