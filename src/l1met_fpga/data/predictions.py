"""MET that other people computed, from NumPy files."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.data.truth import MAX_GEV, vector_from_polar, vector_from_xy
from l1met_fpga.errors import DataError

__all__ = ["read_met"]

FloatArray = npt.NDArray[np.float64]


def read_met(path: Path) -> tuple[FloatArray, FloatArray | None]:
    """Read MET, and generator MET when present, from ``.npz``.

    Keys: ``px`` and ``py``, or ``pt`` and ``phi`` (GeV, rad); the truth the same with ``gen_`` in
    front, NaN where it is a filler (:mod:`l1met_fpga.data.truth`).

    Raises:
        DataError: If the file cannot be read, has other keys, or a MET is none.
    """
    try:
        held = read_npz(path, error=DataError, next_step="write it again with numpy.savez")
        arrays = {key: np.asarray(array, dtype=np.float64) for key, array in held.items()}
    except FileNotFoundError:
        raise DataError(f"no file {path}; check the path") from None
    except (ValueError, TypeError) as err:
        raise DataError(f"{path} must hold numbers: {err}") from err
    met, truth = _vectors(arrays, "", path), _vectors(arrays, "gen_", path)
    if met is None:
        raise DataError(
            f"{path} needs arrays px and py, or pt and phi (and gen_px, gen_py or gen_pt, gen_phi "
            f"for the truth), got {sorted(arrays)}"
        )
    unknown = ~np.isfinite(met).all(axis=1)
    if unknown.any():
        raise DataError(
            f"{path}: {int(unknown.sum())} of {len(met)} events are no MET, the first is event "
            f"{int(unknown.argmax())}: a size below 0 or above {MAX_GEV:g} GeV, a direction "
            "beyond 2 pi (is it in rad?), or a value that is not finite; give every event its MET"
        )
    return met, truth


def _vectors(arrays: Mapping[str, FloatArray], prefix: str, path: Path) -> FloatArray | None:
    """Return MET vectors, NaN where there is none, or None without these arrays.

    A file may hold both forms if they say the same.
    """
    found: FloatArray | None = None
    for keys, polar in ((("px", "py"), False), (("pt", "phi"), True)):
        names = [prefix + key for key in keys]
        if all(name in arrays for name in names):
            first, second = (arrays[name] for name in names)
            if first.ndim != 1 or first.shape != second.shape:
                raise DataError(
                    f"{path}: {names[0]} {first.shape} and {names[1]} {second.shape} must be of "
                    "the same length, one number per event"
                )
            read = vector_from_polar if polar else _from_xy
            vectors = read(first, second, Counter(), "gen_met")
            if found is not None and not _agree(found, vectors):
                raise DataError(
                    f"{path}: {prefix}px, {prefix}py and {prefix}pt, {prefix}phi are other vectors; "
                    "leave two of the four away"
                )
            found = vectors if found is None else found
    return found


def _agree(one: FloatArray, other: FloatArray) -> bool:
    """Whether vectors are the same up to single precision."""
    return one.shape == other.shape and np.allclose(
        one, other, rtol=1e-4, atol=1e-2, equal_nan=True
    )


def _from_xy(px: FloatArray, py: FloatArray, tally: Counter[str], name: str) -> FloatArray:
    return vector_from_xy(np.stack([px, py], axis=1), tally, name)
