"""What particle flow starts from and what it gives: kinds of elements, classes of particles, columns."""

import enum
from typing import Final

from l1met_fpga.puppi.columns import ANGLE_LSB_RAD

__all__ = [
    "CLASSES", "ETA_STEPS", "MAX_NEIGHBOURS", "RADIUS", "UNITS", "ElementKind", "ParticleClass",
]  # fmt: skip


class ElementKind(enum.IntEnum):
    """What of the detector an element is."""

    TRACK = 0
    ECAL = 1
    HCAL = 2
    HF = 3


class ParticleClass(enum.IntEnum):
    """What a particle is; ``NONE`` for an element that no particle belongs to."""

    NONE = 0
    CHARGED_HADRON = 1
    NEUTRAL_HADRON = 2
    PHOTON = 3
    ELECTRON = 4
    MUON = 5


CLASSES: Final = tuple(one.name.lower().replace("_", " ") for one in ParticleClass)
"""Names of the classes in the order of their numbers."""

MAX_NEIGHBOURS: Final = 16
"""Rows of an element, itself among them."""
RADIUS: Final = 0.3
"""Neighbours lie within it, in eta and phi."""
ETA_STEPS: Final = 12
"""|eta| in steps of 1/12: the range up to 5.3 in the six bits that a cluster has for it."""
UNITS: Final = {
    "eta": f"{ANGLE_LSB_RAD:.10g} from the element to the row",
    "phi": f"{ANGLE_LSB_RAD:.10g} rad from the element to the row",
    "pid": "what the row looks like by itself",
    "puppi_weight": "1/256 of a cluster's energy in the electromagnetic part; 1 of a track",
    "em_id": f"1/{ETA_STEPS} of the element's |eta|, in rows of clusters",
    "dxy": f"1/{ETA_STEPS} of the element's |eta|, in rows of tracks",
}
"""Unit of one count of the columns of elements, where it is another than a candidate's."""
