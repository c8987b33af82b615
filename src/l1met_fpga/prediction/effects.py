"""What each candidate does to the result for an event: the network without it against the network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import ConfigError
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import PT_LSB_GEV
from l1met_fpga.puppi.sums import momentum_xy_gev

__all__ = ["CandidateEffects", "candidate_effects", "shown_head"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateEffects:
    """An event as a network sees it.

    Attributes:
        title: What the network gives, for sentences: ``MET``, ``HT``.
        value: What it gives, shape (2,) for a vector, (1,) for a scalar.
        effect: The value with all candidates minus that without this one, shape
            (n_candidates, 2 or 1); NaN for candidates that were cut because the network has no
            slot for them.
        weight: The effect on a vector along minus the candidate's momentum, on a scalar as it is,
            over the candidate's pt: 1 is what it does to minus the sum of momenta (PUPPI MET) and
            to the sum of pt, 0 is nothing. Shape (n_candidates,); NaN as for ``effect``.
    """

    title: str
    value: Floats
    effect: Floats
    weight: Floats

    @property
    def size(self) -> Floats:
        """Size of each effect, shape (n_candidates,)."""
        return np.asarray(np.linalg.norm(self.effect, axis=1))

    @property
    def opacity(self) -> Floats:
        """How dark a drawing shows each candidate: hardly at weight 0, darkest from 1.5 on."""
        return 0.08 + 0.72 * np.clip(np.nan_to_num(self.weight), 0.0, 1.5) / 1.5


def shown_head(network: Network) -> NetworkHead:
    """Return the head that the picture of an event shows: the first one that adds up candidates.

    Raises:
        ConfigError: If the network gives no vector or number per event in GeV.
    """
    for head in network.heads:
        if head.per == "example" and head.unit == "GeV" and head.kind != "classes":
            return head
    given = ", ".join(f"{head.name} ({head.kind} per {head.per})" for head in network.heads)
    raise ConfigError(
        f"network {network.name} gives {given}; the picture of an event shows a vector or scalar "
        "per event in GeV, choose a network that has one with --network"
    )


def candidate_effects(network: Network, event: Examples) -> CandidateEffects:
    """Leave out each candidate of one event in turn; exact, in the integers of the firmware.

    Args:
        network: A network with a vector or scalar per event in GeV.
        event: One event.

    Raises:
        ConfigError: If it has none.
    """
    slots = network.n_candidates
    padded = event.first_rows(slots).padded(slots)
    seen = min(event.n_rows, slots)
    every: dict[str, npt.NDArray[Any]] = {}
    for name in network.columns:
        copies = np.repeat(padded[name], seen + 1, axis=0)
        copies[np.arange(seen), np.arange(seen)] = 0  # an empty slot; the last copy keeps all
        every[name] = copies
    head = shown_head(network)
    values = network.values(evaluate(network, every))[head.name]
    effect = np.full((event.n_rows, head.size), np.nan)
    effect[:seen] = values[-1] - values[:-1]
    pt_gev = event.columns["pt"] * PT_LSB_GEV
    if head.kind == "vector":
        along = -(effect * momentum_xy_gev(event.columns)).sum(axis=1) / pt_gev
    else:
        along = effect[:, 0]
    return CandidateEffects(head.name.upper(), values[-1], effect, along / pt_gev)
