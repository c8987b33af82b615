"""Order of the candidates and the limits on their number."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.regions import outputs_of, region_of

__all__ = ["Order", "select"]


class Order(StrEnum):
    """How the candidates of an event are ordered before the list is cut.

    ``pt`` is hardest first. ``region`` is the order of CMSSW's software merge: barrel, HGCal,
    HGCal without tracks, HF, region by region, each sorted by pt and cut to what its firmware
    hands on.
    """

    PT = "pt"
    REGION = "region"


def select(
    candidates: npt.NDArray[np.int16], *, order: Order, max_candidates: int
) -> npt.NDArray[np.int16]:
    """Sort the candidates of one event and cut the list.

    Args:
        candidates: Shape (n, n_columns); columns 0, 1, 2 are pt, eta, phi in counts.
        order: Which order, and whether regions have limits.
        max_candidates: Length at which the list is cut.
    """
    hardest_first = np.argsort(-candidates[:, 0].astype(np.int64), kind="stable")
    ordered = candidates[hardest_first]
    if order is Order.REGION:
        number = region_of(ordered[:, 1], ordered[:, 2])
        by_region = np.argsort(number, kind="stable")
        number, ordered = number[by_region], ordered[by_region]
        place = np.arange(len(number)) - np.searchsorted(number, number)
        ordered = ordered[place < outputs_of(number)]
    return ordered[:max_candidates]
