"""Which generated particle an element of the detector stands for.

Particles take, in falling pt, the element that they are linked to most strongly among those that no
harder one has; their own track comes before every cluster. Who finds none free joins the strongest one. An element's momentum is the sum of its
particles, its class that of the hardest (J. Pata et al., Eur. Phys. J. C 81 (2021) 381).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.element_kinds import ElementKind, ParticleClass

__all__ = ["Matched", "match"]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_WITHOUT_TRACK: Final = {
    int(ParticleClass.CHARGED_HADRON): int(ParticleClass.NEUTRAL_HADRON),
    int(ParticleClass.ELECTRON): int(ParticleClass.PHOTON),
}
"""What a calorimeter, which sees no charge, can call a particle whose track is not there."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The truth of the elements of one event.

    Attributes:
        element: Element of each particle, -1 for none, shape (n_particles,).
        particle_class: Class of each element (:class:`.ParticleClass`), shape (n_elements,), as all
            below.
        pt_gev: Sum of its particles' transverse momenta; 0 without any.
        hard_pt_gev: The part of it that comes from the hard collision.
    """

    element: Numbers
    particle_class: Numbers
    pt_gev: Floats
    hard_pt_gev: Floats


def match(
    kind: npt.NDArray[Any],
    *,
    particle_pt_gev: npt.NDArray[Any],
    particle_class: npt.NDArray[Any],
    is_hard: npt.NDArray[Any],
    link_element: npt.NDArray[Any],
    link_particle: npt.NDArray[Any],
    link_gev: npt.NDArray[Any],
) -> Matched:
    """Give each particle of one event to an element.

    Args:
        kind: Of each element (:class:`.ElementKind`), shape (n_elements,).
        particle_pt_gev: Transverse momentum of each generated particle, shape (n_particles,).
        particle_class: Its class.
        is_hard: Whether it comes from the hard collision.
        link_element: Number of the element, shape (n_links,).
        link_particle: Number of the particle that left energy in it.
        link_gev: That energy; of a track, the particle's momentum.
    """
    in_calorimeter = kind != ElementKind.TRACK
    strength = np.where(in_calorimeter[link_element], link_gev, np.inf)
    element = _assigned(len(kind), particle_pt_gev, link_element, link_particle, strength)
    given = np.flatnonzero(element >= 0)
    of, pt = element[given], particle_pt_gev[given].astype(np.float64)
    total = np.bincount(of, pt, minlength=len(kind)).astype(np.float64)
    hard = np.bincount(of, pt * (is_hard[given] != 0), minlength=len(kind)).astype(np.float64)
    found = np.zeros(len(kind), np.int64)
    rising = np.argsort(pt, kind="stable")
    found[of[rising]] = particle_class[given][rising]  # the hardest is written last
    for with_track, without in _WITHOUT_TRACK.items():
        found[in_calorimeter & (found == with_track)] = without
    return Matched(element, found, total, hard)


def _assigned(
    n_elements: int,
    particle_pt_gev: npt.NDArray[Any],
    link_element: npt.NDArray[Any],
    link_particle: npt.NDArray[Any],
    strength: npt.NDArray[Any],
) -> Numbers:
    """Return the element of each particle, -1 for none; of equal ones the first comes first."""
    order = np.lexsort((-strength, link_particle, -particle_pt_gev[link_particle]))
    element = np.full(len(particle_pt_gev), -1, np.int64)
    strongest = np.full(len(particle_pt_gev), -1, np.int64)
    free = [True] * n_elements
    for particle, target in zip(
        link_particle[order].tolist(), link_element[order].tolist(), strict=True
    ):
        if strongest[particle] < 0:
            strongest[particle] = target
        if element[particle] < 0 and free[target]:
            element[particle], free[target] = target, False
    return np.where(element < 0, strongest, element)
