"""Where the trainings of a comparison lie, with which seeds, and which of them teach which."""

from dataclasses import dataclass
from pathlib import Path

from l1met_fpga.config.distillation import DistillationConfig

__all__ = ["StudyFolders"]


@dataclass(frozen=True, slots=True)
class StudyFolders:
    """Run folders of a comparison; whatever makes or reads one asks here.

    Attributes:
        config: The comparison.
        root: Folder of its runs.
    """

    config: DistillationConfig
    root: Path

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every arm."""
        return self._seeds(self.config.seeds)

    def teacher_seeds(self, name: str) -> tuple[int, ...]:
        """Seeds of a teacher."""
        return self._seeds(self.config.teachers[name].seeds)

    def arm(self, name: str, seed: int | str) -> Path:
        """Run folder of an arm's student; a seed as text may be a wildcard."""
        return self.root / "arms" / name / f"seed{seed}"

    def teacher(self, name: str, seed: int | str) -> Path:
        """Run folder of a teacher."""
        return self.root / "teachers" / name / f"seed{seed}"

    def that_teach(self, name: str, seed: int) -> tuple[Path, ...]:
        """Run folders that must be complete before the student of an arm and seed is trained."""
        return tuple(
            run for one in self.config.arms[name].teachers for run in self._of(one, name, seed)
        )

    def _of(self, teacher: str, arm: str, seed: int) -> list[Path]:
        if teacher in self.config.teachers:
            return [self.teacher(teacher, one) for one in self.teacher_seeds(teacher)]
        seeds = self.seeds if self.config.arms[arm].every_seed else (seed,)
        return [self.arm(teacher, one) for one in seeds]

    def _seeds(self, n: int) -> tuple[int, ...]:
        first = self.config.first_seed
        return tuple(range(first, first + n))
