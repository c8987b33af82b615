"""Open ROOT files, and say in a sentence why one cannot be read."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uproot
from uproot.reading import ReadOnlyKey
from uproot.source.cursor import Cursor

from l1met_fpga.data.addresses import package_missing
from l1met_fpga.errors import DataError

__all__ = ["fast_zlib", "may_hold", "opened", "readable"]


_KEY_BYTES: Final = struct.calcsize(">ihiIhhqq")
"""Longest head of an object in a file."""


@contextmanager
def opened(path: str, *, all_metadata: bool = False) -> Iterator[Any]:
    """Open a file or URL with uproot.

    Args:
        path: File name or URL.
        all_metadata: Read also what is rarely used of trees, such as their friends.

    Raises:
        DataError: If the file is missing, damaged, or needs a package that is not installed.
    """
    with readable(path):
        file = uproot.open(
            path, object_cache=None, array_cache=None, minimal_ttree_metadata=not all_metadata
        )
    with file:
        yield file


def may_hold(file: Any, class_name: str) -> bool:
    """Whether objects of a class may be in a file: its name is among the descriptions of classes.

    These are only searched: to interpret them takes as long as to read thousands of events.
    """
    root = file.file
    if root.fSeekInfo == 0:
        return False
    cursor = Cursor(root.fSeekInfo)
    chunk = root.chunk(root.fSeekInfo, min(root.fSeekInfo + _KEY_BYTES, root.fEND))
    content, _ = ReadOnlyKey(chunk, cursor, {}, root, root).get_uncompressed_chunk_cursor()
    return class_name.encode() in content.raw_data.tobytes()


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Turn what uproot raises in the block into a sentence about the file.

    Raises:
        DataError: Instead of any other exception.
    """
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"no file {path}; check the path") from None
    except PermissionError as err:
        raise DataError(f"cannot read {path}: {err.strerror}; check its permissions") from None
    except ImportError as err:
        raise DataError(f"cannot open {path}: {package_missing(path, err)}") from err
    except Exception as err:  # uproot raises whatever a damaged byte leads to
        raise _explained(path, err) from err


def _explained(path: str, err: Exception) -> DataError:
    reason = " ".join(str(err).split())[:200]
    if "unsupported compression algorithm" in reason:
        return DataError(
            f"{path} is compressed in a way that is not supported ({reason}); write it again with "
            "`hadd -f505 NEW.root OLD.root`"
        )
    # uproot says "expected Chunk of length ..." when a file ends early.
    if "://" in path and isinstance(err, OSError) and "expected Chunk" not in reason:
        if "no such file" in reason.lower():
            return DataError(f"no such file on the server: {path}; check the path")
        return DataError(
            f"cannot read {path} ({reason}); check the server, your credentials and the path"
        )
    return DataError(
        f"{path} is not a readable ROOT file ({type(err).__name__}: {reason}); it is empty, "
        "damaged, or was cut while it was copied"
    )


@contextmanager
def fast_zlib() -> Iterator[None]:
    """Let uproot use ISA-L, which is faster than zlib."""
    # uproot decompresses with an object of a base class of ZLIB, which has the setting.
    owner = next(kind for kind in uproot.ZLIB.__mro__ if "library" in vars(kind))
    before, owner.library = owner.library, "isal"
    try:
        yield
    finally:
        owner.library = before
