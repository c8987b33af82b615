"""What a training says of itself: ``started.json``, ``training.json``, ``environment.json``."""

from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, Field, JsonValue, field_validator

from l1met_fpga.errors import RunFolderError
from l1met_fpga.results.base import Result, read_result

__all__ = [
    "VAL_EFFICIENCY",
    "Environment",
    "GitState",
    "SampleRecord",
    "TrainingRecord",
    "TrainingStart",
    "TrainingSummary",
    "read_training",
]


VAL_EFFICIENCY: Final = "val_efficiency"
"""Figure of an epoch: efficiency at equal rate on the validation part, mean of the signal samples."""


class _Kept(Result):
    """Part of a file that runs of earlier versions have, too: with less in it, or more."""

    model_config = ConfigDict(extra="ignore")


class GitState(_Kept):
    """State of the repository at the training.

    Attributes:
        commit: The commit.
        changed: Whether tracked files differ from it.
    """

    commit: str
    changed: bool


class Environment(_Kept):
    """``environment.json``: what a result depends on besides its configuration.

    Attributes:
        command: What was run.
        seed: Seed of the training.
        python: Version.
        software: Versions of packages.
        git: None outside a checkout.
        platform: System, processor and cores.
    """

    command: str
    seed: int
    python: str
    software: dict[str, str]
    git: GitState | None
    platform: str


class SampleRecord(_Kept):
    """One store that a run was trained on; runs of earlier versions know less of it.

    Attributes:
        label: From the store.
        role: What it was for.
        path: Where it was.
        share: Share of an epoch.
        training_events: Events trained on.
        validation_events: Events that the training was watched with.
        cut_candidates: Candidates behind the slots of the network.
        identity: :attr:`l1met_fpga.data.store.Store.identity` at that time.
        units: Unit of one count, by column.
        sources: SHA-256 of the input files.
    """

    label: str
    role: str | None = None
    path: str | None = None
    share: float | None = None
    training_events: int | None = None
    validation_events: int | None = None
    cut_candidates: int | None = None
    identity: dict[str, JsonValue] | None = None
    units: dict[str, str] | None = None
    sources: list[str] = Field(default_factory=list)


class TrainingRecord(_Kept):
    """One trained network.

    Attributes:
        epochs: Epochs done.
        seconds: Wall time.
        parameters: Its parameters.
        zero_fractions: Zeros of the quantized kernels by layer and in ``total``; empty for float.
        luts: What a budget of LUTs was compared with, where there is one.
        validation: Figures on the validation part; None where it has too few events.
    """

    epochs: int
    seconds: float
    parameters: int
    zero_fractions: dict[str, float]
    luts: float | None = None
    validation: dict[str, float | None]

    @property
    def zero_fraction(self) -> float | None:
        """Zeros of all its kernels together."""
        return self.zero_fractions.get("total")


class TrainingSummary(_Kept):
    """``training.json``: what was trained on what, and what it gave.

    Attributes:
        task: What was trained.
        model: Name of the network.
        architecture: Its architecture.
        primary: Which network firmware is made from.
        seed: Seed of the training.
        made_from: Identity of everything that the training depends on.
        training_events: Events of all samples.
        steps_per_epoch: Steps of an epoch.
        samples: Stores.
        puppi: Figures of what the trigger gives today on the validation part.
        networks: All trained networks, in the order of their training.
    """

    task: str = "met"
    model: str
    architecture: str
    primary: str
    seed: int
    made_from: dict[str, JsonValue] = Field(default_factory=dict)
    training_events: int
    steps_per_epoch: int
    samples: list[SampleRecord]
    puppi: dict[str, float | None]
    networks: dict[str, TrainingRecord]

    @field_validator("samples", mode="before")
    @classmethod
    def _listed(cls, samples: Any) -> Any:
        """Take the samples of earlier versions, which stood by label."""
        if not isinstance(samples, dict):
            return samples
        return [
            {"label": label} | about if isinstance(about, dict) else about
            for label, about in samples.items()
        ]

    @field_validator("networks")
    @classmethod
    def _has_primary(cls, networks: dict[str, Any], info: Any) -> dict[str, Any]:
        primary = info.data.get("primary")
        if primary is not None and primary not in networks:
            raise ValueError(f"there is no {primary!r}, which is the primary network")
        return networks

    @property
    def kept(self) -> TrainingRecord:
        """The network that firmware is made from."""
        return self.networks[self.primary]


class TrainingStart(Result):
    """``started.json``: what a training is about to do, for whoever watches it.

    Attributes:
        networks: Epochs of each network at most, in the order of their training.
        puppi: Figures of what the trigger gives today on the validation events; None where they
            have too few events.
    """

    networks: dict[str, int]
    puppi: dict[str, float | None]

    def history(self, folder: Path, network: str) -> Path:
        """Return the file of a network's epochs: the last network is the one for firmware."""
        last = network == list(self.networks)[-1]
        return folder / ("history.csv" if last else f"history_{network}.csv")


def read_training(path: Path) -> TrainingSummary:
    """Read ``training.json``.

    Raises:
        RunFolderError: If it is missing or damaged.
    """
    return read_result(TrainingSummary, path, made_by="l1met train", error=RunFolderError)
