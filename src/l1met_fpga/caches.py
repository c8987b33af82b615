"""Where the package keeps what it can make again.

That are stores of ROOT samples, generated collisions, compiled functions and the part of Verilator
that every simulation has. Nothing is kept in the folder where a command is called.
"""

import logging
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "private_temporary_folder"]

_log = logging.getLogger(__name__)


def cache_folder(name: str) -> Path:
    """Return a folder of this user's cache, and make it.

    The cache is ``L1MET_CACHE``, else ``l1met`` in ``XDG_CACHE_HOME`` or in ``~/.cache``. Where it
    may not be written (batch slots without a home), it is a folder of this user in the temporary
    folder, and a message says so. All of it may be removed at any time.

    Args:
        name: Folder inside the cache.
    """
    try:
        return _made(_chosen() / name)
    except (OSError, RuntimeError) as err:  # no home at all is a RuntimeError
        folder = _made(private_temporary_folder() / name)
        _log.warning(
            "the cache cannot be written (%s); %s is used, set L1MET_CACHE to another folder",
            err, folder,
        )  # fmt: skip
        return folder


def _chosen() -> Path:
    if own := os.environ.get("L1MET_CACHE"):
        return Path(own).absolute()
    common = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG base directory specification ignores a relative path.
    return (common if common.is_absolute() else Path.home() / ".cache") / "l1met"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"no permission to write {folder}")
    return folder


def private_temporary_folder() -> Path:
    """Return a folder that only this user may write: the same one each time, or else a new one."""
    folder = Path(tempfile.gettempdir()) / f"l1met-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o022:
        return folder
    return Path(tempfile.mkdtemp(prefix="l1met-"))
