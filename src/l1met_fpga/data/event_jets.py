"""The jets of events as the trigger finds them, and those of one event for pictures of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import all_slots
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PT_LSB_GEV
from l1met_fpga.puppi.jet_sums import MIN_PT
from l1met_fpga.puppi.jets import RADIUS, Jets, seeded_cone_jets, wrapped_phi

__all__ = ["JETS_TITLE", "EventJet", "event_jets", "trigger_jets"]

JETS_TITLE: Final = f"jets (cone {RADIUS}, above {MIN_PT * PT_LSB_GEV:.0f} GeV)"
"""What is shown: the trigger's narrow jets above the pt from which they count in its HT."""


@dataclass(frozen=True, slots=True)
class EventJet:
    """A jet; pt is not corrected.

    Attributes:
        pt_gev: Sum of its candidates' pt.
        eta: Of its axis.
        phi_rad: Of its axis, from -pi to pi.
    """

    pt_gev: float
    eta: float
    phi_rad: float

    @property
    def centres(self) -> tuple[tuple[float, float], ...]:
        """Where its cone lies in a map of a whole turn: (eta, phi), twice at the edge in phi."""
        beyond = self.phi_rad - np.sign(self.phi_rad) * 2 * np.pi
        crosses = abs(self.phi_rad) + RADIUS > np.pi
        return ((self.eta, self.phi_rad), *(((self.eta, float(beyond)),) if crosses else ()))


def trigger_jets(examples: Examples) -> Jets:
    """Return the narrow jets of events as the trigger sends them, pt not corrected."""
    return seeded_cone_jets(all_slots(examples)).in_falling_pt()


def event_jets(event: Examples) -> tuple[EventJet, ...]:
    """Return the jets of one event for a picture, the hardest first."""
    jets = trigger_jets(event)
    phi = wrapped_phi(jets.phi.astype(np.int32))
    return tuple(
        EventJet(
            float(jets.pt[0, k] * PT_LSB_GEV),
            float(jets.eta[0, k] * ANGLE_LSB_RAD),
            float(phi[0, k] * ANGLE_LSB_RAD),
        )
        for k in np.flatnonzero(jets.pt[0] > MIN_PT)
    )
