"""Small stores with a learnable truth, for tests of training and commands."""

from pathlib import Path

import numpy as np
from keras_models import random_candidates

from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.puppi.sums import momentum_xy_gev


def write_sample(path: Path, label: str, *, n_events: int = 600, seed: int = 0) -> Path:
    """Write events in which neutral hadrons are noise: genMET is PUPPI MET without them."""
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n_events, n_slots=128)
    keep = np.arange(128) < rng.integers(1, 30, n_events)[:, None]
    candidates = {k: np.where(keep, v, 0).astype(np.int16) for k, v in candidates.items()}
    true = np.where((candidates["pid"] > 0)[..., None], momentum_xy_gev(candidates), 0.0)
    gen = np.zeros((n_events, 2)) if label == "pileup" else -true.sum(axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, candidates=candidates, truth={GEN_MET: gen}, label=label)
    return path


def write_samples(folder: Path, n_events: int = 600) -> list[Path]:
    """Write a signal store and one of pile-up only, two thirds as large."""
    return [
        write_sample(folder / "ttbar.h5", "ttbar", n_events=n_events, seed=1),
        write_sample(folder / "pileup.h5", "pileup", n_events=2 * n_events // 3, seed=2),
    ]


SMALL = {
    "model.phi": [{"units": 8}],
    "model.weights.units": 2,
    "model.weights.kernel": "fixed<6,1>",
    "model.scalars.units": 2,
    "model.scalars.kernel": "fixed<6,1>",
    "model.scalars.start_bias": 0.0,
    "model.rho": [{"units": 4, "prune": False}],
    "model.coefficients.kernel": "fixed<6,1>",
    "training.epochs": 3,
    "training.batch_size": 64,
    "training.learning_rate.initial": 4.0e-3,
    "training.loss.rate.weight": 0.0,
    "training.stages.float.epochs": None,
    "training.stages.float.learning_rate": None,
    "training.start_from_float": False,
    "training.unpruned_twin": True,
    "training.pruning.schedule": "polynomial",
    "training.pruning.sparsity": 0.82,
    "training.pruning.begin": 0.15,
    "training.pruning.end": 0.6,
    "training.pruning.every_steps": 20,
    "training.pruning.luts": None,
}
"""Overrides that make the default network train in a second: its three networks one by one, pruned per layer."""
