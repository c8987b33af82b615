"""One event of particle flow: elements, particles behind them, and what rules make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "FlowEvent"]

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """One event; columns by the names of the branches, without their collection.

    Attributes:
        number: Of the event.
        elements: Tracks and clusters.
        particles: Generated ones.
        links: Which element holds energy of which particle.
        candidates: What the rules make of the elements.
        gen_met_xy_gev: Sum of the neutrinos, shape (2,).
    """

    number: int
    elements: Columns
    particles: Columns
    links: Columns
    candidates: Columns
    gen_met_xy_gev: npt.NDArray[np.float64]
