"""MET as a network gives it: integer codes, and what they are in GeV."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType

__all__ = ["Met"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """MET of events; the sign is that of the generator's MET.

    Attributes:
        codes: px and py as the firmware gives them, int64, shape (n_events, 2).
        type: Fixed-point type of the codes, in GeV.
    """

    codes: npt.NDArray[np.int64]
    type: FixedType

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.codes)

    @property
    def xy_gev(self) -> Floats:
        """Vectors px, py, shape (n_events, 2); exact."""
        return self.type.decode(self.codes)

    @property
    def px_gev(self) -> Floats:
        """px, shape (n_events,); exact."""
        return self.xy_gev[:, 0]

    @property
    def py_gev(self) -> Floats:
        """py, shape (n_events,); exact."""
        return self.xy_gev[:, 1]

    @property
    def pt_gev(self) -> Floats:
        """Size, shape (n_events,)."""
        return polar(self.xy_gev)["pt"]

    @property
    def phi_rad(self) -> Floats:
        """Direction from -pi to pi, shape (n_events,)."""
        return polar(self.xy_gev)["phi"]


def polar(met_xy_gev: npt.NDArray[Any]) -> dict[str, Floats]:
    """Return size (GeV) and direction (rad, -pi to pi) of vectors, shape (n_events, 2)."""
    px, py = np.asarray(met_xy_gev, np.float64).T
    return {"pt": np.hypot(px, py), "phi": np.arctan2(py, px)}
