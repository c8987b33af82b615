"""The protocol of a comparison: what bounds it, whether a teacher knows more, then arm against arm.

Teachers and untaught students are trained first. A teacher that is not better than the student by more
than the error, on the validation part, has nothing to teach, and its arms are not trained. What is left
is judged on the test part, once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.distillation.figures import Figures, PartEvents, effect, measured
from l1met_fpga.distillation.plan import PlannedRun, StudyPlan
from l1met_fpga.distillation.runs import Costs, FinishedRun, Trainings
from l1met_fpga.distillation.verdict import verdict
from l1met_fpga.evaluation.runs import fit_on_training_parts
from l1met_fpga.files import exclusive
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model, predict
from l1met_fpga.puppi.columns import TRUTH_COLUMNS
from l1met_fpga.results.base import Measured
from l1met_fpga.results.distillation import ArmResult, Comparison, GateResult
from l1met_fpga.results.run import read_training
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Estimator, Heads, Task
from l1met_fpga.training.teacher import network_of_run, taught

__all__ = ["compare"]

Scores = dict[str, dict[str, Any]]

_TEACHERS: Final = "teachers of "


def compare(
    plan: StudyPlan,
    task: Task,
    root: Path,
    trainings: Trainings,
    costs: Costs,
    *,
    on_run: Callable[[FinishedRun, int, int], None],
    say: Callable[[str], None],
) -> Comparison:
    """Train what is missing and compare all arms.

    Args:
        plan: The trainings.
        task: What they give.
        root: Folder of the comparison; another comparison there waits for this one.
        trainings: Trains them.
        costs: Counts LUTs.
        on_run: Called with each complete training, how many there are, and how many there will be.
        say: Told what is found on the way.

    Raises:
        ConfigError: If a setting is not allowed.
        DataError: If the samples give no efficiency at equal rate.
        RunFolderError: If a complete run was made from something else.
        TrainingError: If a training fails.
    """
    with exclusive(root / "comparison"):
        return _Study(plan, task, trainings, costs, on_run, say).run()


class _Study:
    def __init__(
        self,
        plan: StudyPlan,
        task: Task,
        trainings: Trainings,
        costs: Costs,
        on_run: Callable[[FinishedRun, int, int], None],
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._task, self._trainings, self._costs = plan, task, trainings, costs
        self._on_run, self._say, self._done = on_run, say, 0
        self._all = len(plan.teachers) + len(plan.students(tuple(plan.config.arms)))
        runs = (plan.student, *(run.config for run in plan.teachers))
        columns = [name for run in runs for name in (*task.columns, *run.model.columns)]
        self._stores = [store_of(sample) for sample in plan.student.samples]
        self._has_truth = task.oracle is not None and all(map(_knows_truth, self._stores))
        columns += TRUTH_COLUMNS if self._has_truth else ()
        self._columns = tuple(dict.fromkeys(columns))

    def run(self) -> Comparison:
        """Return what the whole comparison gave."""
        plan, config = self._plan, self._plan.config
        validation = self._events(Part.VALIDATION)  # what cannot be measured is said before hours
        self._say(self._bound_sentence(validation))
        self._train((*plan.teachers, *plan.students(plan.untaught)))
        taught_arms = [name for name in config.arms if config.arms[name].teachers]
        gates = self._gates(validation, [n for n in taught_arms if not plan.is_control(n)])
        chosen, stopped = self._passed(gates, taught_arms)
        self._train(plan.students(tuple(chosen)))
        return self._judge([*plan.untaught, *chosen], gates, stopped)

    def _bound(self, part: PartEvents) -> Measured | None:
        """Return the efficiency of the sum with true shares, if the samples hold them."""
        if self._task.oracle is None or not self._has_truth:
            return None
        return part.without_background(part.score(self._task.oracle))

    def _bound_sentence(self, part: PartEvents) -> str:
        one = self._bound(part)
        if one is None:
            return (
                "no bound: the samples do not say how much of each candidate comes from the hard "
                "collision (`l1met simulate --set truth=true` writes it)"
            )
        return (
            f"the sum with the true shares of the hard collision bounds all weights of candidates: "
            f"{one.value:.3f} ± {one.error:.3f} of {part.title} (validation part) lie above every "
            "pile-up-only event"
        )

    def _events(self, part: Part) -> PartEvents:
        evaluation = self._plan.student.evaluation
        return PartEvents(self._stores, self._task, part, evaluation, self._columns)

    def _train(self, runs: Sequence[PlannedRun]) -> None:
        for finished in self._trainings.finish(runs):
            self._done += 1
            self._on_run(finished, self._done, self._all)

    def _passed(
        self, gates: Sequence[GateResult], taught_arms: Sequence[str]
    ) -> tuple[list[str], str | None]:
        """Return the arms with teachers to train, and why not all of them."""
        failed = [gate.arm for gate in gates if not gate.passed]
        if not self._plan.config.gate or not failed:
            return list(taught_arms), None
        if len(failed) == len(gates):
            return [], (
                "no teacher is better than the student by more than the error, so there is nothing to "
                "teach; --set gate=false trains all arms nevertheless"
            )
        why = (
            f"teachers of {', '.join(failed)} are no better than the student by more than the error"
        )
        return [name for name in taught_arms if name not in failed], why

    def _gates(self, part: PartEvents, arms: Sequence[str]) -> tuple[GateResult, ...]:
        """Hold the teachers of arms against the student, on the validation part."""
        base = self._names(self._plan.config.baseline)
        scores = self._students((self._plan.config.baseline,), part)
        for arm in arms:
            scores[_TEACHERS + arm] = part.score(self._mean_of(self._plan.teaches(arm)))
        figures = Figures(part, scores)
        point = figures.points[0].key
        student = measured(figures.mean(base))[point]
        found = []
        for arm in arms:
            name = [_TEACHERS + arm]
            difference = effect(figures.difference(name, base))[point]
            value, error = difference.value, difference.error
            gate = GateResult(
                arm=arm, teachers=self._plan.config.arms[arm].teachers,
                efficiency=measured(figures.mean(name))[point], student=student,
                difference=difference,
                passed=value is not None and error is not None and value > error,
            )  # fmt: skip
            found.append(gate)
            self._say(_gate_sentence(gate))
        return tuple(found)

    def _judge(
        self, arms: Sequence[str], gates: tuple[GateResult, ...], stopped: str | None
    ) -> Comparison:
        """Measure arms on the test part."""
        part, config = self._events(Part.TEST), self._plan.config
        scores: Scores = self._students(arms, part)
        limit = self._plan.student.evaluation.max_train_events
        baselines = fit_on_training_parts(self._stores, self._task, limit)
        first = next(iter(baselines))
        shown = {n: one for n, one in baselines.items() if n == first or one.weights is not None}
        scores |= {one.title: part.score(one.estimate) for one in shown.values()}
        figures = Figures(part, scores)
        found = {name: self._arm(name, figures) for name in config.arms if name in arms}
        points = tuple(point.described() for point in figures.points)
        sentence = (
            f"Nothing to compare: {stopped}."
            if stopped is not None and not any(arm.teachers for arm in found.values())
            else verdict(found, config.baseline, points[0])
        )
        return Comparison(
            baseline=config.baseline, truth=part.title, points=points,
            oracle=self._bound(part),
            baselines={one.title: measured(figures.mean([one.title])) for one in shown.values()},
            gates=gates, arms=found, stopped=stopped, verdict=sentence,
        )  # fmt: skip

    def _arm(self, name: str, figures: Figures) -> ArmResult:
        plan, config = self._plan, self._plan.config
        names, base = self._names(name), self._names(config.baseline)
        luts, zeros = self._sizes(name)
        return ArmResult(
            teachers=config.arms[name].teachers,
            control=name != config.baseline and plan.is_control(name),
            seeds=plan.seeds,
            luts=luts,
            zero_fraction=zeros,
            efficiency=measured(figures.mean(names)),
            by_sample={
                label: measured(figures.mean(names, signal=label)) for label in figures.signal
            },
            difference=None if name == config.baseline else effect(figures.difference(names, base)),
        )

    def _sizes(self, arm: str) -> tuple[float | None, float | None]:
        """Return LUTs and share of zeros, means over the seeds."""
        luts, zeros = [], []
        for run in self._plan.students((arm,)):
            folder = RunFolder(run.root)
            kept = read_training(folder.training).kept
            zeros.append(kept.zero_fraction)
            if kept.luts is not None:
                luts.append(kept.luts)
            elif folder.network.is_file():
                luts.append(self._costs(run.config.rtl)(Network.load(folder.network)))
        return _mean(luts), _mean([zero for zero in zeros if zero is not None])

    def _names(self, arm: str) -> list[str]:
        return [f"{arm}/{seed}" for seed in self._plan.seeds]

    def _students(self, arms: Sequence[str], part: PartEvents) -> Scores:
        """Return the scores of the networks of some arms, as they become firmware."""
        return {
            f"{run.name}/{run.seed}": part.score(self._network(RunFolder(run.root)))
            for run in self._plan.students(tuple(arms))
        }

    def _network(self, run: RunFolder) -> Estimator:
        model, heads = load_model(run.model), [head.name for head in self._task.heads]
        return lambda examples: predict(model, heads, all_slots(examples))

    def _mean_of(self, runs: Sequence[Path]) -> Estimator:
        """Return the mean output of networks that teach."""

        def run(examples: Examples) -> Heads:
            models = [network_of_run(root, self._task, examples) for root in runs]
            return taught(models, self._task, examples)

        return run


def _knows_truth(path: Path) -> bool:
    with Store.open(path) as store:
        return {*TRUTH_COLUMNS} <= {*store.columns}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _gate_sentence(gate: GateResult) -> str:
    one = gate.difference
    if one.value is None or one.error is None:
        return f"teachers of {gate.arm}: no efficiency could be measured"
    told = "better by more than the error" if gate.passed else "not better by more than the error"
    return (
        f"teachers of {gate.arm} ({', '.join(gate.teachers)}) minus student on the validation part: "
        f"{one.value:+.3f} ± {one.error:.3f}, {told}"
    )
