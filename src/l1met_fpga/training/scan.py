"""Search for widths, sizes and sparsity: trigger efficiency against LUTs.

Each trial trains a pruned network for a few epochs and is scored on the validation part, by its worst
cell against the weight table or by its efficiency at equal rate, and by a cost that the caller computes from the integer network. Optuna proposes
the trials and keeps them in a journal, so that a search goes on after an interruption; trials run
side by side on Dask workers.
"""

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import optuna

from l1met_fpga.cluster import run_tasks
from l1met_fpga.config.model import DenseConfig, LayerTypes, ModelConfig
from l1met_fpga.config.run import RunConfig
from l1met_fpga.config.scan import ScanConfig
from l1met_fpga.config.training import TeacherConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.errors import ConfigError, RunFolderError, TrainingError
from l1met_fpga.files import exclusive, read_json, write_json
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.identity import Identity, content_digest, require_same
from l1met_fpga.metrics.binning import MIN_EVENTS
from l1met_fpga.metrics.worst_cell import Cell
from l1met_fpga.models.export import export_network
from l1met_fpga.processors import allowed_processors
from l1met_fpga.results.run import VAL_EFFICIENCY
from l1met_fpga.results.scan import Trial, TrialCell
from l1met_fpga.tasks.task import Estimator, Task
from l1met_fpga.training.inputs import training_identity
from l1met_fpga.training.loop import Cost, train_variant
from l1met_fpga.training.monitor import Validation, packed_predictor
from l1met_fpga.training.session import load_training
from l1met_fpga.training.workers import place

__all__ = ["Cost", "pareto", "propose", "run_scan"]

logger = logging.getLogger(__name__)

JOURNAL = "trials.log"
IDENTITY = "made_from.json"
TABLE = "table"


@dataclass(frozen=True, slots=True)
class _Job:
    config: RunConfig
    task: Task
    cost: Cost


def run_scan(
    config: RunConfig,
    task: Task,
    folder: Path,
    *,
    trials: int,
    cost: Cost,
    workers: int | None = None,
    scheduler: str | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> list[Trial]:
    """Run trials until there are ``trials`` complete ones, those of earlier calls included.

    Args:
        config: Run whose section ``scan`` says what may vary.
        task: What is trained.
        folder: Where the journal is kept.
        trials: Trials in all.
        cost: LUTs of a trained network, for example of one lane; must be importable on the workers.
        workers: Trials at the same time; one per processor if not given.
        scheduler: Dask scheduler to use instead.
        on_trial: Called after each trial.

    Returns:
        All complete trials in order of their numbers.

    Raises:
        ConfigError: If ``TF_CONFIG`` describes several machines, or a sample is missing.
        TrainingError: If the samples give no efficiency (no pile-up-only or no signal sample), or
            a trial's cost is no number.
        RunFolderError: If the folder holds trials made from other settings, samples or versions.
    """
    if place().count > 1:
        raise ConfigError(
            "TF_CONFIG describes several machines, but every trial of a scan trains on one; unset "
            "it and share the trials by --scheduler"
        )
    identity = _identity(config, task, cost)
    with exclusive(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _require_same_scan(folder, identity)
        return _run_trials(
            config, task, folder, trials=trials, cost=cost, workers=workers, scheduler=scheduler,
            on_trial=on_trial,
        )  # fmt: skip


def _identity(config: RunConfig, task: Task, cost: Cost) -> dict[str, Any]:
    """Return what trials are made from; refuse samples that cannot give a score."""
    task.require_rate("a scan")
    samples, _, validation = load_training(config, task)
    _require_efficiency(validation, task)
    if config.scan.score == "worst_cell":
        _require_worst_cell(validation, _table(config, task, samples), task)
    return training_identity(config, samples) | {
        "section scan": content_digest(config.scan.model_dump(mode="json")),
        "cost": f"{cost.__module__}.{cost.__qualname__}",
    }


def _require_efficiency(validation: Validation, task: Task) -> None:
    if not math.isfinite(validation.reference.get(VAL_EFFICIENCY, math.nan)):
        low, high = validation.efficiency_range_gev
        raise TrainingError(
            "no efficiency at equal rate on the validation part: a scan needs a signal and a "
            f"pile-up-only sample with validation events ({task.words.truth} {low:g} to {high:g} "
            f"{task.words.unit} in the signal)"
        )


def _require_worst_cell(validation: Validation, table: Estimator | None, task: Task) -> None:
    """Check that what the trigger gives today can be held against the table, as trials are."""
    today: Estimator = lambda events: {head.name: events.besides[head.name] for head in task.heads}
    if table is None or validation.worst_cell(today, table) is None:
        why = (
            "the task has no weight table"
            if table is None
            else (
                "no process has enough validation events in a range of "
                f"evaluation.efficiency_edges_gev ({MIN_EVENTS})"
            )
        )
        raise TrainingError(
            f"no worst cell against the weight table on the validation part: {why}. Give more "
            "events, or search by scan.score=efficiency"
        )


def _table(config: RunConfig, task: Task, samples: Sequence[LoadedSample]) -> Estimator | None:
    """Return the weight table, fitted on as many events as in an evaluation; None if there is none."""
    limit = config.evaluation.max_train_events
    parts = [sample.train.take(np.arange(min(limit, len(sample.train)))) for sample in samples]
    table = task.baselines(Examples.concatenate(parts)).get(TABLE)
    return None if table is None else table.estimate


def _require_same_scan(folder: Path, identity: Identity) -> None:
    """Compare with what earlier trials in the folder were made from; note it for later ones."""
    path = folder / IDENTITY
    if path.exists() or (folder / JOURNAL).exists():
        recorded = (
            read_json(path, error=RunFolderError, next_step="scan into another --output")
            if path.exists()
            else {}
        )
        require_same(
            recorded,
            identity,
            what=str(folder / JOURNAL),
            next_step="Scan with the same settings and samples, or into another --output",
            error=RunFolderError,
        )
    else:
        write_json(path, identity)


def _run_trials(
    config: RunConfig,
    task: Task,
    folder: Path,
    *,
    trials: int,
    cost: Cost,
    workers: int | None,
    scheduler: str | None,
    on_trial: Callable[[Trial], None] | None,
) -> list[Trial]:
    study = _study(config.scan, folder)
    at_once = workers or allowed_processors()
    while (missing := trials - len(_complete(study))) > 0:
        asked = _interrupted(study)
        in_batch = len(study.trials) % at_once
        if not asked or in_batch:  # a batch is proposed as a whole, before any of it has a score
            more = min(missing - len(asked), at_once - in_batch)
            asked += [study.ask() for _ in range(more)]
        jobs = [_Job(propose(config, trial.suggest_int, trial), task, cost) for trial in asked]
        for index, (figures, worst, luts) in run_tasks(
            _run_trial, jobs, workers=at_once, scheduler=scheduler
        ):
            score = _score(config.scan, figures, worst)
            if not (math.isfinite(score) and math.isfinite(luts)):
                study.tell(asked[index], state=optuna.trial.TrialState.FAIL)
                raise TrainingError(
                    f"trial {asked[index].number} has no score: {config.scan.score} is {score}, its "
                    f"cost {luts}; the search cannot go by it (scan.score says what it goes by)"
                )
            asked[index].set_user_attr("figures", figures)
            asked[index].set_user_attr("worst", None if worst is None else worst.model_dump())
            study.tell(asked[index], [score, luts])
            if on_trial is not None:
                on_trial(_as_trial(study.trials[asked[index].number]))
    return [_as_trial(trial) for trial in _complete(study)]


def _score(config: ScanConfig, figures: Mapping[str, float], worst: TrialCell | None) -> float:
    """Return what a trial is best in; NaN where it could not be measured."""
    if config.score == "efficiency":
        return figures.get(VAL_EFFICIENCY, math.nan)
    return math.nan if worst is None else worst.in_errors


def _study(config: ScanConfig, folder: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _mend_journal(folder / JOURNAL)
    return optuna.create_study(
        sampler=_Sampler(config),
        storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
        study_name="scan",
        directions=["maximize", "minimize"],
        load_if_exists=True,
    )


def _mend_journal(path: Path) -> None:
    """Remove what a killed process left: its lock (we have the folder), a line cut in the middle."""
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    if path.is_file():
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)


class _Sampler(optuna.samplers.BaseSampler):  # type: ignore[misc]
    """Draws every value with a seed of its own: an interrupted search goes on as if it was not."""

    def __init__(self, config: ScanConfig) -> None:
        self._config = config

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        """Draw as Optuna's TPE sampler does, from the trials that have a score."""
        seed = int(content_digest([self._config.seed, trial.number, name])[:8], 16)
        sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=self._config.startup_trials
        )
        return sampler.sample_independent(study, trial, name, distribution)


def _interrupted(study: Any) -> list[Any]:
    """Return the trials that were proposed and have no score; what they got stays theirs."""
    found = study.get_trials(states=(optuna.trial.TrialState.RUNNING,))
    return [optuna.trial.Trial(study, trial._trial_id) for trial in found]


def _complete(study: Any) -> list[Any]:
    found: list[Any] = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    return found


def _as_trial(trial: Any) -> Trial:
    (score, luts), told = trial.values, trial.user_attrs
    return Trial(
        number=trial.number,
        parameters=trial.params,
        score=score,
        efficiency=told["figures"][VAL_EFFICIENCY],
        luts=luts,
        figures=told["figures"],
        worst=told["worst"],
    )


def propose(config: RunConfig, suggest_int: Callable[..., int], trial: Any) -> RunConfig:
    """Return the configuration of a trial.

    Args:
        config: Where the search starts.
        suggest_int: ``trial.suggest_int``.
        trial: Optuna's trial, for the other kinds of parameters.
    """
    scan = config.scan

    def vary(name: str, layer: LayerTypes, *, hidden: bool) -> LayerTypes:
        kernel_bits = suggest_int(f"{name}.kernel_bits", *scan.kernel_bits)
        changes: dict[str, Any] = {"kernel": _with_width(layer.kernel, kernel_bits)}
        if hidden:
            bits = suggest_int(f"{name}.activation_bits", *scan.activation_bits)
            changes["output"] = _with_width(layer.output, bits)
            if len(scan.units) > 1:
                changes["units"] = trial.suggest_categorical(f"{name}.units", list(scan.units))
        return layer.model_copy(update=changes)

    model = _vary_layers(config.model, vary)
    sparsity = trial.suggest_float("sparsity", *scan.sparsity)
    wanted = {"enabled": True, "sparsity": sparsity}
    if config.training.pruning.schedule == "global":  # a trial has a target, not a budget
        wanted |= {"schedule": "polynomial", "luts": None}
    pruning = config.training.pruning.model_copy(update=wanted)
    # a trial is one network: it has no twin to start or learn from
    alone = {"stages": {}, "start_from_float": False, "teacher": TeacherConfig()}
    training = config.training.model_copy(
        update={"epochs": scan.epochs, "pruning": pruning, **alone}
    )
    return config.model_copy(update={"model": model, "training": training})


def _vary_layers(model: ModelConfig, vary: Callable[..., LayerTypes]) -> ModelConfig:
    """Apply a change to every dense layer of any architecture."""
    changes: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, LayerTypes):
            changes[name] = vary(name, value, hidden=False)
        elif isinstance(value, tuple) and value and isinstance(value[0], DenseConfig):
            changes[name] = tuple(
                vary(f"{name}_{i}", layer, hidden=True) for i, layer in enumerate(value)
            )
    return model.model_copy(update=changes)


def _with_width(kind: FixedType, bits: int) -> FixedType:
    """Change the fraction bits; the range stays."""
    return replace(kind, frac_bits=bits - kind.int_bits - int(kind.signed))


def _run_trial(job: _Job) -> tuple[dict[str, float], TrialCell | None, float]:
    config = job.config
    samples, mixture, validation = load_training(config, job.task)
    with TemporaryDirectory(prefix="l1met-scan-") as scratch:
        result = train_variant(
            config, job.task, "pruned", mixture, validation, Path(scratch),
            identity=training_identity(config, samples),
        )  # fmt: skip
    network = export_network(result.model, job.task.heads)
    table = _table(config, job.task, samples)
    worst = None
    if table is not None:
        worst = validation.worst_cell(packed_predictor(result.packed, job.task), table)
    figures = {k: float(v) for k, v in result.validation.items() if math.isfinite(v)}
    return figures, _told(worst), float(job.cost(network))


def _told(worst: Cell | None) -> TrialCell | None:
    """Return what JSON can hold of a cell; an open end of the truth is null."""
    if worst is None or not math.isfinite(worst.in_errors):
        return None
    high = worst.high_gev if math.isfinite(worst.high_gev) else None
    return TrialCell(**asdict(worst) | {"high_gev": high}, in_errors=worst.in_errors)


def pareto(trials: list[Trial]) -> list[Trial]:
    """Return the trials that no other beats in score at the same or lower cost."""
    best: list[Trial] = []
    for trial in sorted(trials, key=lambda t: (t.luts, -t.score)):
        if not best or trial.score > best[-1].score:
            best.append(trial)
    return best
