"""Speed of the simulation on one core: `make bench-sim` prints the tables of the docs.

Rates are per second of processor time, so that other work on the machine does not count.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

from l1met_fpga.config.base import load_yaml, parse
from l1met_fpga.config.simulation import PoolConfig, SimulationConfig
from l1met_fpga.simulation.crossings import simulate_crossings
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.generate import generate, generated, load_card
from l1met_fpga.simulation.ntuple import write_root
from l1met_fpga.simulation.particles import ParticleEvents
from l1met_fpga.simulation.pool import pool_batches, read_pool

POOL = PoolConfig(minimum_bias=5000, qcd=(500, 500, 500, 500))
GENERATORS = {
    "minimum_bias": 2000,
    "qcd_45_80": 400,
    "ttbar_inclusive": 400,
    "znunu": 400,
    "vbf_hinv": 400,
}
FULL = Path(__file__).parents[1] / "data" / "full_sample.yaml"


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def generator_rates() -> dict[str, float]:
    """Return events per second of each process, the start of Pythia taken off."""
    rates = {}
    for name, events in GENERATORS.items():
        card = load_card(name)
        start = seconds(lambda card=card: generate(card, events=1, seed=1))
        total = seconds(lambda card=card, events=events: generate(card, events=events + 1, seed=1))
        rates[name] = events / (total - start)
    return rates


def detector_rates(cache: Path, events: int) -> dict[str, float]:
    """Return events per second from the overlay to the ROOT file, generation not counted."""
    detector = load_detector()
    pool = read_pool(
        pool_batches(POOL.minimum_bias, POOL.qcd, seed=POOL.seed), detector, cache=cache
    )
    ttbar, _ = generated(load_card("ttbar_inclusive"), events=500, seed=1, cache=cache)
    again = ttbar.select(np.arange(events) % 500)
    rates = {}
    for name, hard in (("pile-up only", ParticleEvents.empty(events)), ("ttbar", again)):
        simulate_crossings(hard, pool, detector, seed=(0,), events=np.arange(5))

        def work(hard: ParticleEvents = hard) -> None:
            crossings = simulate_crossings(hard, pool, detector, seed=(1,))
            write_root(cache / "bench.root", crossings)

        rates[name] = events / min(seconds(work) for _ in range(3))
    return rates


def full_sample_minutes(generators: dict[str, float], detector: dict[str, float]) -> float:
    """Return processor minutes of the full sample and its pool, extrapolated from the rates."""
    config = parse(SimulationConfig, load_yaml(FULL), where=str(FULL))
    total = config.pool.minimum_bias / generators["minimum_bias"]
    total += sum(config.pool.qcd) / generators["qcd_45_80"]
    for sample in config.samples.values():
        if sample.process is None:
            total += sample.events / detector["pile-up only"]
            continue
        process = "ttbar_inclusive" if sample.process == "ttbar" else sample.process
        total += sample.events * (1 / generators[process] + 1 / detector["ttbar"])
    return total / 60


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2000, help="crossings per measurement")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    generators = generator_rates()
    with tempfile.TemporaryDirectory() as folder:
        detector = detector_rates(Path(folder), options.events)
    console = Console(soft_wrap=True)
    console.print("| step | events per second, one core |\n|---|---|")
    for name, rate in generators.items():
        console.print(f"| generate {name} | {rate:.0f} |")
    for name, rate in detector.items():
        console.print(f"| overlay to ROOT file, {name} | {rate:.0f} |")
    minutes = full_sample_minutes(generators, detector)
    console.print(
        f"\nFull sample (data/full_sample.yaml) with its pool, extrapolated: {minutes:.0f} minutes of "
        f"processor time, {minutes / 2:.0f} minutes on two cores."
    )


if __name__ == "__main__":
    main()
