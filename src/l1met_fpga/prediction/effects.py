"""What each candidate does to the MET of an event: the network without it against the network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.models.heads import MET
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.sums import momentum_xy_gev

__all__ = ["CandidateEffects", "candidate_effects"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateEffects:
    """An event as a network sees it.

    Attributes:
        met_xy_gev: MET of the network, shape (2,).
        effect_xy_gev: MET with all candidates minus MET without this one, shape (n_candidates, 2).
        weight: The effect along minus the candidate's momentum, over that momentum: 1 is what it
            does to PUPPI MET, 0 is nothing. Shape (n_candidates,); NaN for candidates that were cut
            because the network has no slot for them.
    """

    met_xy_gev: Floats
    effect_xy_gev: Floats
    weight: Floats


def candidate_effects(network: Network, event: Examples) -> CandidateEffects:
    """Leave out each candidate of one event in turn; exact, in the integers of the firmware.

    Args:
        network: A network with MET.
        event: One event.
    """
    slots = network.n_candidates
    padded = event.first_rows(slots).padded(slots)
    seen = min(event.n_rows, slots)
    every: dict[str, npt.NDArray[Any]] = {}
    for name in network.columns:
        copies = np.repeat(padded[name], seen + 1, axis=0)
        copies[np.arange(seen), np.arange(seen)] = 0  # an empty slot; the last copy keeps all
        every[name] = copies
    met = network.values(evaluate(network, every))[MET.name]
    effect = np.full((event.n_rows, 2), np.nan)
    effect[:seen] = met[-1] - met[:-1]
    momentum = momentum_xy_gev(event.columns)
    weight = -(effect * momentum).sum(axis=1) / (momentum**2).sum(axis=1)
    return CandidateEffects(met[-1], effect, weight)
