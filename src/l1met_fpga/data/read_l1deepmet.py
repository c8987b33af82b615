"""NPZ files of L1DeepMETv2 (DeepMETv2/L1DeepMETv2, ``generate_npz.py``).

``x`` has shape (6, n_events, n_slots): pt, eta, phi, PUPPI weight, pdgId, charge, padded with
-999; the converter's first version wrote pdgId and charge before the PUPPI weight. ``y`` is px and
py of the generator's missing momentum.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.quantize import clean, count_full_slots, from_physical, located
from l1met_fpga.data.truth import GEN_MET, vector_from_xy
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.units import PDG_IDS, pid_from_pdg_id

__all__ = ["read_l1deepmet"]

_FEATURES: Final = ("pt", "eta", "phi", "puppi_weight", "pdg_id", "charge")
_OLD_FEATURES: Final = ("pt", "eta", "phi", "pdg_id", "charge", "puppi_weight")
_FIRST_DIFFERENT: Final = 3
_PAD: Final = -999


def read_l1deepmet(path: Path, events_per_step: int, tally: Counter[str]) -> Iterator[Examples]:
    """Read an L1DeepMETv2 file in steps; memory does not depend on its size.

    Args:
        path: NPZ file with ``x`` and ``y``.
        events_per_step: Events per batch.
        tally: Counts what was changed or dropped.

    Raises:
        DataError: If the file is damaged or breaks a rule of its columns.
    """
    try:
        with zipfile.ZipFile(path) as archive, ExitStack() as stack:
            x = [_Member(stack.enter_context(archive.open("x.npy")), "x") for _ in _FEATURES]
            y = _Member(stack.enter_context(archive.open("y.npy")), "y")
            shape = x[0].shape
            if len(shape) != 3 or shape[0] != len(_FEATURES) or y.shape != (shape[1], 2):
                raise DataError(
                    f"{path}: x has shape {shape} and y {y.shape}; expected (6, n_events, n_slots) "
                    "and (n_events, 2)"
                )
            # One feature lies behind the other in the file: one place to read from for each.
            for feature, member in enumerate(x):
                member.skip(feature * shape[1] * shape[2])
            names: tuple[str, ...] | None = None
            for start in range(0, shape[1], events_per_step):
                n = min(events_per_step, shape[1] - start)
                planes = [member.read(n * shape[2]).reshape(n, shape[2]) for member in x]
                names = names or _order(planes)
                values = dict(zip(names or _FEATURES, planes, strict=True))
                with located(f"{path}, events {start} to {start + n - 1}"):
                    yield clean(_batch(values, y.read(2 * n).reshape(n, 2), tally), tally)
    except KeyError:
        raise DataError(f"{path} has no arrays x and y; it is no L1DeepMETv2 file") from None
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        NotImplementedError,
    ) as err:
        raise DataError(f"{path} is not a readable NPZ file ({err}); copy it again") from err


def _order(planes: Sequence[npt.NDArray[Any]]) -> tuple[str, ...] | None:
    """Tell the order of the features by which of them holds pdgId; None without a candidate."""
    filled = planes[0] != _PAD
    if not filled.any():
        return None
    codes = [abs(pdg_id) for pdg_id in PDG_IDS.values()]
    is_old = np.isin(np.abs(planes[_FIRST_DIFFERENT][filled]), codes).all()
    return _OLD_FEATURES if is_old else _FEATURES


class _Member:
    """An array inside the archive that is read from front to back."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        self.shape, fortran_order, self._dtype = header(stream)
        if fortran_order or self._dtype.kind not in "fiu":
            raise DataError(
                f"array {name} must hold numbers in C order, got {self._dtype}"
                f"{' in Fortran order' if fortran_order else ''}; save it again with "
                "numpy.ascontiguousarray"
            )

    def skip(self, n: int) -> None:
        """Leave out ``n`` values."""
        left = n * self._dtype.itemsize
        while left:
            left -= len(self._bytes(min(left, 1 << 20)))

    def read(self, n: int) -> npt.NDArray[Any]:
        """Return the next ``n`` values."""
        return np.frombuffer(self._bytes(n * self._dtype.itemsize), self._dtype)

    def _bytes(self, n: int) -> bytes:
        data = self._stream.read(n)
        if len(data) != n:
            raise EOFError(f"array {self._name} ends early")
        return data


def _batch(
    values: dict[str, npt.NDArray[Any]], y: npt.NDArray[Any], tally: Counter[str]
) -> Examples:
    filled = values["pt"] != _PAD
    flat = {name: column[filled] for name, column in values.items()}
    pid = pid_from_pdg_id(flat.pop("pdg_id"), flat.pop("charge"))
    columns = {"pid": pid} | from_physical(flat, pid, tally)
    counts = filled.sum(axis=1, dtype=np.int64)
    count_full_slots(counts, filled.shape[1], tally)
    return Examples.of(
        counts,
        {name: columns[name] for name in ("pt", "eta", "phi", "pid", "puppi_weight")},
        truth={GEN_MET: vector_from_xy(y, tally, "gen_met")},
    )
