"""Jets of generated particles: anti-kt of the hard collision, clustered by Pythia's SlowJet.

SlowJet comes with Pythia, which the simulation needs anyway, and runs the core of FastJet (Cacciari,
Salam, Soyez, arXiv:1111.6097) on the particles that it is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import SimulationError
from l1met_fpga.simulation.objects import B_QUARK, C_QUARK, Kind, Objects
from l1met_fpga.simulation.particles import ParticleEvents

__all__ = ["MAX_JET_ETA", "MIN_JET_PT_GEV", "RADIUS", "GenJets", "gen_ht_gev", "gen_jets"]

RADIUS: Final = 0.4
MIN_JET_PT_GEV: Final = 30.0
MAX_JET_ETA: Final = 2.4
"""Jets of the experiment's generator HT (FastPUPPI): pt above 30 GeV, pseudorapidity within 2.4."""

MIN_TAGGED_PT_GEV: Final = 5.0
"""Of the jets that get a flavour: what the tagger's ntuples are matched to."""
_GHOST: Final = 1e-18
"""Share of its momentum that an object has as a ghost: it takes part and changes no jet."""

_ANTI_KT: Final = -1
_EVERYWHERE: Final = 25.0
_ALL_FINAL, _MASSLESS = 1, 0
"""Of SlowJet: which particles take part, and their masses. Neutrinos are not among ours."""
_FINAL_STATUS: Final = 81
_PION: Final = 211


def gen_ht_gev(collisions: ParticleEvents) -> npt.NDArray[np.float64]:
    """Return the scalar sum of pt of the jets of each collision, GeV, shape (n_collisions,).

    Jets are made of all visible stable particles, muons and electrons among them, without mass.

    Raises:
        SimulationError: If Pythia is not installed and there are particles.
    """
    result = np.zeros(len(collisions))
    for number, finder in _clustered(collisions, Objects.none(len(collisions)), MIN_JET_PT_GEV):
        for jet in range(finder.sizeJet()):
            if abs(finder.p(jet).eta()) < MAX_JET_ETA:
                result[number] += finder.pT(jet)
    return result


@dataclass(frozen=True, slots=True)
class GenJets:
    """Jets of ``n_events`` collisions, one collision after the other.

    Attributes:
        offsets: Collision ``i`` owns jets ``offsets[i]:offsets[i + 1]``.
        pt_gev: Transverse momentum.
        eta: Pseudorapidity.
        phi_rad: Azimuth.
        hadron_flavour: 5 with a b hadron inside, 4 with a c hadron and no b, else 0.
        parton_flavour: PDG code of the hardest b parton inside, else of the hardest c, else of the
            hardest one; 0 without a parton.
    """

    offsets: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    hadron_flavour: npt.NDArray[np.int64]
    parton_flavour: npt.NDArray[np.int64]


def gen_jets(collisions: ParticleEvents) -> GenJets:
    """Return the jets above 5 GeV with the flavour of the hadrons and partons inside.

    Hadrons and partons are clustered along as ghosts, without momentum (Cacciari, Salam,
    arXiv:0707.1378).

    Raises:
        SimulationError: If Pythia is not installed and there are particles.
    """
    counts = np.zeros(len(collisions), np.int64)
    rows: list[tuple[float, float, float, int, int]] = []
    objects = collisions.objects
    for number, finder in _clustered(collisions, objects, MIN_TAGGED_PT_GEV):
        own = slice(collisions.offsets[number], collisions.offsets[number + 1])
        first_ghost = own.stop - own.start + 1  # the record begins with the system as a whole
        for jet in range(finder.sizeJet()):
            places = np.array(finder.constituents(jet), np.int64) - first_ghost
            inside = objects.offsets[number] + places[places >= 0]
            momentum = finder.p(jet)
            flavours = _flavours(objects, inside)
            rows.append((finder.pT(jet), momentum.eta(), finder.phi(jet), *flavours))
        counts[number] = finder.sizeJet()
    table = np.array(rows, np.float64).reshape(-1, 5).T
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return GenJets(offsets, *table[:3], *table[3:].astype(np.int64))


def _flavours(objects: Objects, inside: npt.NDArray[np.int64]) -> tuple[int, int]:
    kind, pdg = objects.kind[inside], objects.pdg[inside].astype(np.int64)
    hadrons, partons = pdg[kind == Kind.HADRON], pdg[kind == Kind.PARTON]
    hardest_first = np.argsort(-objects.pt_gev[inside][kind == Kind.PARTON], kind="stable")
    partons = partons[hardest_first]
    size = np.abs(partons)
    order = (*partons[size == B_QUARK], *partons[size == C_QUARK], *partons)
    return int(hadrons.max(initial=0)), int(order[0]) if order else 0


def _clustered(
    collisions: ParticleEvents, ghosts: Objects, min_pt_gev: float
) -> Iterator[tuple[int, Any]]:
    """Yield the number of each collision with particles and SlowJet after it has found its jets."""
    if not len(collisions.pt_gev):
        return
    try:
        pythia8 = import_module("pythia8mc")
    except ModuleNotFoundError:
        raise SimulationError(
            "generator HT needs the package pythia8mc, which is not installed; run "
            "`pip install 'l1met_fpga[simulation]'`"
        ) from None
    finder = pythia8.SlowJet(_ANTI_KT, RADIUS, min_pt_gev, _EVERYWHERE, _ALL_FINAL, _MASSLESS)
    event = pythia8.Event()
    momenta, light = _momenta(collisions), _GHOST * _momenta(ghosts)
    for number in range(len(collisions)):
        own = slice(collisions.offsets[number], collisions.offsets[number + 1])
        behind = slice(ghosts.offsets[number], ghosts.offsets[number + 1])
        event.reset()
        for px, py, pz, energy in (*momenta[own].tolist(), *light[behind].tolist()):
            event.append(_PION, _FINAL_STATUS, 0, 0, px, py, pz, energy, 0.0)
        if not finder.analyze(event):
            raise SimulationError(f"SlowJet finds no jets in collision {number}")
        yield number, finder


def _momenta(flat: ParticleEvents | Objects) -> npt.NDArray[np.float64]:
    pt, eta, phi = (values.astype(np.float64) for values in (flat.pt_gev, flat.eta, flat.phi_rad))
    columns = [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]
    return np.stack(columns, axis=1)
