"""File of ``l1met distill``: a student, its teachers, and ways to train it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from l1met_fpga.config.base import StrictModel, dotted, load_yaml, matching, override, parse
from l1met_fpga.config.training import TrainingSample

__all__ = ["ArmConfig", "DistillationConfig", "TeacherRecipe", "load_distillation"]

Settings = dict[str, Any]
Name = Annotated[
    str, matching(r"[A-Za-z][\w-]*", "letters, digits, _ and -, a letter first: it names a folder")
]


_SET_BY: Final = {
    "samples": "samples",
    "training.seed": "seeds and first_seed",
}
"""Settings of every training that a comparison makes itself, and by what."""
_SET_BY_OF_STUDENTS: Final = _SET_BY | {
    "training.unpruned_twin": "the comparison, which judges the network that becomes firmware",
    "training.teacher.runs": "teachers of an arm",
    "training.teacher.twin": "teachers of an arm",
    "training.teacher.train": "teachers of an arm",
}
"""The same of students."""


class TeacherRecipe(StrictModel):
    """Networks that are trained to teach; with several seeds, their mean teaches.

    Attributes:
        config: YAML file of the network.
        settings: Settings that are changed, as sections or by dotted keys.
        seeds: How many are trained.
    """

    config: Path
    settings: Settings = Field(default_factory=dict)
    seeds: int = Field(default=1, ge=1, le=50)


class ArmConfig(StrictModel):
    """One way to train the student.

    Attributes:
        teachers: Who teaches: names of ``teachers``, or of arms that nobody teaches. An arm teaches
            with the student of the same seed (self-distillation).
        every_seed: Arms that teach do it with the mean of all their seeds (an ensemble).
        settings: Settings that are changed for this arm, as sections or by dotted keys;
            ``training.teacher.weight`` is the weight of the teachers.
    """

    teachers: tuple[Name, ...] = ()
    every_seed: bool = False
    settings: Settings = Field(default_factory=dict)


class DistillationConfig(StrictModel):
    """A comparison of trainings of one network, arm against arm, seed by seed.

    Attributes:
        student: YAML file of the network.
        settings: Settings of all arms, as sections or by dotted keys.
        samples: Samples of students and teachers; those of the student's file if empty.
        seeds: Seeds of every arm.
        first_seed: The first of them.
        gate: Leave out arms whose teachers are not better than the student by more than the error.
        teachers: Networks that are trained to teach, by name.
        arms: Ways to train the student, by name; the first is what the others are compared with.
    """

    student: Path
    settings: Settings = Field(default_factory=dict)
    samples: tuple[TrainingSample, ...] = ()
    seeds: int = Field(default=5, ge=2, le=100)
    first_seed: int = Field(default=1, ge=0)
    gate: bool = True
    teachers: dict[Name, TeacherRecipe] = Field(default_factory=dict)
    arms: dict[Name, ArmConfig]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.arms) < 2:
            raise ValueError(f"arms must be two or more ways to train, got {list(self.arms)}")
        both = sorted({*self.arms} & {*self.teachers})
        if both:
            raise ValueError(f"{both[0]!r} is the name of an arm and of a teacher; rename one")
        if self.arms[self.baseline].teachers:
            raise ValueError(
                f"the first arm, {self.baseline!r}, is what the others are compared with, so it can "
                "have no teachers"
            )
        for name, arm in self.arms.items():
            self._check_arm(name, arm)
        _check_settings("settings", self.settings, _SET_BY_OF_STUDENTS)
        for name, arm in self.arms.items():
            _check_settings(f"arms.{name}.settings", arm.settings, _SET_BY_OF_STUDENTS)
        for name, teacher in self.teachers.items():
            _check_settings(f"teachers.{name}.settings", teacher.settings, _SET_BY)
        return self

    def _check_arm(self, name: str, arm: ArmConfig) -> None:
        untaught = [one for one, other in self.arms.items() if not other.teachers]
        known = [*self.teachers, *untaught]
        for teacher in arm.teachers:
            if teacher not in known or teacher == name:
                raise ValueError(
                    f"arms.{name}.teachers names {teacher!r}; who can teach: {', '.join(known)}"
                )
        if arm.every_seed and not {*arm.teachers} & {*untaught}:
            raise ValueError(
                f"arms.{name}.every_seed is of arms that teach, and none of its teachers is an arm"
            )

    @property
    def baseline(self) -> str:
        """Name of the arm that the others are compared with."""
        return next(iter(self.arms))


def _check_settings(where: str, settings: Mapping[str, Any], set_by: Mapping[str, str]) -> None:
    """Refuse what would be replaced without a word."""
    for key in dotted(settings):
        if key in set_by:
            raise ValueError(f"{where}: {key} is set by {set_by[key]}; leave it out")


def load_distillation(path: Path, overrides: Mapping[str, Any] | None = None) -> DistillationConfig:
    """Read a comparison.

    Args:
        path: YAML file (``models/distillation/met.yaml``).
        overrides: Dotted keys and their values, for example ``{"seeds": 8}``.

    Raises:
        ConfigError: If anything in it is not allowed; says where, and the nearest known key.
    """
    raw = override(load_yaml(path), overrides or {})
    return parse(DistillationConfig, raw, where=str(path))
