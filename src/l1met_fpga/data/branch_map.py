"""Names of ROOT branches, read from YAML: packaged maps, or the user's own."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from l1met_fpga.config.base import StrictModel, load_yaml, parse
from l1met_fpga.data.truth import TRUTHS
from l1met_fpga.errors import ConfigError
from l1met_fpga.puppi.columns import STORED_COLUMNS

__all__ = ["PACKAGED", "BranchMap", "Names", "PolarVector", "load_branch_map"]

PACKAGED: Final = ("perfnano", "l1nano", "scouting")
"""Maps that come with the package, in the order in which ``auto`` tries them."""


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
"""One branch, or several names for it in files of other versions: the first in a file is read."""
BaselineName = Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9_]*$")]


class CandidateBranches(StrictModel):
    """Branches that every file must have, in physical units."""

    pt: Names = Field(description="GeV, PUPPI weight already applied.")
    eta: Names = Field(description="Pseudorapidity.")
    phi: Names = Field(description="Azimuth, rad.")
    pdg_id: Names = Field(description="PDG code, integer or float.")
    puppi_weight: Names = Field(description="0 to 1.")


class PolarVector(StrictModel):
    """Branches of a vector in the transverse plane."""

    pt: Names = Field(description="GeV.")
    phi: Names = Field(description="rad.")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.pt) != len(self.phi):
            raise ValueError(
                f"pt has {len(self.pt)} names and phi {len(self.phi)}; they belong together in pairs"
            )
        return self


class BranchMap(StrictModel):
    """Where a ROOT file keeps what a store needs.

    A file may lack all but `candidates` if the map comes with the package; what a map of the
    user's names must be there.
    """

    tree: str = Field("Events", description="TTree or RNTuple with one entry per event.")
    count: Names | None = Field(None, description="Number of candidates, checked when there.")
    candidates: CandidateBranches
    charge: Names | None = Field(None, description="Electric charge; decides the sign of pdgId.")
    hardware: dict[str, Names] = Field(
        {}, description="Branches that hold hardware integers, by column; used when there."
    )
    extras: dict[str, Names] = Field(
        {}, description="Optional columns in physical units (z0, dxy)."
    )
    truth: dict[str, PolarVector | Names] = Field(
        {}, description="Branches of what is known of the collision, by the name of the truth."
    )
    baselines: dict[BaselineName, PolarVector | Names] = Field(
        {}, description="Branches of other algorithms' estimates, by the name in the store."
    )
    vertex_z0: Names | None = Field(None, description="z of the vertices in cm, the primary first.")
    n_pileup: Names | None = Field(
        None, description="Number of pile-up collisions; used when there."
    )
    event: tuple[Names, Names, Names] | None = Field(
        None, description="Run, luminosity block, event number (or run, orbit, bunch crossing)."
    )

    @model_validator(mode="before")
    @classmethod
    def _moved(cls, value: object) -> object:
        if isinstance(value, dict) and not {"gen_met", "puppi_met"}.isdisjoint(value):
            raise ValueError(
                "gen_met is written as `truth: {gen_met: ...}` now, and puppi_met as `baselines: "
                "{puppi_met: ...}`"
            )
        return value

    @field_validator("truth")
    @classmethod
    def _known_truths(
        cls, value: dict[str, "PolarVector | Names"]
    ) -> dict[str, "PolarVector | Names"]:
        known = {truth.key: truth for truth in TRUTHS.values()}
        for key, branches in value.items():
            if key not in known:
                raise ValueError(f"unknown truth {key!r}; known are {', '.join(known)}")
            is_vector = isinstance(branches, PolarVector)
            if is_vector != (known[key].kind == "vector"):
                form = "one branch" if is_vector else "two branches, pt and phi"
                raise ValueError(f"{key} needs {form}")
        return value

    @field_validator("hardware", "extras")
    @classmethod
    def _known_columns(cls, value: dict[str, Names]) -> dict[str, Names]:
        unknown = sorted(set(value) - set(STORED_COLUMNS))
        if unknown:
            raise ValueError(f"unknown columns {unknown}; known are {', '.join(STORED_COLUMNS)}")
        return value


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
