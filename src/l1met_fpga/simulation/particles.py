"""Stable particles of many events as flat arrays, and their file."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.data.examples import rows_between
from l1met_fpga.errors import DataError
from l1met_fpga.files import atomic_path
from l1met_fpga.simulation.objects import Objects

__all__ = ["MAX_ABS_ETA", "MIN_PT_GEV", "ParticleEvents", "Species"]

MAX_ABS_ETA: Final = 5.3
"""Particles beyond the forward calorimeter's edge (5.06 after the shift in z) are not kept."""
MIN_PT_GEV: Final = 0.05
"""Softer particles leave nothing that the trigger could see."""
_OBJECT: Final = "object_"
"""In front of the names of objects in the file."""


class Species(enum.IntEnum):
    """How a stable particle behaves in the detector."""

    CHARGED_HADRON = 0
    ELECTRON = 1
    MUON = 2
    PHOTON = 3
    NEUTRAL_HADRON = 4


@dataclass(frozen=True, slots=True)
class ParticleEvents:
    """Visible stable particles of ``n_events`` collisions.

    Attributes:
        offsets: Event ``i`` owns particles ``offsets[i]:offsets[i + 1]``; shape (n_events + 1,).
        pt_gev: Transverse momentum of each particle.
        eta: Pseudorapidity at the vertex.
        phi_rad: Azimuth at the vertex.
        species: Code of :class:`Species`.
        charge: -1, 0 or 1.
        d0_cm: Distance of each particle's line from the collision, across the beam.
        gen_met_xy_gev: Vector sum of the neutrinos, shape (n_events, 2).
        pt_hat_gev: Transverse momentum of the hardest 2 -> 2 scattering, shape (n_events,).
        objects: Hadrons, partons and leptons that labels of jets are made from.
    """

    offsets: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float32]
    eta: npt.NDArray[np.float32]
    phi_rad: npt.NDArray[np.float32]
    species: npt.NDArray[np.int8]
    charge: npt.NDArray[np.int8]
    d0_cm: npt.NDArray[np.float32]
    gen_met_xy_gev: npt.NDArray[np.float64]
    pt_hat_gev: npt.NDArray[np.float32]
    objects: Objects

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def select(self, events: npt.NDArray[np.intp]) -> "ParticleEvents":
        """Return the events of the given numbers, in that order."""
        index, offsets = rows_between(self.offsets, events)
        return ParticleEvents(
            offsets,
            self.pt_gev[index],
            self.eta[index],
            self.phi_rad[index],
            self.species[index],
            self.charge[index],
            self.d0_cm[index],
            self.gen_met_xy_gev[events],
            self.pt_hat_gev[events],
            self.objects.select(events),
        )

    @staticmethod
    def empty(events: int) -> "ParticleEvents":
        """Return collisions without any particle."""
        floats, codes = np.zeros(0, np.float32), np.zeros(0, np.int8)
        offsets = np.zeros(events + 1, np.int64)
        gen_met, pt_hat = np.zeros((events, 2)), np.zeros(events, np.float32)
        objects = Objects.none(events)
        return ParticleEvents(
            offsets, floats, floats, floats, codes, codes, floats, gen_met, pt_hat, objects
        )

    @staticmethod
    def concatenate(parts: Sequence["ParticleEvents"]) -> "ParticleEvents":
        """Join events in order."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        names = [f.name for f in fields(ParticleEvents) if f.name not in ("offsets", "objects")]
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        objects = Objects.concatenate([part.objects for part in parts])
        return ParticleEvents(offsets=offsets, objects=objects, **joined)

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file, whole or not at all."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **self._arrays())  # type: ignore[arg-type]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "objects"}
        of_objects = {f"{_OBJECT}{f.name}": getattr(self.objects, f.name) for f in fields(Objects)}
        return own | of_objects

    @staticmethod
    def load(path: Path) -> "ParticleEvents":
        """Read a file written by :meth:`save`.

        Raises:
            DataError: If it is not such a file.
        """
        tip = "remove it and run again"
        arrays = read_npz(path, error=DataError, next_step=tip)
        if arrays.keys() != ParticleEvents.empty(0)._arrays().keys():
            raise DataError(f"{path} is no file of generated events; {tip}")
        objects = {f.name: arrays.pop(f"{_OBJECT}{f.name}") for f in fields(Objects)}
        return ParticleEvents(objects=Objects(**objects), **arrays)
