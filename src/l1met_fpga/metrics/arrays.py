"""Arrays as every figure takes them: finite, one row per event; a vector is px then py, GeV."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError

__all__ = [
    "FloatArray",
    "check_finite",
    "check_met_xy",
    "check_same_length",
    "magnitude_gev",
    "met_xy_from_polar",
]

FloatArray = npt.NDArray[np.float64]


def check_finite(values: npt.ArrayLike, size: int, *, name: str) -> FloatArray:
    """Return an array as float64 after checking its form.

    Args:
        values: Shape (n_events, size).
        size: How many numbers an event has.
        name: What the array is, used in messages.

    Raises:
        DataError: If the shape is another or a value is NaN or infinite.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != size:
        what = " (px, py in GeV)" if size == 2 else ""
        raise DataError(f"{name} must have shape (n_events, {size}){what}, got {found.shape}")
    bad = ~np.isfinite(found).all(axis=1)
    if bad.any():
        raise DataError(
            f"{name}: {int(bad.sum())} of {len(found)} events are NaN or infinite, the first is "
            f"event {int(bad.argmax())}; remove these events from all arrays before evaluating"
        )
    return found


def check_met_xy(met_xy_gev: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return the array as float64 after checking its form.

    Args:
        met_xy_gev: MET vectors, shape (n_events, 2).
        name: What the array is, used in messages.

    Raises:
        DataError: If the shape is not (n, 2) or a value is NaN or infinite.
    """
    return check_finite(met_xy_gev, 2, name=name)


def check_same_length(arrays: Mapping[str, npt.ArrayLike]) -> int:
    """Return the common number of events of named arrays.

    Raises:
        DataError: If the arrays do not have the same length; says each length.
    """
    lengths = {name: len(np.asarray(values)) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(
            f"arrays of the same events must have the same length, got {found}; "
            "check that they come from the same sample in the same order"
        )
    return next(iter(lengths.values()))


def met_xy_from_polar(pt_gev: npt.ArrayLike, phi_rad: npt.ArrayLike) -> FloatArray:
    """Return px, py, shape (n, 2), of vectors given as magnitude and azimuth."""
    check_same_length({"pt": pt_gev, "phi": phi_rad})
    pt, phi = np.asarray(pt_gev, np.float64), np.asarray(phi_rad, np.float64)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=-1)


def magnitude_gev(met_xy_gev: npt.ArrayLike) -> FloatArray:
    """Return |MET| in GeV, shape (n,)."""
    met = np.asarray(met_xy_gev, dtype=np.float64)
    return np.hypot(met[..., 0], met[..., 1])
