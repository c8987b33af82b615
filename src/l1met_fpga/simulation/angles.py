"""Small geometry that all compiled steps share."""

import math
from typing import Final

from l1met_fpga.simulation.compiled import compiled

__all__ = ["TURN", "band", "wrap"]

TURN: Final = 2 * math.pi


@compiled
def wrap(angle_rad: float) -> float:
    """Bring an angle into [-pi, pi)."""
    return angle_rad - TURN * math.floor(angle_rad / TURN + 0.5)


@compiled
def band(abs_eta: float, edges: tuple[float, ...]) -> int:
    """Return the number of the first edge above ``|eta|`` (the last one beyond all)."""
    for i in range(len(edges)):
        if abs_eta < edges[i]:
            return i
    return len(edges) - 1
