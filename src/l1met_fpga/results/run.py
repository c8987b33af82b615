"""What a training says of itself: ``started.json``; ``training.json``, ``environment.json``: what is read of them."""

from pathlib import Path

from pydantic import ConfigDict, Field, JsonValue

from l1met_fpga.results.base import Result

__all__ = ["Environment", "GitState", "TrainingSampleInfo", "TrainingStart", "TrainingSummary"]


class _Part(Result):
    """A result of which only some keys are read."""

    model_config = ConfigDict(extra="ignore")


class GitState(_Part):
    """State of the repository at the training."""

    commit: str | None = None


class Environment(_Part):
    """``environment.json``: versions, git state, seed."""

    seed: int | None = None
    software: dict[str, str] | None = None
    git: GitState | None = None


class TrainingSampleInfo(_Part):
    """A sample that was trained on."""

    label: str


class TrainingSummary(_Part):
    """``training.json``: what was trained on."""

    training_events: int | None = None
    samples: dict[str, JsonValue] | list[TrainingSampleInfo] = Field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """Labels of the samples, whether the file lists them or names them."""
        return [one if isinstance(one, str) else one.label for one in self.samples]


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
