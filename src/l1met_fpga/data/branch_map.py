"""Names of ROOT branches, read from YAML: packaged maps, or the user's own."""

import difflib
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from l1met_fpga.config.base import StrictModel, load_yaml, parse
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["PACKAGED", "BranchMap", "choose_branch_map", "load_branch_map", "nearest"]

PACKAGED: Final = ("perfnano", "l1nano", "scouting")
"""Maps that come with the package, in the order in which ``auto`` tries them."""


class CandidateBranches(StrictModel):
    """Branches that every file must have, in physical units."""

    pt: str = Field(description="GeV, PUPPI weight already applied.")
    eta: str = Field(description="Pseudorapidity.")
    phi: str = Field(description="Azimuth, rad.")
    pdg_id: str = Field(description="PDG code, integer or float.")
    puppi_weight: str = Field(description="0 to 1.")

    def columns(self) -> dict[str, str]:
        """Branches that become a column of the same name."""
        return {
            "pt": self.pt,
            "eta": self.eta,
            "phi": self.phi,
            "puppi_weight": self.puppi_weight,
        }


class PolarMet(StrictModel):
    """Branches of one MET vector."""

    pt: str = Field(description="GeV.")
    phi: str = Field(description="rad.")


class BranchMap(StrictModel):
    """Where a ROOT file keeps what a store needs; all but `candidates` may be missing in a file."""

    tree: str = Field("Events", description="TTree with one entry per event.")
    count: str | None = Field(None, description="Number of candidates, checked when there.")
    candidates: CandidateBranches
    charge: str | None = Field(None, description="Electric charge; decides the sign of pdgId.")
    hardware: dict[str, str] = Field(
        {}, description="Branches that hold hardware integers, by column; used when there."
    )
    extras: dict[str, str] = Field({}, description="Optional columns in physical units (z0, dxy).")
    gen_met: PolarMet | None = None
    puppi_met: PolarMet | None = None
    vertex_z0: str | None = Field(None, description="z of the vertices in cm, the primary first.")
    event: tuple[str, str, str] | None = Field(
        None, description="Run, luminosity block, event number (or run, orbit, bunch crossing)."
    )

    @field_validator("hardware", "extras")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(COLUMNS))
        if unknown:
            raise ValueError(f"unknown columns {unknown}; known are {', '.join(COLUMNS)}")
        return value

    def required(self) -> list[str]:
        """Branches without which a file cannot be read."""
        return [*self.candidates.columns().values(), self.candidates.pdg_id]


def load_branch_map(name: str) -> BranchMap:
    """Read a packaged map by name, or a YAML file by path.

    Raises:
        ConfigError: If there is no such map or file, or it breaks the rules.
    """
    if name in PACKAGED:
        path = Path(str(files("l1met_fpga.data") / "branch_maps" / f"{name}.yaml"))
    else:
        path = Path(name)
        if not path.is_file():
            raise ConfigError(
                f"no branch map {name!r}: neither a file nor one of {', '.join(PACKAGED)}, auto"
            )
    return parse(BranchMap, load_yaml(path), where=str(path))


def choose_branch_map(name: str, branches: Collection[str], where: str) -> BranchMap:
    """Return the map by this name; for ``auto`` the first packaged one that fits.

    Args:
        name: A packaged map, a path, or ``auto``.
        branches: Branches of the file.
        where: File name for messages.

    Raises:
        ConfigError: If there is no such map.
        DataError: If the file lacks a branch that the map requires; names the nearest.
    """
    if name != "auto":
        chosen = load_branch_map(name)
        missing = [branch for branch in chosen.required() if branch not in branches]
        if missing:
            raise DataError(
                f"{where}: tree {chosen.tree} has no branch {missing[0]}"
                f"{nearest(missing[0], branches)}; it is needed by the branch map {name}, give "
                "another with --branch-map"
            )
        return chosen
    maps = [load_branch_map(packaged) for packaged in PACKAGED]
    for candidate in maps:
        if all(branch in branches for branch in candidate.required()):
            return candidate
    closest = max(maps, key=lambda known: sum(branch in branches for branch in known.required()))
    missing = [branch for branch in closest.required() if branch not in branches]
    raise DataError(
        f"{where}: tree {closest.tree} has no branch {missing[0]}{nearest(missing[0], branches)}; "
        f"no packaged branch map ({', '.join(PACKAGED)}) fits, write your own and give it with "
        "--branch-map"
    )


def nearest(name: str, known: Collection[str]) -> str:
    """Return `` (nearest: ...)`` with up to three names like ``name``, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" (nearest: {', '.join(close)})" if close else ""
