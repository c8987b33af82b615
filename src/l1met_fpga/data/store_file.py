"""A store as a file: told from other files, and what the system or HDF5 say about it, in words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from l1met_fpga.data.attributes import FORMAT, stored_text
from l1met_fpga.data.hdf5 import open_hdf5
from l1met_fpga.errors import DataError

__all__ = ["damage_told", "is_store", "unreadable"]


def is_store(path: Path) -> bool:
    """Tell a store, also one of another version, from other files by its content."""
    try:
        with open_hdf5(path) as file:
            return bool(stored_text(file.attrs.get("format")) == FORMAT)
    except OSError:
        return False
    except (KeyError, RuntimeError, ValueError):  # damaged, which opening it as a store says
        return True


def unreadable(path: Path, err: OSError) -> str:
    """Say what the system refuses, or else that the file is damaged."""
    if err.errno is not None:
        return f"cannot read {path}: {os.strerror(err.errno)}; check its permissions and the disk"
    return (
        f"{path} is not a readable HDF5 file ({err}); it is no store, or it was cut while it was "
        "copied. `l1met convert` makes a store of any other file"
    )


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what HDF5 and JSON say about a damaged file into one sentence."""
    try:
        yield
    except OSError as err:
        raise DataError(unreadable(path, err)) from err
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as err:
        raise DataError(f"{path} is damaged ({err}); copy the file again or make it again") from err
