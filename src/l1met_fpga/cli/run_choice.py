"""Which run folder a command works on, and settings typed on the command line."""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel

from l1met_fpga.config.base import parse
from l1met_fpga.config.data import Role
from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.errors import ConfigError, RunFolderError
from l1met_fpga.run_folder import MARK, RunFolder
from l1met_fpga.tasks.registry import task_named

__all__ = [
    "RUNS",
    "SAMPLE_HELP",
    "assignments",
    "last_run",
    "load_task_run",
    "load_typed_run",
    "need_last_run",
    "open_run",
    "typed_samples",
    "typed_settings",
    "with_typed",
]

RUNS = Path("runs")
"""Where ``l1met train`` makes run folders."""

SAMPLE_FORM: Final = "FILE[:SHARE[:LABEL]][:ROLE]"
SAMPLE_HELP: Final = (
    f"{SAMPLE_FORM}, instead of the configuration's samples: a store, or ROOT files (a glob) with "
    "their label; ROLE is signal or background (pile-up-only events)."
)

Section = TypeVar("Section", bound=BaseModel)


def last_run(
    model: str | None = None, *, pruning: bool | None = None, runs: Path = RUNS
) -> RunFolder | None:
    """Return the newest complete run, or None.

    Args:
        model: Model name; None takes any.
        pruning: Whether it must be pruned (True) or must not be (False); None takes either.
        runs: Folder of run folders.
    """
    found = [folder for folder in runs.glob("*") if (folder / MARK).is_file()]
    complete = [RunFolder(folder) for folder in found if RunFolder(folder).network.is_file()]
    for run in sorted(complete, key=lambda r: r.network.stat().st_mtime, reverse=True):
        config = load_run(run.config)
        pruned = config.training.pruning.enabled
        if model in (None, config.model.name) and pruning in (None, pruned):
            return run
    return None


def need_last_run() -> RunFolder:
    """Return the newest complete run.

    Raises:
        RunFolderError: If there is none; says what to do.
    """
    run = last_run()
    if run is None:
        raise RunFolderError(
            f"no trained run in {RUNS}/; train one with `make train` (or `l1met train "
            "models/deepset.yaml`), or use a shipped network with --reference"
        )
    return run


def open_run(run: Path | None, output: Path | None) -> RunFolder:
    """Return the run that a command reads and writes: the newest one where none was typed.

    Args:
        run: Run folder that was typed.
        output: Folder that was typed for the results; the run is copied there.

    Raises:
        RunFolderError: If there is none, or it may not be written and no ``output`` was typed.
    """
    found = RunFolder.open(run) if run is not None else need_last_run()
    return found.writable(output)


def with_typed(section: Section, typed: Mapping[str, Any], *, where: str) -> Section:
    """Return a configuration section with the values that were typed; None was not typed."""
    given = {key: value for key, value in typed.items() if value is not None}
    if not given:
        return section
    unknown = [key for key in given if key not in type(section).model_fields]
    if unknown:
        raise ConfigError(f"{where} has no setting {unknown[0]!r}")
    return parse(type(section), {**section.model_dump(), **given}, where=where)


def assignments(texts: Sequence[str] | None, option: str = "--set") -> dict[str, str]:
    """Read ``--set KEY=VALUE``; of two with one key the last wins, as with any flag.

    Raises:
        ConfigError: If one has no equals sign.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"{option} takes KEY=VALUE, got {text!r}")
        found[key] = value
    return found


def load_typed_run(
    config: Path, samples: Sequence[str] | None, assign: Sequence[str] | None
) -> RunConfig:
    """Read a run's configuration with ``--sample`` and ``--set`` applied; see :func:`load_task_run`.

    Raises:
        ConfigError: If a text has another form, a setting is not allowed, or there is no such task.
    """
    return load_task_run(config, typed_settings(samples, assign))


def typed_settings(samples: Sequence[str] | None, assign: Sequence[str] | None) -> dict[str, Any]:
    """Return what ``--sample`` and ``--set`` change, by dotted key.

    Raises:
        ConfigError: If a text has another form.
    """
    typed: dict[str, Any] = dict(assignments(assign))
    if samples:
        typed["samples"] = [sample for text in samples for sample in typed_samples(text)]
    return typed


def load_task_run(config: Path, overrides: Mapping[str, Any]) -> RunConfig:
    """Read a run's configuration with settings changed by their dotted keys.

    Bins and ranges of the truth that it does not give are those of its task.

    Raises:
        ConfigError: If a setting is not allowed, or there is no such task.
    """
    run = load_run(config, overrides)
    given = run.evaluation.model_dump(include=run.evaluation.model_fields_set)
    evaluation = task_named(run.task).evaluation.model_copy(update=given)
    return run.model_copy(update={"evaluation": evaluation})


def typed_samples(text: str) -> list[dict[str, Any]]:
    """Read ``FILE[:SHARE[:LABEL]][:ROLE]``; a glob of stores gives one sample for each.

    Raises:
        ConfigError: If the text has another form, or one share is given to several stores.
    """
    if "://" in text:
        raise ConfigError(
            f"--sample {text} is a URL; make a store of it first (`l1met convert`) and give that"
        )
    words = text.split(":")
    # A file's own name may hold colons.
    ends = [n for n in range(len(words), 0, -1) if Path(":".join(words[:n])).exists()]
    path, more = ":".join(words[: (ends or [1])[0]]), words[(ends or [1])[0] :]
    role = more.pop() if more and more[-1] in get_args(Role) else None
    if len(more) > 2:
        raise ConfigError(f"--sample takes {SAMPLE_FORM}, got {text!r}")
    share, label = (*more, "", "")[:2]
    given = {"weight": _number(share) if share else None, "label": label or None, "role": role}
    about = {key: value for key, value in given.items() if value is not None}
    stores = [] if ends else sorted(glob.glob(path, recursive=True))  # noqa: PTH207
    if len(stores) < 2 or any(Path(store).suffix != ".h5" for store in stores):
        return [{"path": path} | about]
    if about:
        raise ConfigError(
            f"--sample {text} stands for {len(stores)} stores; give each its own --sample with "
            f"what follows the name ({', '.join(stores[:6])})"
        )
    return [{"path": store} for store in stores]


def _number(text: str) -> float | str:
    """Return a number if it is one; the configuration says what is wrong with other text."""
    try:
        return float(text)
    except ValueError:
        return text
