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
import numpy.typing as npt

from l1met_fpga.config.simulation import SampleConfig, SimulationConfig
from l1met_fpga.simulation.crossings import Crossings, simulate_crossings
from l1met_fpga.simulation.detector import Detector, load_detector
from l1met_fpga.simulation.flow_ntuple import simulate_elements, write_elements
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
    content |= {"jet_files": config.jets} if config.jets else {}
    content |= {"truth": True} if config.truth else {}
    content |= {"element_files": config.elements} if config.elements else {}
    process = config.samples[sample].process
    content["card"] = None if process is None else load_card(process).model_dump()
    if process is not None:
        content["jets"] = [RADIUS, MIN_JET_PT_GEV, MAX_JET_ETA]
    detector = _detector(config)
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
    detector = _detector(config)
    pool = _pool(config.model_dump_json(include={"pool", "cache", "detector", "pileup"}))
    parts = [
        _part(config.samples[task.sample], number, task, config)
        for number in range(task.first // HARD_BATCH, -(-(task.first + task.events) // HARD_BATCH))
    ]
    if config.elements:
        elements = [
            simulate_elements(
                part.hard,
                pool,
                detector,
                seed=part.seed,
                first_event=part.first,
                events=part.events,
            )
            for part in parts
        ]
        path = _beside(task, "elements", only=config.elements == "only")
        write_elements(path, elements, compact=config.compact)
    if config.jets or config.writes_events:
        _write_candidates(
            task, config, parts, [_crossings(p, config, pool, detector) for p in parts]
        )
    return process_time() - start


def _write_candidates(
    task: FileTask, config: SimulationConfig, parts: list["_Part"], found: list[Crossings]
) -> None:
    """Write the files that are made of candidates."""
    if config.jets:
        jets = [
            found_jets(crossings, part.hard.select(part.events))
            for part, crossings in zip(parts, found, strict=True)
        ]
        path = _beside(task, "jets", only=config.jets == "only")
        write_jets(path, jets, compact=config.compact)
    if config.writes_events:
        crossings = Crossings.concatenate(found)
        if config.words:
            write_words(task.path.with_suffix(".dump"), crossings)
        write_root(task.path, crossings, compact=config.compact, truth=config.truth)


def _beside(task: FileTask, what: str, *, only: bool) -> Path:
    return task.path if only else task.path.with_name(f"{task.path.stem}_{what}.root")


def _detector(config: SimulationConfig) -> Detector:
    detector = load_detector(config.detector)
    if config.pileup is None:
        return detector
    return detector._replace(pileup=detector.pileup._replace(mean=config.pileup))


@dataclass(frozen=True, slots=True)
class _Part:
    """That part of one batch of hard collisions which a file holds.

    Attributes:
        hard: The whole batch.
        first: Number of its first collision in the sample.
        events: Which of them the file holds.
        seed: Numbers that belong to this sample alone.
    """

    hard: ParticleEvents
    first: int
    events: npt.NDArray[np.intp]
    seed: tuple[int, int]


def _part(sample: SampleConfig, number: int, task: FileTask, config: SimulationConfig) -> _Part:
    first = number * HARD_BATCH
    if sample.process is None:
        hard = ParticleEvents.empty(HARD_BATCH)
    else:
        seed = sample.seed * SEEDS_PER_SAMPLE + number
        card = load_card(sample.process)
        hard, _ = generated(card, events=HARD_BATCH, seed=seed, cache=config.collisions)
    begin = max(task.first - first, 0)
    end = min(task.first + task.events - first, HARD_BATCH)
    seeds = (sample.seed, zlib.crc32(str(sample.process).encode()))
    return _Part(hard, first, np.arange(begin, end), seeds)


def _crossings(part: _Part, config: SimulationConfig, pool: Pool, detector: Detector) -> Crossings:
    return simulate_crossings(
        part.hard,
        pool,
        detector,
        seed=part.seed,
        first_event=part.first,
        events=part.events,
        gen_ht_gev=gen_ht_gev(part.hard),
        order=Order(config.order),
        max_candidates=config.max_candidates,
    )


@lru_cache(maxsize=1)
def _pool(config_json: str) -> Pool:
    """Keep the pool of the last configuration in this process; reading it takes seconds."""
    raw: dict[str, Any] = json.loads(config_json)
    config = SimulationConfig.model_validate({"samples": {}, **raw})
    detector = _detector(config)
    batches = pool_plan(config)
    return (
        read_pool(batches, detector, cache=config.collisions) if batches else empty_pool(detector)
    )
