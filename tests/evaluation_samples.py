"""Small made-up samples with known properties, for the tests of evaluation and report."""

import numpy as np

from l1met_fpga.evaluation.evaluation import Estimate
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import magnitude_gev, met_xy_from_polar

ESTIMATES = {
    "puppi": Estimate("baseline", "PUPPI MET"),
    "scaled_puppi": Estimate("baseline", "PUPPI MET x constant"),
    "net": Estimate("network", "net", "quantized"),
    "net_float": Estimate("network", "net (float)", "float"),
    "flat": Estimate("file", "nearly constant"),
}


def estimates_of(gen: np.ndarray, rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """PUPPI-like smearing, a better network, and two estimates that only look better."""
    noise = rng.normal(0, 30, gen.shape)
    puppi = 0.8 * gen + noise
    network = 0.8 * gen + 0.85 * noise
    size = magnitude_gev(puppi)
    return heads(
        {
            "puppi": puppi,
            "scaled_puppi": 0.7 * puppi,
            "net": network + rng.normal(0, 3, gen.shape),
            "net_float": network,
            "flat": puppi / size[:, None] * (60 + 0.02 * size)[:, None],
        }
    )


def heads(met_xy_gev: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Estimates by head."""
    return {name: {"met": values} for name, values in met_xy_gev.items()}


def met_of(sample: Sample) -> dict[str, np.ndarray]:
    """MET by estimate."""
    return {name: found["met"] for name, found in sample.estimates.items()}


def signal(n_events: int, *, label: str = "ttbar", seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    gen = met_xy_from_polar(rng.gamma(3.0, 32.0, n_events), rng.uniform(-np.pi, np.pi, n_events))
    return Sample(
        label,
        {"met": gen},
        estimates_of(gen, rng),
        n_candidates=rng.poisson(50, n_events).astype(np.int64),
    )


def background(n_events: int, *, seed: int = 1) -> Sample:
    rng = np.random.default_rng(seed)
    gen = np.zeros((n_events, 2))
    return Sample("pileup", {"met": gen}, estimates_of(gen, rng), is_background=True)
