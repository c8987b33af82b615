"""Evaluate networks of run folders, beside the baselines, on stores or on arrays."""

import functools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from l1met_fpga.config.data import LABEL_RULE, is_label
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.faults import FaultsConfig
from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.sources import refuse_repeated_files
from l1met_fpga.data.splits import Part
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.evaluation.evaluation import Estimate, Evaluation, evaluate
from l1met_fpga.evaluation.faults import evaluate_faults
from l1met_fpga.evaluation.others import with_others
from l1met_fpga.evaluation.predictions import PREDICTIONS, stored_predictions
from l1met_fpga.evaluation.run_network import calibration_of, network_digest
from l1met_fpga.evaluation.sample import (
    Estimator,
    Events,
    Sample,
    estimate,
    load_arrays,
    load_store,
    same_truth,
)
from l1met_fpga.evaluation.trained_on import compare_with_training
from l1met_fpga.metrics.arrays import check_same_length
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Baseline, Heads, Step, Task

__all__ = [
    "ArrayFile",
    "NamedRun",
    "evaluate_arrays",
    "evaluate_runs",
    "fit_on_training_parts",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run folder and the name of its network in tables and legends."""

    run: RunFolder
    name: str

    @classmethod
    def open(cls, text: str) -> "NamedRun":
        """Read ``RUN`` or ``RUN:NAME``.

        Raises:
            RunFolderError: If the folder is no run.
        """
        path, _, name = text.partition(":")
        run = RunFolder.open(Path(path))
        run.need(run.config, made_by="l1met train")
        return cls(run, name or load_run(run.config).model.name)

    @classmethod
    def open_all(cls, texts: Sequence[str]) -> "list[NamedRun]":
        """Read several; runs of one recipe without a name of their own are called by their folders.

        Raises:
            RunFolderError: If a folder is no run.
        """
        found = [cls.open(text) for text in texts]
        uses = Counter(one.name for one in found)
        return [
            replace(one, name=one.run.root.resolve().name)
            if uses[one.name] > 1 and ":" not in text
            else one
            for text, one in zip(texts, found, strict=True)
        ]

    @property
    def config(self) -> RunConfig:
        """The run's configuration."""
        return load_run(self.run.config)


def _as_store(path: Path) -> Path:
    """Return a store, or that of a ROOT file as a training would make it."""
    return store_of(TrainingSample(path=path)) if path.suffix == ".root" else path


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One estimate in one sample, read from ``.npz``."""

    sample: str
    name: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> "ArrayFile":
        """Read ``SAMPLE:NAME=FILE``.

        Raises:
            ConfigError: If the text has another form.
        """
        key, _, path = text.partition("=")
        sample, _, name = key.partition(":")
        if not (sample and name and path):
            raise ConfigError(
                f"arrays are given as SAMPLE:NAME=FILE.npz, got {text!r}; for example "
                "ttbar:DeepMET=deepmet.npz"
            )
        if not is_label(sample):
            raise ConfigError(f"--arrays {text}: a label must have {LABEL_RULE}, got {sample!r}")
        return cls(sample, name, Path(path))


def evaluate_runs(
    runs: Sequence[NamedRun],
    task: Task,
    config: EvaluationConfig,
    *,
    stores: Sequence[Path] | None = None,
    arrays: Sequence[ArrayFile] = (),
    forms: Mapping[str, Mapping[str, Estimator]] | None = None,
    steps: Sequence[str] = (),
    allow_training_events: bool = False,
    faults: FaultsConfig | None = None,
) -> Evaluation:
    """Evaluate networks and baselines on the test parts of stores.

    Args:
        runs: Run folders; the first network is the one that the report is about.
        task: What all their networks give.
        config: Bins, rates, bootstrap.
        stores: Samples, stores or ROOT files, which are converted once, into the cache; those of the
            first run's configuration if not given.
        arrays: Other people's estimates of the same test events.
        forms: More forms (``hls_csim``, ...) of a network, by the run's name and the form's.
        steps: What to put behind each quantized network as further estimates, of the task's
            ``steps``.
        allow_training_events: Evaluate on events that a network was trained on too; a note says so.
        faults: Bad days of the detector to try as well.

    Raises:
        ConfigError: If names clash, no sample is given, or the task has no such step.
        DataError: If a sample cannot be used or is given twice, or a network was trained on its test events.
        RunFolderError: If a run has no model.
    """
    names = [run.name for run in runs]
    if not runs or len(set(names)) < len(names):
        raise ConfigError(f"give each network its own name (RUN:NAME), got {names}")
    configs = [run.config for run in runs]
    _require_one_task(names, configs, task)
    paths = [_as_store(path) for path in stores or ()]
    paths = paths or [store_of(sample) for sample in configs[0].samples]
    if not paths:
        raise ConfigError(
            f"{runs[0].run.config} names no samples; give stores with --sample FILE.h5"
        )
    refuse_repeated_files(paths)
    columns = tuple(
        dict.fromkeys(c for cfg in configs for c in (*task.columns, *cfg.model.columns))
    )
    more = forms or {}
    networks = [  # a missing model fails here, before anything takes time
        form
        for run in runs
        for form in (*_forms(run, task, more.get(run.name, {})), *_with_steps(run, task, steps))
    ]
    notes = [
        note
        for one, cfg in zip(runs, configs, strict=True)
        for note in compare_with_training(
            one.name, one.run, cfg.model.columns, paths, allow=allow_training_events
        )
    ]
    baselines = fit_on_training_parts(paths, task, config.max_train_events)
    _check_arrays(arrays, taken={*baselines, *(name for name, _, _ in networks)})
    estimators = {name: _of_examples(baseline) for name, baseline in baselines.items()}
    about = {name: Estimate("baseline", baseline.title) for name, baseline in baselines.items()}
    for name, what, estimator in networks:
        estimators[name], about[name] = estimator, what
    samples: list[Sample] = []
    others: list[Mapping[str, Heads]] = []
    weights = None
    for path in paths:
        events = load_store(path, task, Part.TEST, columns=columns, max_events=config.max_events)
        sample = estimate(events, task, estimators)
        logger.info("%s: %d test events of %s", events.label, len(events), path)
        if weights is None and task.weights is not None and not sample.is_background:
            weights = task.weights(events.examples, sample.estimates[names[0]])
        samples.append(_with_arrays(sample, task, arrays))
        others.append(events.others)
    samples, added = with_others(samples, others, taken={*about, *(file.name for file in arrays)})
    about |= {name: Estimate("file", name) for name in added}
    about |= {file.name: Estimate("file", file.name) for file in arrays}
    unknown = {file.sample for file in arrays} - {sample.label for sample in samples}
    if unknown:
        raise ConfigError(
            f"--arrays name the samples {', '.join(sorted(unknown))}, which are not evaluated; there "
            f"are {', '.join(sample.label for sample in samples)}"
        )
    tables = {name: one.weights for name, one in baselines.items() if one.weights is not None}
    found = evaluate(
        samples, task, about, config, primary=names[0], baselines=tables, weights=weights
    )
    if faults is not None:
        days = evaluate_faults(found, paths, estimators, faults, columns=columns)
        found = replace(found, faults=days)
    return replace(found, notes=(*found.notes, *notes))


def evaluate_arrays(
    arrays: Sequence[ArrayFile],
    task: Task,
    config: EvaluationConfig,
    *,
    backgrounds: frozenset[str] | None = None,
) -> Evaluation:
    """Evaluate estimates read from files only.

    Args:
        arrays: At least one; every estimate in every sample. The first estimate is the reference
            of ratio panels.
        task: What they estimate.
        config: Bins, rates, bootstrap.
        backgrounds: Samples that are pile-up-only events; what their labels suggest if not given.
    """
    _check_arrays(arrays, taken=set())
    names = dict.fromkeys(file.name for file in arrays)
    samples = []
    labels = dict.fromkeys(file.sample for file in arrays)
    if backgrounds and not backgrounds <= set(labels):
        raise ConfigError(
            f"--background {', '.join(sorted(backgrounds - set(labels)))}: --arrays have no such "
            f"sample, they have {', '.join(labels)}"
        )
    if backgrounds is None:
        backgrounds = frozenset(n for n in labels if suggested_role(n) == "background")
    for label in labels:
        files = {file.name: file.path for file in arrays if file.sample == label}
        samples.append(load_arrays(label, task, files, is_background=label in backgrounds))
    return evaluate(samples, task, {name: Estimate("file", name) for name in names}, config)


def _check_arrays(arrays: Sequence[ArrayFile], *, taken: set[str]) -> None:
    """Refuse an estimate given twice, or with the name of another."""
    keys = Counter((file.sample, file.name) for file in arrays)
    twice = [f"{sample}:{name}" for (sample, name), n in keys.items() if n > 1]
    if twice:
        raise ConfigError(f"--arrays {twice[0]} is given twice; which file is it?")
    clash = [file.name for file in arrays if file.name in taken]
    if clash:
        raise ConfigError(
            f"--arrays: the name {clash[0]!r} is that of another estimate ({', '.join(sorted(taken))}"
            "); choose another"
        )


def _require_one_task(names: Sequence[str], configs: Sequence[RunConfig], task: Task) -> None:
    """Refuse networks that give something else."""
    for name, config in zip(names, configs, strict=True):
        if config.task != task.name:
            raise ConfigError(
                f"{name} is a network of the task {config.task!r}, the evaluation is of "
                f"{task.name!r}; evaluate networks of one task together"
            )


def _of_examples(baseline: Baseline) -> Estimator:
    return lambda events: baseline.estimate(events.examples)


def fit_on_training_parts(
    paths: Sequence[Path], task: Task, max_events: int
) -> dict[str, Baseline]:
    """Fit the task's baselines on the training parts of all samples together.

    Args:
        paths: Stores.
        task: What they estimate.
        max_events: Events of each training part at most, from the start.

    Raises:
        DataError: If a file is no store or its training part is empty.
    """
    parts = [
        load_store(path, task, Part.TRAIN, columns=task.columns, max_events=max_events)
        for path in paths
    ]
    together = Examples.concatenate([part.examples for part in parts])
    logger.info("fitting baselines on %d training events", len(together))
    return task.baselines(together)


def _forms(
    named: NamedRun, task: Task, more: Mapping[str, Estimator]
) -> Iterator[tuple[str, Estimate, Estimator]]:
    """Yield the network (quantized if it can be), its twins, given forms, and forms with stored predictions."""
    run, name = named.run, named.name
    run.need(run.model, made_by="l1met train")
    digest = network_digest(run)
    form = "float" if named.config.model.no_firmware else "quantized"
    about = Estimate("network", name, form, digest, calibration_of(run))
    yield name, about, _keras(run.model, task)
    for form, path in (("float", run.float_model), ("unpruned", run.unpruned_model)):
        if path.is_file():
            yield (
                f"{name}_{form}",
                Estimate("network", f"{name} ({form})", form),
                _keras(path, task),
            )
    stored = {
        path.stem: stored_predictions(run, path, task)
        for path in (run.root / PREDICTIONS).glob("*.npz")
    }
    for form, estimator in sorted((stored | dict(more)).items()):
        about = Estimate("network", f"{name} ({form.replace('_', ' ')})", form, digest)
        yield f"{name}_{form}", about, estimator


def _with_steps(
    named: NamedRun, task: Task, steps: Sequence[str]
) -> Iterator[tuple[str, Estimate, Estimator]]:
    """Yield the quantized network with each step of the task behind it."""
    network = _keras(named.run.model, task)
    for name in steps:
        if name not in task.steps:
            known = ", ".join(task.steps) or "none"
            raise ConfigError(
                f"--then {name}: nothing of that name can follow a network of the task "
                f"{task.name!r}; there is {known}"
            )
        step = task.steps[name]

        def run(events: Events, step: Step = step) -> Heads:
            return step.run(events.examples, network(events))

        about = Estimate("network", f"{named.name} + {step.title}", f"then_{name}")
        yield f"{named.name}_{name}", about, run


def _keras(path: Path, task: Task) -> Estimator:
    @functools.cache
    def model() -> Any:
        from l1met_fpga.models.storage import load_model

        return load_model(path)

    def run(events: Events) -> Heads:
        from l1met_fpga.models.storage import predict

        told = f"{path.name}, test events of {events.label}"
        heads = [head.name for head in task.heads]
        return predict(model(), heads, all_slots(events.examples), of=told)

    return run


def _with_arrays(sample: Sample, task: Task, arrays: Sequence[ArrayFile]) -> Sample:
    """Add other people's estimates of the same events."""
    given = dict(sample.estimates)
    for file in arrays:
        if file.sample == sample.label:
            given[file.name], truth = task.files.read(file.path)
            for head, own in sample.truth.items():
                lengths = {str(file.path): given[file.name][head]}
                if truth is not None:
                    lengths[f"its {task.words.truth_long}"] = truth[head]
                check_same_length({**lengths, f"test part of {sample.label}": own})
            if truth is not None and not same_truth(truth, sample.truth, within_gev=0.5):
                raise DataError(
                    f"{file.path} holds other {task.words.truth_long} than the test part of "
                    f"{sample.label!r}: not the same events in the same order"
                )
    return replace(sample, estimates=given)
