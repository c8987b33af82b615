"""Files that appear whole or not at all, and the right to be the only one who makes them."""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import L1MetError
from l1met_fpga.locks import exclusive
from l1met_fpga.scratch import scratch

__all__ = [
    "MARK",
    "atomic_folder",
    "atomic_path",
    "exclusive",
    "read_json",
    "remove_folder",
    "replaced_folder",
    "require_folder",
    "write_json",
]

MARK: Final = ".l1met-export"
"""File that says which export made a folder."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces ``path`` when the block ends well.

    A reader sees the old file or the whole new one, never a part; after an error, a full disk for
    example, the old file stays and the temporary one is removed. A new file has the permissions
    that the user's umask (or the folder's default list) gives it, a replaced one keeps its own.
    What a link points to is replaced, never the link.

    Raises:
        OSError: If the file cannot be written; its ``filename`` is ``path``.
    """
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = ""
    try:
        with scratch(path) as folder:
            inside, temporary = str(folder), folder / path.name
            # The kernel applies the umask, which can be read only by changing it.
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            yield temporary
            if path.exists():
                shutil.copymode(path, temporary)
            temporary.replace(path)
    except OSError as err:
        ours = bool(inside) and str(err.filename).startswith(inside)
        if ours or not inside or (err.filename is None and err.errno in _NO_ROOM):
            raise OSError(err.errno, err.strerror, str(path)) from err
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder that replaces ``path`` when the block ends well.

    A process that is killed leaves the old folder, none, or the whole new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch(path) as folder:
        fresh = folder / "new"
        fresh.mkdir()
        yield fresh
        if path.exists():
            path.replace(folder / "old")
        fresh.replace(path)


@contextmanager
def replaced_folder(folder: Path, kind: str, *, error: type[L1MetError]) -> Iterator[Path]:
    """Yield an empty folder that takes the place of an earlier export in the end, or of nothing.

    Args:
        folder: The folder; new, empty, or made by this function for the same kind.
        kind: Which export this is, for example ``cpp``.
        error: Kind of error to raise.

    Raises:
        L1MetError: As ``error``, if the folder holds anything else, or is the working folder;
            nothing is changed then.
    """
    folder = folder.resolve()  # what a link points to is replaced, never the link
    if folder == Path.cwd():
        raise error(f"{folder} is the working folder; choose another --output")
    with exclusive(folder):
        if not _replaceable(folder, kind):
            raise error(
                f"{folder} is not empty and is no earlier `l1met export {kind}`; refusing to "
                "replace it. Choose another --output"
            )
        with atomic_folder(folder) as fresh:
            (fresh / MARK).write_text(f"{kind}\n", encoding="utf-8")
            yield fresh


def _replaceable(folder: Path, kind: str) -> bool:
    """Whether nothing is there, an empty folder, or what was made of that kind."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    mark = folder / MARK
    return mark.is_file() and mark.read_text(encoding="utf-8").strip() == kind


def require_folder(path: Path) -> None:
    """Check, before long work, that results can be written to a folder; it is not made yet.

    Raises:
        OSError: If not; its ``filename`` is ``path``. A file is in the way, or it is forbidden.
    """
    there = next(part for part in (path, *path.parents) if _exists(part))
    try:
        with scratch(there / path.name):
            pass
    except OSError as err:
        raise OSError(err.errno, err.strerror, str(path)) from err


def _exists(path: Path) -> bool:
    """Whether there is anything; errors other than that there is nothing go on."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove_folder(path: Path) -> None:
    """Remove a folder at once: one that is there is whole, also after the process was killed."""
    with scratch(path) as folder:
        path.replace(folder / "old")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically; NaN is refused because JSON has none."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")


def read_json(path: Path, *, error: type[L1MetError], next_step: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: The file.
        error: Kind of error to raise for a damaged file.
        next_step: What the user can do about it ("make it again with `l1met train`").

    Raises:
        L1MetError: As ``error``, if it is no JSON object; NaN and infinity are no JSON.
        OSError: If it is missing or may not be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as err:
        raise error(f"{path}: it is not JSON ({err}); {next_step}") from None
    if not isinstance(content, dict):
        raise error(f"{path}: it holds no JSON object; {next_step}")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"it has no {constant}")
