"""Time of the evaluation: 1,000,000 signal events, 1,000,000 pile-up-only events, 200 samples.

Run with ``make bench-eval``. It evaluates six estimates (a network and five baselines), which is
what ``l1met evaluate`` does apart from running the network and drawing.
"""

import argparse
import resource
import time

import numpy as np
from rich.console import Console

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.evaluation import Estimate, evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import met_xy_from_polar
from l1met_fpga.metrics.bootstrap import bootstrap_resolution
from l1met_fpga.tasks.met.task import TASK as MET

NAMES = ("puppi", "cmssw", "scaled_puppi", "per_type", "table", "network")


def sample(label: str, n_events: int, seed: int) -> Sample:
    """Return made-up events with a ttbar-like genMET spectrum, or none for pile-up."""
    rng = np.random.default_rng(seed)
    gen_gev = rng.gamma(3.0, 26.0, n_events) if label == "ttbar" else np.zeros(n_events)
    gen = met_xy_from_polar(gen_gev, rng.uniform(-np.pi, np.pi, n_events))
    width = 36.0 if label == "ttbar" else 18.0
    shared = rng.normal(0, width, gen.shape)
    met = {
        name: 0.8 * gen + (1 - 0.02 * k) * shared + rng.normal(0, 4, gen.shape)
        for k, name in enumerate(NAMES)
    }
    heads = {name: {"met": values} for name, values in met.items()}
    return Sample(label, {"met": gen}, heads, is_background=label == "pileup")


def main() -> None:
    """Time each part once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--bootstrap", type=int, default=200)
    options = parser.parse_args()
    warm = sample("ttbar", 1000, 9)  # compile the loops before the clock starts
    bootstrap_resolution(
        {"network": warm.estimates["network"]["met"]},
        warm.truth["met"],
        rng=np.random.default_rng(0),
        n_samples=2,
    )
    samples = [sample("ttbar", options.events, 0), sample("pileup", options.events, 1)]
    config = EvaluationConfig(bootstrap_samples=options.bootstrap)
    one = samples[0]
    start = time.perf_counter()
    bootstrap_resolution(
        {"network": one.estimates["network"]["met"]},
        one.truth["met"],
        rng=np.random.default_rng(0),
        n_samples=options.bootstrap,
    )
    alone = time.perf_counter() - start
    start, cpu = time.perf_counter(), time.process_time()
    evaluation = evaluate(
        samples, MET, {name: Estimate("file", name) for name in NAMES}, config, primary="network"
    )
    to_metrics(evaluation)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    console = Console(highlight=False)
    memory_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(f"events {options.events}, bootstrap samples {options.bootstrap}")
    console.print(f"resolution figures of one estimate with errors: {alone:.1f} s")
    console.print(f"everything of {len(NAMES)} estimates: {wall:.1f} s ({cpu:.1f} s of CPU)")
    console.print(f"largest memory: {memory_gib:.2f} GiB")


if __name__ == "__main__":
    main()
