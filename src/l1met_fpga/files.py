"""Files that appear whole or not at all, and the right to be the only one who makes them."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from l1met_fpga.locks import exclusive

__all__ = ["atomic_path", "exclusive", "write_json"]


_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LONGEST_SUFFIX: Final = 16


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    A reader sees the old file or the whole new one, never a part; after an error, a full disk for
    example, the old file stays and the temporary one is removed. A new file has the permissions
    that the user's umask (or the folder's default list) gives it, a replaced one keeps its own.

    Raises:
        OSError: If the file cannot be written; its ``filename`` is ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    temporary = path.with_name(f".l1met-{secrets.token_hex(8)}{suffix}")
    try:
        # The kernel applies the umask, which can be read only by changing it.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield temporary
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as err:
        if err.filename == str(temporary) or (err.filename is None and err.errno in _NO_ROOM):
            raise OSError(err.errno, err.strerror, str(path)) from err
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically; NaN is refused because JSON has none."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")
