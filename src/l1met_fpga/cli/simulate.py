"""``l1met simulate``: make simulated samples."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import Scheduler
from l1met_fpga.cli.run_choice import assignments
from l1met_fpga.config.base import load_yaml, override, parse
from l1met_fpga.config.simulation import SimulationConfig

__all__ = ["register"]

_log = logging.getLogger("l1met_fpga.cli.simulate")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(_simulate)


def _simulate(
    config: Annotated[Path | None, typer.Argument(help="YAML file that names the samples.")] = None,
    *,
    process: Annotated[
        str | None, typer.Option(help="One sample of this process card, or `pileup`.")
    ] = None,
    events: Annotated[
        int | None, typer.Option("--events", "-n", help="Events of that sample.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of that sample.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to fill.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of generated collisions.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes here; one per processor if not given.")
    ] = None,
    scheduler: Scheduler = None,
    words: Annotated[bool | None, typer.Option("--words", help="Write word streams too.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make files again that are there.")
    ] = False,
    override_: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as KEY=VALUE.")
    ] = None,
) -> None:
    """Simulate L1 PUPPI candidates with generator truth, as perfNano ROOT files.

    Start it again after an interruption: finished files are kept.

    For example:

        l1met simulate data/full_sample.yaml --workers 8

        l1met simulate --process ttbar --events 5000 --seed 7 -o samples

        l1met simulate data/full_sample.yaml --set pool.minimum_bias=100000 -o larger
    """
    from l1met_fpga.simulation.run import run

    typed: dict[str, Any] = dict(assignments(override_))
    flags = {
        "output": None if output is None else str(output),
        "cache": None if cache is None else str(cache),
        "workers": workers,
        "scheduler": scheduler,
        "words": words,
    }
    typed |= {key: value for key, value in flags.items() if value is not None}
    raw = override(load_yaml(config) if config else {}, typed)
    if config is None or any(value is not None for value in (process, events, seed)):
        raw["samples"] = _one_sample(process, events, seed)
    settings = parse(SimulationConfig, raw, where=str(config or "command line"))
    with _Display() as display:
        files = run(settings, report=display.update, overwrite=overwrite)
    terminal.console().print(terminal.styled(f"{len(files)} files in ", (settings.output, "bold")))


def _one_sample(process: str | None, events: int | None, seed: int | None) -> dict[str, Any]:
    if process is None or events is None or seed is None:
        raise typer.BadParameter(
            "give a YAML file, or --process with --events and --seed (see --help)"
        )
    card = None if process == "pileup" else process
    return {Path(process).stem: {"process": card, "events": events, "seed": seed}}


class _Display:
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: Any = None
        self._stage = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("events"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
                console=terminal.console(stderr=True),
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, progress: Any) -> None:
        """Show the state of a run."""
        left = f"{_readable(progress.seconds_left)} left" if progress.seconds_left else ""
        if self._bar is None:
            _log.info(
                "%s: %d of %d events%s",
                *(progress.stage, progress.done, progress.total, f", {left}" if left else ""),
            )
            return
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._task = self._bar.add_task(progress.stage, total=progress.total, left="")
        self._bar.update(self._task, completed=progress.done, left=left)


def _readable(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 120 else f"{minutes / 60:.1f} h"
