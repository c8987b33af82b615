"""Train what is missing of a comparison; what is there is used again if it was made from the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from l1met_fpga.cluster import run_tasks
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.run import RunConfig
from l1met_fpga.data.samples import load_samples
from l1met_fpga.distillation.plan import PlannedRun
from l1met_fpga.errors import RunFolderError
from l1met_fpga.identity import content_digest, require_same
from l1met_fpga.results.run import VAL_EFFICIENCY, TrainingSummary, read_training
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Task
from l1met_fpga.training.inputs import samples_identity, training_identity
from l1met_fpga.training.loop import Cost
from l1met_fpga.training.session import train_run

__all__ = ["Costs", "FinishedRun", "Trainings"]

Costs = Callable[[RtlConfig], Cost]
"""Gives what counts LUTs; importable on the workers."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A training that is complete.

    Attributes:
        run: Which one.
        seconds: Of its networks; None where it was there already.
        val_efficiency: Of its network on the validation part, mean of the signal samples.
    """

    run: PlannedRun
    seconds: float | None
    val_efficiency: float | None


@dataclass(frozen=True, slots=True)
class _Job:
    run: PlannedRun
    task: Task
    costs: Costs
    command: str


class Trainings:
    """Trains runs of a comparison, and knows those that are complete.

    Args:
        task: What is trained.
        costs: Counts LUTs, for budgets of them.
        command: What was typed, for ``environment.json``.
        workers: Trainings at the same time; one per processor if not given.
        scheduler: Dask scheduler to use instead.
    """

    def __init__(
        self,
        task: Task,
        costs: Costs,
        command: str,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
    ) -> None:
        self._task, self._costs, self._command = task, costs, command
        self._workers, self._scheduler = workers, scheduler
        self._samples: dict[str, dict[str, Any]] = {}

    def finish(self, runs: Sequence[PlannedRun]) -> Iterator[FinishedRun]:
        """Train what is not complete yet; none of the runs may teach another of them.

        Yields:
            Every run as soon as it is complete.

        Raises:
            RunFolderError: If a complete run was made from something else.
            TrainingError: If a training fails.
        """
        jobs = []
        for run in runs:
            if RunFolder(run.root).training.exists():
                self._require_same(run)
                yield _finished(run, reused=True)
            else:
                jobs.append(_Job(run, self._task, self._costs, self._command))
        done = run_tasks(_train, jobs, workers=self._workers, scheduler=self._scheduler)
        for index, _ in done:
            yield _finished(jobs[index].run, reused=False)

    def _require_same(self, run: PlannedRun) -> None:
        recorded = _summary(run).made_from
        identity = training_identity(run.config, ()) | self._of_samples(run.config)
        require_same(
            recorded,
            identity,
            what=f"the training in {run.root}",
            next_step="Remove that folder to train it again, or compare into another --output",
            error=RunFolderError,
        )

    def _of_samples(self, config: RunConfig) -> dict[str, Any]:
        """Return what the samples are, read once for all runs that see the same of them."""
        model, task = config.model, self._task
        seen = [one.model_dump(mode="json") for one in config.samples]
        key = content_digest([seen, sorted(model.columns), model.n_candidates])
        if key not in self._samples:
            found = load_samples(
                config.samples, model, tuple(task.truths.values()), rows=task.rows,
                besides=task.besides,
            )  # fmt: skip
            self._samples[key] = samples_identity(found)
        return self._samples[key]


def _train(job: _Job) -> None:
    run = job.run
    train_run(
        run.config, job.task, run.root, command=job.command, resume=run.root.is_dir(),
        cost=job.costs(run.config.rtl),
    )  # fmt: skip


def _finished(run: PlannedRun, *, reused: bool) -> FinishedRun:
    summary = _summary(run)
    seconds = sum(network.seconds for network in summary.networks.values())
    efficiency = summary.kept.validation.get(VAL_EFFICIENCY)
    return FinishedRun(run, None if reused else seconds, efficiency)


def _summary(run: PlannedRun) -> TrainingSummary:
    return read_training(RunFolder(run.root).training)
