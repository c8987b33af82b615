"""Configuration of conversion and splits."""

import re
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from l1met_fpga.config.base import Seed, StrictModel, matching

__all__ = ["LABEL_RULE", "ConvertConfig", "Role", "SampleLabel", "SplitConfig", "is_label"]

Role = Literal["signal", "background"]
"""What a sample is for: signal, or pile-up-only events that rates come from."""

_LABEL: Final = r"[^/\x00-\x1f]+"
LABEL_RULE: Final = (
    "one character or more, none of them a / or a control character (it names figures)"
)
SampleLabel = Annotated[str, matching(_LABEL, LABEL_RULE)]


def is_label(text: str) -> bool:
    """Whether a text that no setting has checked can be a label."""
    return re.fullmatch(_LABEL, text) is not None


class SplitConfig(StrictModel):
    """How events are divided into training, validation and test parts."""

    seed: Seed = Field(1, description="Another seed gives another, independent division.")
    train: float = Field(0.7, ge=0, le=1, description="Fraction of events to train on.")
    validation: float = Field(0.1, ge=0, le=1, description="Fraction to watch training with.")
    test: float = Field(0.2, ge=0, le=1, description="Fraction kept for the final figures.")

    @property
    def fractions(self) -> tuple[float, float, float]:
        """Training, validation and test fraction."""
        return self.train, self.validation, self.test

    @model_validator(mode="after")
    def _sum_is_one(self) -> "SplitConfig":
        if abs(sum(self.fractions) - 1) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, got {sum(self.fractions):g}")
        return self


class ConvertConfig(StrictModel):
    """What `l1met convert` does with its input files."""

    label: SampleLabel = Field("sample", description="Name of the sample in the store.")
    role: Role | None = Field(
        None,
        description="What the sample is for: signal, or background (pile-up-only events, whose "
        "true MET is zero and from which rates come). If null, the labels pileup, minbias and "
        "single_neutrino mean background and every other one means signal.",
    )
    format: Literal["auto", "root", "words", "l1metml", "l1deepmet", "jets", "elements"] = Field(
        "auto",
        description="Format of the input files; auto tells it by the end of their names. jets: ROOT "
        "files of the jet tagger, of which every jet becomes an example. elements: ROOT files of "
        "`l1met simulate` with `elements: true`, of which every track and cluster becomes an example.",
    )
    order: Literal["as_is", "pt", "region"] = Field(
        "as_is",
        description="Order of the candidates, which decides what is lost above 128: as in the "
        "file, hardest first, or by region of the correlator.",
    )
    branch_map: str = Field(
        "auto",
        description="ROOT branch names: a packaged map (perfnano, l1nano, scouting), a YAML file, "
        "or auto to take the first packaged map that fits.",
    )
    z0: Literal["beam", "vertex"] = Field(
        "beam",
        description="z0 of charged candidates: along the beam line as in the words, or as distance "
        "to the primary vertex, which the file must hold.",
    )
    events_per_step: int = Field(
        16384,
        ge=1,
        description="About so many events in memory at once; results do not depend on it.",
    )
    splits: SplitConfig = SplitConfig()

    @property
    def rows(self) -> Literal["event", "jet", "element"]:
        """What one example of the store is."""
        match self.format:
            case "jets":
                return "jet"
            case "elements":
                return "element"
        return "event"

    @model_validator(mode="after")
    def _parts_are_signal(self) -> "ConvertConfig":
        if self.rows != "event" and self.role == "background":
            raise ValueError(
                f"role background is for pile-up-only events, whose truth is zero; {self.format} have a "
                "class, or none: leave the role out"
            )
        return self
