"""Open ROOT files, and say in a sentence why one cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uproot

from l1met_fpga.data.addresses import package_missing
from l1met_fpga.errors import DataError

__all__ = ["fast_zlib", "opened", "readable"]


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
