"""A sample as files: what each file holds, and the task that makes one."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np

from l1met_fpga.config.simulation import SampleConfig, SimulationConfig
from l1met_fpga.simulation.crossings import Crossings, simulate_crossings
from l1met_fpga.simulation.detector import Detector, load_detector
from l1met_fpga.simulation.gen_jets import MAX_JET_ETA, MIN_JET_PT_GEV, RADIUS, gen_ht_gev
from l1met_fpga.simulation.generate import generated, load_card
from l1met_fpga.simulation.jet_ntuple import found_jets, write_jets
from l1met_fpga.simulation.ntuple import write_root, write_words
from l1met_fpga.simulation.particles import ParticleEvents
from l1met_fpga.simulation.pool import Pool, PoolBatch, empty_pool, pool_batches, read_pool
from l1met_fpga.simulation.selection import Order

__all__ = ["FileTask", "fingerprint", "make_file", "make_pool_batch", "plan", "pool_plan"]

HARD_BATCH: Final = 2500
"""Events that are generated together; it decides content, so it is no option."""
SEEDS_PER_SAMPLE: Final = 100_000
DECIDES_CONTENT: Final = {
    "pool",
    "order",
    "max_candidates",
    "events_per_file",
    "compact",
    "words",
}


@dataclass(frozen=True, slots=True)
class FileTask:
    """One file to make.

    Attributes:
        sample: Name of the sample.
        path: File to write (ROOT; the word stream goes beside it).
        first: Number of its first event in the sample, from 0.
        events: Number of events.
    """

    sample: str
    path: Path
    first: int
    events: int


def plan(config: SimulationConfig) -> list[FileTask]:
    """List the files of all samples, the samples taking turns.

    A sample that fits one file is ``NAME.root``; a larger one is ``NAME/NAME_0000.root`` and on.
    """
    per_sample = [list(_files(name, sample, config)) for name, sample in config.samples.items()]
    longest = max((len(files) for files in per_sample), default=0)
    return [files[i] for i in range(longest) for files in per_sample if i < len(files)]


def _files(name: str, sample: SampleConfig, config: SimulationConfig) -> Iterator[FileTask]:
    step = config.events_per_file
    for number, first in enumerate(range(0, sample.events, step)):
        path = config.output / f"{name}.root"
        if sample.events > step:
            path = config.output / name / f"{name}_{number:04d}.root"
        yield FileTask(name, path, first, min(step, sample.events - first))


def pool_plan(config: SimulationConfig) -> list[PoolBatch]:
    """List the files of the pile-up pool; empty without pile-up."""
    if config.pool.minimum_bias == 0:
        return []
    return pool_batches(config.pool.minimum_bias, config.pool.qcd, seed=config.pool.seed)


def fingerprint(config: SimulationConfig, sample: str) -> str:
    """Return a checksum of all that decides what a sample's files hold."""
    content = config.samples[sample].model_dump(mode="json")
    content |= config.model_dump(mode="json", include=DECIDES_CONTENT)
    content |= {"jet_files": True} if config.jets else {}
    content |= {"truth": True} if config.truth else {}
    process = config.samples[sample].process
    content["card"] = None if process is None else load_card(process).model_dump()
    if process is not None:
        content["jets"] = [RADIUS, MIN_JET_PT_GEV, MAX_JET_ETA]
    detector = load_detector(config.detector)
    # only jets hold the impact parameter
    content["detector"] = (
        detector
        if config.jets
        else [getattr(detector, name) for name in detector._fields if name != "impact"]
    )
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def make_pool_batch(batch: PoolBatch, cache: Path) -> None:
    """Generate one file of the pool unless the cache has it."""
    generated(load_card(batch.card), events=batch.events, seed=batch.seed, cache=cache)


def make_file(task: FileTask, config: SimulationConfig) -> float:
    """Simulate one file and write it.

    Returns:
        Processor seconds that it took.
    """
    start = process_time()
    detector = load_detector(config.detector)
    pool = _pool(config.model_dump_json(include={"pool", "cache", "detector"}))
    sample = config.samples[task.sample]
    batches = [
        _batch(sample, number, task, config, pool, detector)
        for number in range(task.first // HARD_BATCH, -(-(task.first + task.events) // HARD_BATCH))
    ]
    if config.jets:
        jets = [found_jets(crossings, hard) for crossings, hard in batches]
        write_jets(_jet_file(task, config), jets, compact=config.compact)
    if config.jets != "only":
        crossings = Crossings.concatenate([crossings for crossings, _ in batches])
        if config.words:
            write_words(task.path.with_suffix(".dump"), crossings)
        write_root(task.path, crossings, compact=config.compact, truth=config.truth)
    return process_time() - start


def _jet_file(task: FileTask, config: SimulationConfig) -> Path:
    beside = task.path.with_name(f"{task.path.stem}_jets.root")
    return task.path if config.jets == "only" else beside


def _batch(
    sample: SampleConfig,
    number: int,
    task: FileTask,
    config: SimulationConfig,
    pool: Pool,
    detector: Detector,
) -> tuple[Crossings, ParticleEvents]:
    """Simulate that part of one batch of hard collisions which the file holds, and return both."""
    first = number * HARD_BATCH
    if sample.process is None:
        hard = ParticleEvents.empty(HARD_BATCH)
    else:
        seed = sample.seed * SEEDS_PER_SAMPLE + number
        card = load_card(sample.process)
        hard, _ = generated(card, events=HARD_BATCH, seed=seed, cache=config.collisions)
    begin = max(task.first - first, 0)
    end = min(task.first + task.events - first, HARD_BATCH)
    events = np.arange(begin, end)
    crossings = simulate_crossings(
        hard,
        pool,
        detector,
        seed=(sample.seed, zlib.crc32(str(sample.process).encode())),
        first_event=first,
        events=events,
        gen_ht_gev=gen_ht_gev(hard),
        order=Order(config.order),
        max_candidates=config.max_candidates,
    )
    return crossings, hard.select(events)


@lru_cache(maxsize=1)
def _pool(config_json: str) -> Pool:
    """Keep the pool of the last configuration in this process; reading it takes seconds."""
    raw: dict[str, Any] = json.loads(config_json)
    config = SimulationConfig.model_validate({"samples": {}, **raw})
    detector = load_detector(config.detector)
    batches = pool_plan(config)
    return (
        read_pool(batches, detector, cache=config.collisions) if batches else empty_pool(detector)
    )
