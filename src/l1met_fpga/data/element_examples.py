"""Elements as examples: each with its nearest neighbours.

An example is an element, a track or a calorimeter cluster; its rows are the element itself and its
nearest neighbours, so cost grows with the number of elements and no network sees further than
:data:`~l1met_fpga.data.element_kinds.RADIUS`. ``eta`` and ``phi`` are distances from the element; the
other columns carry what :data:`~l1met_fpga.data.element_kinds.UNITS` says.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.element_kinds import (
    ETA_STEPS,
    MAX_NEIGHBOURS,
    RADIUS,
    ElementKind,
    ParticleClass,
)
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.flow_event import Columns, FlowEvent
from l1met_fpga.data.layout import (
    ELEMENT_ETA,
    ELEMENT_PHI,
    ELEMENT_PT_GEV,
    N_BEFORE_CUT,
    RULE_CLASS,
    RULE_PT_GEV,
)
from l1met_fpga.data.truth import ELEMENT_CLASS, ELEMENT_PT
from l1met_fpga.data.truth_matching import Matched
from l1met_fpga.puppi.columns import (
    ANGLE_LSB_RAD,
    COLUMNS,
    MAX_PUPPI_WEIGHT,
    PHI_COUNTS_PER_TURN,
    PT_LSB_GEV,
    ParticleId,
)

__all__ = ["element_examples"]


def element_examples(event: FlowEvent, truth: Matched) -> Examples:
    """Return the elements of one event with their neighbours."""
    elements = event.elements
    n = len(elements["pt"])
    owner, near = _neighbours(elements["eta"], elements["phi"])
    pt_gev = elements["pt"].astype(np.float64)
    rule_class, rule_pt = _rules(event)
    ids = np.ones((n, 3), np.uint64)
    ids[:, 2] = event.number
    counts = np.bincount(owner, minlength=n)
    return Examples.of(
        counts,
        _columns(elements, owner, near),
        truth={
            ELEMENT_CLASS: truth.particle_class.astype(np.float64),
            ELEMENT_PT: truth.pt_gev / pt_gev,
        },
        ids=ids,
        besides={
            ELEMENT_PT_GEV: pt_gev,
            ELEMENT_ETA: elements["eta"].astype(np.float64),
            ELEMENT_PHI: elements["phi"].astype(np.float64),
            RULE_CLASS: rule_class,
            RULE_PT_GEV: rule_pt,
            N_BEFORE_CUT: counts,
        },
    )


def _rules(event: FlowEvent) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what the rules give each element: class of its hardest candidate, sum of their pt."""
    n = len(event.elements["pt"])
    candidates, of = event.candidates, event.candidates["element"]
    rising = np.argsort(candidates["pt"], kind="stable")
    found = np.zeros(n)
    found[of[rising]] = candidates["class"][rising]
    pt = np.bincount(of, candidates["pt"].astype(np.float64), minlength=n)
    return found, pt.astype(np.float64)


def _neighbours(
    eta: npt.NDArray[Any], phi: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return owner and element of all rows: itself first, then the others by distance."""
    from scipy.spatial import cKDTree  # takes long to load

    place = np.stack([eta, np.cos(phi), np.sin(phi)], axis=1).astype(np.float64)
    n = len(eta)
    if n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    distance, near = cKDTree(place).query(place, k=MAX_NEIGHBOURS, distance_upper_bound=RADIUS)
    own = np.arange(n)[:, None]
    distance[near == own] = -1.0  # itself is the first, also where another lies at the same place
    order = np.argsort(distance, axis=1, kind="stable")
    near = np.take_along_axis(near, order, axis=1)
    inside = near < n
    return np.broadcast_to(own, near.shape)[inside], near[inside]


def _columns(
    elements: Columns, owner: npt.NDArray[np.int64], near: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.int16]]:
    own_eta = np.minimum(np.abs(elements["eta"][owner]) * ETA_STEPS, COLUMNS["em_id"].high)
    is_track = elements["kind"][near] == ElementKind.TRACK
    dphi = _counts(elements["phi"][near] - elements["phi"][owner])
    half = PHI_COUNTS_PER_TURN // 2
    pt = np.clip(np.rint(elements["pt"][near] / PT_LSB_GEV), 1, COLUMNS["pt"].high)
    share = np.rint(elements["emShare"][near] * MAX_PUPPI_WEIGHT)
    columns = {
        "pt": pt,
        "eta": _counts(elements["eta"][near] - elements["eta"][owner]),
        "phi": (dphi + half) % PHI_COUNTS_PER_TURN - half,
        "pid": _pid(elements)[near],
        "puppi_weight": np.where(is_track, MAX_PUPPI_WEIGHT, share),
        "dxy": np.where(is_track, own_eta, 0),
        "em_id": np.where(is_track, 0, own_eta),
    }
    return {name: np.asarray(values).astype(np.int16) for name, values in columns.items()}


def _counts(angle: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.rint(angle / ANGLE_LSB_RAD).astype(np.int64)


_CODES: Final[Sequence[tuple[ParticleClass, ParticleId]]] = (
    (ParticleClass.CHARGED_HADRON, ParticleId.HADRON_MINUS),
    (ParticleClass.ELECTRON, ParticleId.ELECTRON_MINUS),
    (ParticleClass.MUON, ParticleId.MUON_MINUS),
)


def _pid(elements: Columns) -> npt.NDArray[np.int64]:
    """Return the code of what each element looks like by itself; that of + follows that of -."""
    looks = elements["looks"]
    pid = np.where(looks == ParticleClass.PHOTON, int(ParticleId.PHOTON), 0)
    for one, minus in _CODES:
        pid = np.where(looks == one, int(minus) + (elements["charge"] > 0), pid)
    return np.asarray(pid, np.int64)
