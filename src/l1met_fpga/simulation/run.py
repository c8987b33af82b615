"""Make all files of a simulation: one process, several, or a Dask cluster; resumable."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Final

from l1met_fpga.cluster import run_tasks
from l1met_fpga.config.simulation import SimulationConfig
from l1met_fpga.errors import SimulationError
from l1met_fpga.files import exclusive, read_json, require_folder, write_json
from l1met_fpga.simulation.generate import is_generated, load_card
from l1met_fpga.simulation.pool import PoolBatch
from l1met_fpga.simulation.sample import (
    fingerprint,
    make_file,
    make_pool_batch,
    plan,
    pool_plan,
)

__all__ = ["Progress", "run"]

MANIFEST: Final = "simulation.json"


@dataclass
class Progress:
    """How far a run is; handed to the caller after every finished file.

    Attributes:
        stage: ``pool`` or ``events``.
        done: Events finished in this stage, those of earlier runs included.
        total: Events of this stage.
        seconds_left: Estimate from the time that each sample's files took; ``None`` at the start.
    """

    stage: str
    total: int
    done: int = 0
    seconds_left: float | None = None
    _left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _made: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _started: float = field(default_factory=monotonic)

    def expect(self, kind: str, events: int) -> None:
        """Announce work to be done."""
        self._left[kind] += events

    def finished(self, kind: str, events: int, seconds: float) -> None:
        """Take a finished piece of work into account."""
        self.done += events
        self._left[kind] -= events
        self._made[kind] += events
        self._seconds[kind] += seconds
        mean = sum(self._seconds.values()) / sum(self._made.values())
        rate = {k: self._seconds[k] / n if n else mean for k, n in self._made.items()}
        work = sum(left * rate.get(k, mean) for k, left in self._left.items())
        elapsed = monotonic() - self._started  # says how many workers there are, and how busy
        self.seconds_left = work * elapsed / sum(self._seconds.values())


def run(
    config: SimulationConfig,
    *,
    report: Callable[[Progress], None] = lambda _: None,
    overwrite: bool = False,
) -> list[Path]:
    """Make every file that is not there yet.

    Each file is one task, so a lost worker costs its current file and nothing else; its task goes
    to another worker. Files appear whole or not at all, so a run that was stopped goes on where
    it was when it is started again.

    Args:
        config: What to make.
        report: Called after every finished file.
        overwrite: Make files again that are there.

    Returns:
        The ROOT files.

    Raises:
        SimulationError: If the folder holds files made with other settings, or a task fails.
    """
    config = config.model_copy(update={"cache": config.collisions})  # the same for all workers
    tasks = plan(config)
    require_folder(config.collisions)
    with exclusive(config.output / MANIFEST):  # batch slots start together in one folder
        _note_settings(config, overwrite=overwrite)
    spread = partial(run_tasks, workers=config.workers, scheduler=config.scheduler)
    batches = [
        batch
        for batch in pool_plan(config)
        if not is_generated(load_card(batch.card), batch.events, batch.seed, config.collisions)
    ]
    progress = Progress("pool", sum(b.events for b in batches))
    for batch in batches:
        progress.expect(batch.card, batch.events)
    for index, seconds in spread(partial(_timed_batch, cache=config.collisions), batches):
        progress.finished(batches[index].card, batches[index].events, seconds)
        report(progress)
    waiting = [task for task in tasks if overwrite or not task.path.is_file()]
    progress = Progress("events", sum(t.events for t in tasks))
    progress.done = progress.total - sum(t.events for t in waiting)
    for task in waiting:
        progress.expect(task.sample, task.events)
    for index, seconds in spread(partial(make_file, config=config), waiting):
        progress.finished(waiting[index].sample, waiting[index].events, seconds)
        report(progress)
    return [task.path for task in tasks]


def _timed_batch(batch: PoolBatch, cache: Path) -> float:
    start = process_time()
    make_pool_batch(batch, cache)
    return process_time() - start


def _note_settings(config: SimulationConfig, *, overwrite: bool) -> None:
    """Refuse to mix files of different settings; note the settings of new files."""
    path = config.output / MANIFEST
    settings = {name: fingerprint(config, name) for name in config.samples}
    known = _noted_samples(path) if path.is_file() else {}
    for name, checksum in settings.items():
        old = known.get(name, {}).get("fingerprint", checksum)
        if old != checksum and not overwrite:
            raise SimulationError(
                f"{config.output} holds {name} files made with other settings (fingerprint {old}, "
                f"now {checksum}); choose another output folder or make them again with --overwrite"
            )
        known[name] = {
            "fingerprint": checksum,
            **config.samples[name].model_dump(mode="json"),
            "pool": config.pool.model_dump(mode="json"),
        }
    write_json(path, {"samples": known})


def _noted_samples(path: Path) -> dict[str, Any]:
    """Return what the manifest says of each sample that was made in its folder before."""
    tip = "choose another output folder, or remove it with the files beside it"
    samples = read_json(path, error=SimulationError, next_step=tip).get("samples")
    if not isinstance(samples, dict) or not all(isinstance(s, dict) for s in samples.values()):
        raise SimulationError(f"{path} does not say what the samples are made with; {tip}")
    return samples
