"""What a report needs of ``training.json`` and ``environment.json``; both hold more."""

from pydantic import ConfigDict, Field, JsonValue

from l1met_fpga.results.base import Result

__all__ = ["Environment", "GitState", "TrainingSampleInfo", "TrainingSummary"]


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
