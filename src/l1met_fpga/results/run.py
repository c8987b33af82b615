"""What a report needs of ``training.json`` and ``environment.json``; both hold more."""

from pydantic import ConfigDict, Field, JsonValue

from l1met_fpga.results.base import Result

__all__ = ["Environment", "GitState", "TrainingSummary"]


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


class TrainingSummary(_Part):
    """``training.json``: what was trained on."""

    training_events: int | None = None
    samples: dict[str, JsonValue] = Field(default_factory=dict)
