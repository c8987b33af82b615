"""The trainings of a comparison: which there are, from what, in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.base import dotted
from l1met_fpga.config.distillation import DistillationConfig
from l1met_fpga.config.run import RunConfig
from l1met_fpga.distillation.folders import StudyFolders
from l1met_fpga.errors import ConfigError

__all__ = ["LoadRun", "PlannedRun", "StudyPlan"]

LoadRun = Callable[[Path, Mapping[str, Any]], RunConfig]
"""(YAML file, dotted settings) -> the run."""

_FIXED: Final = {
    "training.unpruned_twin": False,
    "training.teacher.twin": False,
    "training.teacher.train": 0,
}
"""Whatever the student's file says: a student is judged by the network that becomes firmware, and nobody
teaches whom no arm names."""
_UNTAUGHT: Final = {"training.teacher.weight": 0.0, "training.teacher.runs": []}
"""Of arms without teachers, whatever the student's file says of its own."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One training.

    Attributes:
        name: Of its arm or teacher.
        seed: Its seed.
        config: All settings.
        root: Its run folder.
    """

    name: str
    seed: int
    config: RunConfig
    root: Path


class StudyPlan:
    """Every training of a comparison.

    Args:
        config: The comparison.
        root: Folder of its runs.
        load: Reads a run's configuration.

    Attributes:
        config: The comparison.
        teachers: The trainings of all teachers.
        student: Settings of the student whom nobody teaches, of its first seed.

    Raises:
        ConfigError: If a file or a setting is not allowed, a teacher is of another task than the
            student, teachers have no weight, or the student has no samples.
    """

    def __init__(self, config: DistillationConfig, root: Path, load: LoadRun) -> None:
        self.config, self._load = config, load
        self._folders = StudyFolders(config, root.resolve())
        self.teachers = tuple(
            self._teacher(name, seed)
            for name in config.teachers
            for seed in self._folders.teacher_seeds(name)
        )
        self._students = {
            name: tuple(self._student(name, seed) for seed in self.seeds) for name in config.arms
        }
        self.student = self._config_of(config.baseline)
        self._check()

    def _check(self) -> None:
        if not self.student.samples:
            raise ConfigError(
                f"{self.config.student} names no samples; add a section `samples` to it or to the "
                "comparison"
            )
        for run in self._runs:
            if run.config.task != self.student.task:
                raise ConfigError(
                    f"{run.name} is of the task {run.config.task!r}, the student of "
                    f"{self.student.task!r}; all must be of one task"
                )
        for name, arm in self.config.arms.items():
            if arm.teachers and not self._config_of(name).training.teacher.weight:
                raise ConfigError(
                    f"arms.{name} has teachers, but their weight is 0; set "
                    f"arms.{name}.settings.training.teacher.weight"
                )

    @property
    def _runs(self) -> tuple[PlannedRun, ...]:
        return (*self.teachers, *self.students(tuple(self.config.arms)))

    def students(self, arms: tuple[str, ...]) -> tuple[PlannedRun, ...]:
        """Return the trainings of some arms, all seeds of one after another."""
        return tuple(run for name in arms for run in self._students[name])

    def named(self, name: str, seed: int) -> PlannedRun:
        """Return one training.

        Args:
            name: Of an arm or a teacher.
            seed: One of its seeds.

        Raises:
            ConfigError: If there is no such arm, teacher or seed.
        """
        of_name = {run.seed: run for run in self._runs if run.name == name}
        if not of_name:
            known = ", ".join(dict.fromkeys(run.name for run in self._runs))
            raise ConfigError(f"there is no arm and no teacher {name!r}; there are {known}")
        if seed not in of_name:
            known = ", ".join(map(str, of_name))
            raise ConfigError(f"{name} has no seed {seed}; its seeds are {known}")
        return of_name[seed]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every arm."""
        return self._folders.seeds

    @property
    def untaught(self) -> tuple[str, ...]:
        """Arms that nobody teaches; they may teach others."""
        return tuple(name for name, arm in self.config.arms.items() if not arm.teachers)

    def is_control(self, name: str) -> bool:
        """Tell whether an effect of an arm would not come from the knowledge of better networks.

        So it is with nobody who teaches, the student of the same seed, and shuffled teachers.
        """
        arm = self.config.arms[name]
        better = bool({*arm.teachers} & {*self.config.teachers}) or arm.every_seed
        return self._config_of(name).training.teacher.shuffled or not better

    def teaches(self, name: str) -> tuple[Path, ...]:
        """Return the run folders of what teaches an arm's first seed."""
        return self._folders.that_teach(name, self.config.first_seed)

    def _config_of(self, arm: str) -> RunConfig:
        """Return the settings that all seeds of an arm share."""
        return self._students[arm][0].config

    def _teacher(self, name: str, seed: int) -> PlannedRun:
        recipe = self.config.teachers[name]
        root = self._folders.teacher(name, seed)
        return self._run(name, seed, recipe.config, dotted(recipe.settings), root)

    def _student(self, name: str, seed: int) -> PlannedRun:
        arm = self.config.arms[name]
        runs = [str(folder) for folder in self._folders.that_teach(name, seed)]
        taught = {"training.teacher.runs": runs} if runs else _UNTAUGHT
        settings = dotted(self.config.settings) | dotted(arm.settings) | _FIXED | taught
        return self._run(name, seed, self.config.student, settings, self._folders.arm(name, seed))

    def _run(
        self, name: str, seed: int, file: Path, settings: Mapping[str, Any], root: Path
    ) -> PlannedRun:
        changes = {**settings, "training.seed": seed}
        if self.config.samples:
            changes["samples"] = [one.model_dump(mode="json") for one in self.config.samples]
        try:
            return PlannedRun(name, seed, self._load(file, changes), root)
        except ConfigError as err:
            raise ConfigError(f"{name}, with its settings: {err}") from None
