"""Jets of generated particles: anti-kt of the hard collision, clustered by Pythia's SlowJet.

SlowJet comes with Pythia, which the simulation needs anyway, and runs the core of FastJet (Cacciari,
Salam, Soyez, arXiv:1111.6097) on the particles that it is given.
"""

from importlib import import_module
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import SimulationError
from l1met_fpga.simulation.particles import ParticleEvents

__all__ = ["MAX_JET_ETA", "MIN_JET_PT_GEV", "RADIUS", "gen_ht_gev"]

RADIUS: Final = 0.4
MIN_JET_PT_GEV: Final = 30.0
MAX_JET_ETA: Final = 2.4
"""Jets of the experiment's generator HT (FastPUPPI): pt above 30 GeV, pseudorapidity within 2.4."""

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
    if not len(collisions.pt_gev):
        return result
    try:
        pythia8 = import_module("pythia8mc")
    except ModuleNotFoundError:
        raise SimulationError(
            "generator HT needs the package pythia8mc, which is not installed; run "
            "`pip install 'l1met_fpga[simulation]'`"
        ) from None
    finder = pythia8.SlowJet(_ANTI_KT, RADIUS, MIN_JET_PT_GEV, _EVERYWHERE, _ALL_FINAL, _MASSLESS)
    event = pythia8.Event()
    momenta = _momenta(collisions)
    for number in range(len(collisions)):
        own = slice(collisions.offsets[number], collisions.offsets[number + 1])
        event.reset()
        for px, py, pz, energy in momenta[own].tolist():
            event.append(_PION, _FINAL_STATUS, 0, 0, px, py, pz, energy, 0.0)
        if not finder.analyze(event):
            raise SimulationError(f"SlowJet finds no jets in collision {number}")
        for jet in range(finder.sizeJet()):
            if abs(finder.p(jet).eta()) < MAX_JET_ETA:
                result[number] += finder.pT(jet)
    return result


def _momenta(collisions: ParticleEvents) -> npt.NDArray[np.float64]:
    pt, eta, phi = (
        values.astype(np.float64)
        for values in (collisions.pt_gev, collisions.eta, collisions.phi_rad)
    )
    columns = [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]
    return np.stack(columns, axis=1)
