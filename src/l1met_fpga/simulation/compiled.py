"""One decorator for all compiled functions of the simulation.

numba's cache on disk looks at the file of a function, not at the files of the functions it calls,
and would go on with old code after a change. Here the cache's folder carries a checksum of all
sources of the room, so any change compiles again.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numba

from l1met_fpga.caches import cache_folder

__all__ = ["compiled"]

HERE: Final = Path(__file__).parent


def _cache_folder() -> Path:
    sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))
    base = Path(numba.config.CACHE_DIR or cache_folder("compiled"))
    return base / hashlib.sha256(sources).hexdigest()[:16]


CACHE_FOLDER: Final = _cache_folder()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function with numba and keep the result for the next process.

    No fast-math options: the same numbers come out on every processor.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        return numba.njit(function, cache=True)
    finally:
        numba.config.CACHE_DIR = before
