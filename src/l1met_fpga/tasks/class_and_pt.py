"""What tasks share whose networks give a class and a pt: figures of the pt, and estimates of others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from l1met_fpga.archives import read_npz
from l1met_fpga.errors import DataError
from l1met_fpga.models.heads import Head
from l1met_fpga.tasks.task import BinnedFigure, Heads

__all__ = ["FIGURES", "PT", "read_estimate"]

PT: Final = "pt"
"""What is measured of the ratio of pt: the corrected pt, GeV."""
_WIDTH: Final = r"$\sigma_{68}(p_T)$"
FIGURES: Final = (
    BinnedFigure("response", "response", "response", "response", 1.0),
    BinnedFigure("response_median", "median response", "response_median", "median response", 1.0),
    BinnedFigure("slope"),
    BinnedFigure("parallel_gev", "width (GeV)"),
    BinnedFigure(
        "parallel_over_response_gev", "width / response (GeV)", "resolution",
        f"{_WIDTH} / response [GeV]", ratio=True,
    ),
    BinnedFigure("tail_3_sigma", "beyond 3 sigma"),
)  # fmt: skip


def read_estimate(
    path: Path, classes: Head, names: Sequence[str], *, row: str
) -> tuple[Heads, Heads | None]:
    """Read logits and pt that others give; such a file has no truth.

    Args:
        path: File of NumPy arrays ``logits`` and ``pt`` (GeV).
        classes: Head of the classes.
        names: Their names.
        row: What a row is, for the message.

    Raises:
        DataError: If an array is missing or has another shape.
    """
    held = read_npz(path, error=DataError, next_step="write it again with numpy.savez")
    given = {}
    for key, name, size in (("logits", classes.name, classes.size), ("pt", PT, 1)):
        values = np.asarray(held.get(key, np.zeros(0)))
        values = values[:, None] if values.ndim == 1 else values
        if key not in held or values.shape[1] != size or values.dtype.kind not in "fiu":
            raise DataError(
                f"{path} needs an array logits (a number per class: {', '.join(names)}) and an array "
                f"pt (GeV), a row per {row}; got {sorted(held)}"
            )
        given[name] = values.astype(np.float64)
    return given, None
