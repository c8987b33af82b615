"""How the simulation writes a tree of nested branches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from l1met_fpga.files import atomic_path

__all__ = ["write_tree"]


def write_tree(path: Path, name: str, branches: Mapping[str, Any], *, compact: bool) -> None:
    """Write a tree, whole or not at all.

    Args:
        path: File to write.
        name: Of the tree.
        branches: NumPy arrays, a number per entry, and awkward arrays, a list of records per entry.
        compact: Compress as well as possible.
    """
    import uproot

    types = {
        key: values.dtype if isinstance(values, np.ndarray) else values.type.content
        for key, values in branches.items()
    }
    compression = uproot.LZMA(9) if compact else uproot.ZSTD(3)
    with (
        atomic_path(path) as temporary,
        uproot.recreate(temporary, compression=compression) as file,
    ):
        file.mktree(name, types)
        file[name].extend(branches)
