"""Keras networks of every kind with random weights, and random candidates."""

import functools
from pathlib import Path

import numpy as np

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import bake_weights
from l1met_fpga.models.keras import keras
from l1met_fpga.tasks.met.task import MET

MODELS = Path(__file__).parents[1] / "models"
NAMES = sorted(
    path.stem
    for path in MODELS.glob("*.yaml")
    if (run := load_run(path)).task == "met" and not run.model.no_firmware
)
"""Networks of MET that become firmware."""


def model_config(name: str, **changes: object) -> ModelConfig:
    return load_run(MODELS / f"{name}.yaml", changes).model


def random_candidates(
    rng: np.random.Generator, n_events: int, *, n_slots: int = 128, filled: int | None = None
) -> dict[str, np.ndarray]:
    """Events with 0 to n_slots candidates of any code, sorted as the hardware does."""
    shape = (n_events, n_slots)
    pt = np.minimum(1 + rng.exponential(25, shape), 16383).astype(np.int16)
    n = rng.integers(0, n_slots + 1, n_events) if filled is None else np.full(n_events, filled)
    pt[np.arange(n_slots)[None, :] >= n[:, None]] = 0
    columns = {
        "pt": -np.sort(-pt, axis=1),
        "eta": rng.integers(-2048, 2048, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": rng.integers(0, 8, shape),
        "puppi_weight": rng.integers(0, 257, shape),
    }
    filled_slots = columns["pt"] > 0
    return {k: np.where(filled_slots, v, 0).astype(np.int16) for k, v in columns.items()}


@functools.cache
def scrambled(name: str, variant: str, seed: int = 0) -> keras.Model:
    """A network with random weights everywhere, so that every branch matters."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = build(model_config(name), (MET,), variant=variant)
    for layer in dense_layers(model).values():
        kernel, bias = layer.get_weights()
        layer.set_weights([rng.normal(0, 0.35, kernel.shape), rng.normal(0.1, 0.3, bias.shape)])
    if variant != "float":
        bake_weights(model)
    return model
