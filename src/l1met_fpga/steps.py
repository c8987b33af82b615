"""The steps of a run as functions: each does what the command of its name does."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from l1met_fpga.cli.evaluate import evaluate as evaluate_command
from l1met_fpga.cli.synthesize import DEFAULT_EVENTS
from l1met_fpga.cli.synthesize import synthesize as synthesize_command
from l1met_fpga.cli.train import train as train_command
from l1met_fpga.report.of_run import Report

__all__ = ["evaluate", "synthesize", "train"]

Settings = Mapping[str, Any]


def train(
    recipe: str | Path,
    output: str | Path,
    *,
    samples: Sequence[str | Path] = (),
    settings: Settings | None = None,
    overwrite: bool = False,
) -> Report:
    """Train a network and its twins, evaluate them, and write the report.

    Args:
        recipe: YAML file, such as ``models/deepset.yaml``.
        output: Run folder that is made.
        samples: Stores or ROOT files instead of the recipe's, as ``FILE[:SHARE[:LABEL]][:ROLE]``.
        settings: Settings to change, by their dotted keys: ``{"training.epochs": 3}``.
        overwrite: Replace an earlier run.

    Raises:
        ConfigError: If a setting is not allowed.
        RunFolderError: If the folder holds a run already.
        DataError: If a sample cannot be used.
    """
    train_command(
        Path(recipe),
        sample=[str(sample) for sample in samples] or None,
        output=Path(output),
        assign=_assignments(settings),
        overwrite=overwrite,
    )
    return Report(output)


def evaluate(
    run: str | Path,
    *,
    samples: Sequence[str | Path] = (),
    settings: Settings | None = None,
    faults: bool = False,
    plots: bool = True,
) -> Report:
    """Evaluate a run again: on other samples, or with other settings.

    Args:
        run: Run folder; its ``metrics.json`` and ``plots/`` are replaced.
        samples: Stores instead of the run's own.
        settings: Settings of section ``evaluation`` to change: ``{"rates_khz": [18, 30]}``; those
            of section ``faults`` begin with its name.
        faults: Whether bad days of the detector are tried.
        plots: Whether plots are drawn.

    Raises:
        ConfigError: If a setting is not allowed.
        RunFolderError: If it is no run folder.
        DataError: If a sample cannot be used.
    """
    evaluate_command(
        str(run),
        sample=[Path(sample) for sample in samples] or None,
        assign=_assignments(settings),
        faults=faults,
        plots=plots,
    )
    return Report(run)


def synthesize(run: str | Path, *, build: bool = False, n_events: int = DEFAULT_EVENTS) -> Report:
    """Make the HLS project of a run, check every form bit by bit, and write the report.

    Args:
        run: Run folder.
        build: Also build the streaming RTL with open tools, which gives LUTs and clocks, and run
            the vendor's synthesis where its tool is on PATH.
        n_events: Test events of the check.

    Raises:
        RunFolderError: If it is no run folder.
        ToolError: If a tool fails.
    """
    synthesize_command(Path(run), build=build, events=n_events)
    return Report(run)


def _assignments(settings: Settings | None) -> list[str]:
    """Return settings as they are typed; JSON is YAML."""
    return [f"{key}={json.dumps(value)}" for key, value in (settings or {}).items()]
