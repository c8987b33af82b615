"""Configuration of ``l1met simulate``: which samples, how many events, which pile-up."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from l1met_fpga.caches import cache_folder
from l1met_fpga.config.base import Seed, StrictModel, matching
from l1met_fpga.puppi.columns import N_CANDIDATES

__all__ = ["PoolConfig", "SampleConfig", "SimulationConfig"]

MAX_PILEUP: Final = 500
"""Collisions per crossing that the simulation has room for: tracks and towers of more would be cut."""

FileStem = Annotated[
    str, matching(r"\w[\w.-]*", "letters, digits, and _ . - after the first character")
]


class PoolConfig(StrictModel):
    """Pool of pile-up collisions, made once and cached.

    Attributes:
        minimum_bias: Collisions without a hard scattering; 0 switches pile-up off.
        qcd: Collisions in the pT-hat bins 45-80, 80-130, 130-200 and above 200 GeV.
        seed: Seed of the pool.
    """

    minimum_bias: int = Field(50_000, ge=0)
    qcd: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (20_000, 10_000, 5_000, 5_000)
    seed: Seed = 1


class SampleConfig(StrictModel):
    """One sample.

    Attributes:
        process: Name or path of a process card; ``null`` for pile-up only.
        events: Number of events.
        seed: Seed of the sample.
    """

    process: str | None
    events: PositiveInt
    seed: Seed


class SimulationConfig(StrictModel):
    """Everything that decides what ``l1met simulate`` writes, and how.

    Attributes:
        samples: Samples by name, which is also the name of their files.
        output: Folder of the files.
        cache: Folder of generated collisions, shared by all runs; ``null`` takes the user's cache
            (``L1MET_CACHE``).
        pool: Pile-up.
        detector: Detector parameters; ``null`` takes the package's file.
        events_per_file: Largest number of events in one file.
        order: ``pt`` (hardest first) or ``region`` (as the correlator merges its regions, with
            their limits).
        max_candidates: Where the list of candidates is cut.
        compact: Leave out redundant branches, and jets that no training takes; compress strongly.
        words: Write the 64-bit word streams too.
        jets: Write the jets too, with their constituents and generated flavour: ``NAME_jets.root``;
            ``only`` writes nothing else, and they are ``NAME.root``.
        elements: Write tracks, clusters, the particles behind them and the rules' candidates too:
            ``NAME_elements.root``; ``only`` writes nothing else, and they are ``NAME.root``.
        pileup: Mean number of pile-up collisions of a crossing; ``null`` takes the detector's.
        truth: Write of each candidate the part of its momentum that comes from the hard collision
            (branch ``hardShare``).
        workers: Processes on this machine; ``null`` takes one per processor.
        scheduler: Address of a Dask scheduler to use instead (``tcp://host:8786``).
    """

    samples: dict[FileStem, SampleConfig]
    output: Path = Path("data/simulated")
    cache: Path | None = None
    pool: PoolConfig = PoolConfig()
    detector: Path | None = None
    events_per_file: PositiveInt = 10_000
    order: Literal["pt", "region"] = "pt"
    max_candidates: int = Field(N_CANDIDATES, ge=1, le=1024)
    compact: bool = False
    words: bool = False
    jets: bool | Literal["only"] = False
    elements: bool | Literal["only"] = False
    pileup: float | None = Field(None, ge=0, le=MAX_PILEUP)
    truth: bool = False
    workers: PositiveInt | None = None
    scheduler: str | None = None

    @property
    def writes_events(self) -> bool:
        """Whether files of events are written."""
        return "only" not in (self.jets, self.elements)

    @model_validator(mode="after")
    def _one_only(self) -> Self:
        if self.jets == self.elements == "only":
            raise ValueError(
                "jets: only and elements: only would be one file; say true for one of them"
            )
        return self

    @property
    def collisions(self) -> Path:
        """Folder of generated collisions."""
        return self.cache or cache_folder("simulation")
