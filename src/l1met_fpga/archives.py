"""NumPy archives (``.npz``) read whole, with one sentence for every way of being damaged."""

import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import L1MetError

__all__ = ["read_npz"]

_DAMAGE: Final = (
    ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the readers of the standard library and of NumPy raise for contents that make no sense."""


def read_npz(path: Path, *, error: type[L1MetError], next_step: str) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of a NumPy archive; Python objects are refused.

    Args:
        path: The archive.
        error: Kind of error to raise for a damaged file.
        next_step: What the user can do about it ("copy it again").

    Raises:
        L1MetError: As ``error``, if it is no archive of arrays.
        OSError: If it is missing or may not be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist()}
    except OSError as err:
        if err.errno is not None and err.filename is not None:
            raise
        raise _damaged(path, err, error, next_step) from None
    except _DAMAGE as err:
        raise _damaged(path, err, error, next_step) from None


def _array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _damaged(path: Path, err: Exception, error: type[L1MetError], next_step: str) -> L1MetError:
    return error(f"{path} is not a readable NumPy archive (.npz: {err}); {next_step}")
