"""HDF5 files of L1METML (ucsd-hep-ex/L1METML, ``convertNanoToHDF5.py``).

``X`` has shape (n_events, n_slots, 8 or more): pt, px, py, eta, phi, PUPPI weight, code of the
type, code of the charge, then properties that have no place in a store. ``Y`` is px and py of the generator's missing momentum.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.hdf5 import open_hdf5
from l1met_fpga.data.quantize import clean, count_full_slots, from_physical, located
from l1met_fpga.data.truth import GEN_MET, vector_from_xy
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import ParticleId

__all__ = ["read_l1metml"]

_PHYSICAL: Final = {"pt": 0, "eta": 3, "phi": 4, "puppi_weight": 5}
_TYPE, _CHARGE, _MIN_FEATURES = 6, 7, 8
_MAX_STEP: Final = 2048
"""Events at once: X takes 10 kB per event."""
_PID_OF: Final = np.full((6, 4), -1, np.int16)
"""pid by code of the type (pad, 211, 130, 22, 13, 11) and of the charge (pad, -1, 0, +1)."""
_PID_OF[1, [1, 3]] = ParticleId.HADRON_MINUS, ParticleId.HADRON_PLUS
_PID_OF[2, 2] = ParticleId.NEUTRAL_HADRON
_PID_OF[3, 2] = ParticleId.PHOTON
_PID_OF[4, [1, 3]] = ParticleId.MUON_MINUS, ParticleId.MUON_PLUS
_PID_OF[5, [1, 3]] = ParticleId.ELECTRON_MINUS, ParticleId.ELECTRON_PLUS


def read_l1metml(path: Path, events_per_step: int, tally: Counter[str]) -> Iterator[Examples]:
    """Read an L1METML file in steps; memory does not depend on its size.

    Args:
        path: HDF5 file with ``X`` and ``Y``.
        events_per_step: Events per batch (at most 2048 are taken).
        tally: Counts what was changed or dropped.

    Raises:
        DataError: If the file is damaged or breaks a rule of its columns.
    """
    step = min(events_per_step, _MAX_STEP)
    try:
        with open_hdf5(path) as file:
            x, y = _datasets(file, path)
            for start in range(0, len(x), step):
                stop = min(start + step, len(x))
                with located(f"{path}, events {start} to {stop - 1}"):
                    yield clean(_batch(x[start:stop], y[start:stop], tally), tally)
    except (OSError, RuntimeError) as err:
        number = getattr(err, "errno", None)
        if number is not None:
            raise DataError(f"cannot read {path}: {os.strerror(number)}; check it") from err
        raise DataError(f"{path} is not a readable HDF5 file ({err}); copy it again") from err


def _datasets(file: h5py.File, path: Path) -> tuple[h5py.Dataset, h5py.Dataset]:
    x, y = file.get("X"), file.get("Y")
    if not isinstance(x, h5py.Dataset) or not isinstance(y, h5py.Dataset):
        raise DataError(f"{path} has no datasets X and Y, got {', '.join(file) or 'nothing'}")
    if x.ndim != 3 or x.shape[2] < _MIN_FEATURES or y.shape != (len(x), 2):
        raise DataError(
            f"{path}: X has shape {x.shape} and Y {y.shape}; expected (n_events, n_slots, 8 or "
            "more) and (n_events, 2)"
        )
    return x, y


def _batch(x: npt.NDArray[Any], y: npt.NDArray[Any], tally: Counter[str]) -> Examples:
    # A pad has no type and no pt; what has pt but no known type is an error, not a pad.
    filled = (x[:, :, _TYPE] != 0) | (x[:, :, _PHYSICAL["pt"]] > 0)
    flat = x[filled]
    pid = _pid(flat[:, _TYPE], flat[:, _CHARGE])
    physical = {name: flat[:, column] for name, column in _PHYSICAL.items()}
    columns = {"pid": pid} | from_physical(physical, pid, tally)
    counts = filled.sum(axis=1, dtype=np.int64)
    count_full_slots(counts, x.shape[1], tally)
    return Examples.of(
        counts,
        {name: columns[name] for name in ("pt", "eta", "phi", "pid", "puppi_weight")},
        truth={GEN_MET: vector_from_xy(y, tally, "gen_met")},
    )


def _pid(kind: npt.NDArray[Any], charge: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    known = np.isin(kind, np.arange(6)) & np.isin(charge, np.arange(4))
    result = np.full(len(kind), -1, np.int16)
    result[known] = _PID_OF[kind[known].astype(int), charge[known].astype(int)]
    if (result < 0).any():
        first = int(np.argmax(result < 0))
        raise DataError(
            f"unknown particle code: type {kind[first]:g} with charge code {charge[first]:g} "
            f"({int((result < 0).sum())} in all); types are 1 to 5 (211, 130, 22, 13, 11), charges "
            "1 to 3 (-1, 0, 1)"
        )
    return result
