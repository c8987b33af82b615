"""Small networks of every architecture and kind of head, for tests that each of them must pass."""

import functools
import warnings

import numpy as np

from l1met_fpga.config.model import DenseConfig, ModelConfig
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.heads import Head
from l1met_fpga.models.keras import keras
from l1met_fpga.models.network import Network
from l1met_fpga.models.registry import ARCHITECTURES

N_SLOTS = 8
UNITS = 2
"""Units of every dense layer: small blocks compile fast."""

HEADS = {
    "vector": Head(name="recoil", kind="vector", unit="GeV", size=2),
    "scalar": Head(name="activity", kind="scalar", unit="GeV", size=1),
    "classes": Head(name="flavour", kind="classes", size=3),
}

CASES = [
    case
    for name, architecture in sorted(ARCHITECTURES.items())
    if not ModelConfig.known[name].no_firmware
    for case in (
        *((name, (kind,)) for kind in architecture.kinds),
        *([(name, architecture.kinds)] if len(architecture.kinds) > 1 else []),
    )
]
"""Every architecture with each kind of head that it can give, and with all of them at once."""


def name_of(case: tuple[str, tuple[str, ...]]) -> str:
    """Name of a case in the list of tests."""
    architecture, kinds = case
    return f"{architecture}-{'+'.join(kinds)}"


def small_config(architecture: str) -> ModelConfig:
    """The architecture's default configuration with few units."""
    given = {"architecture": architecture, "name": architecture, "n_candidates": N_SLOTS}
    config = ModelConfig.known[architecture].model_validate(given)

    def small(value: object) -> object:
        if isinstance(value, DenseConfig):
            return value.model_copy(update={"units": UNITS})
        return tuple(map(small, value[:1])) if isinstance(value, tuple) else value

    fields = {name: getattr(config, name) for name in type(config).model_fields}
    changed = {name: small(value) for name, value in fields.items() if name != "features"}
    return config.model_copy(update=changed | {"features": config.features})


@functools.cache
@functools.cache
def random_model(architecture: str, kinds: tuple[str, ...], seed: int = 0) -> keras.Model:
    """A quantized model whose weights are random everywhere, so that every branch matters."""
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The initializer GlorotUniform")  # of few weights
        model = build(small_config(architecture), [HEADS[kind] for kind in kinds])
    for layer in dense_layers(model).values():
        kernel, bias = layer.get_weights()
        layer.set_weights([rng.normal(0, 0.4, kernel.shape), rng.normal(0.7, 0.2, bias.shape)])
    bake_weights(model)
    return model


@functools.cache
def random_network(architecture: str, kinds: tuple[str, ...], seed: int = 0) -> Network:
    """The same as integers."""
    heads = [HEADS[kind] for kind in kinds]
    return export_network(random_model(architecture, kinds, seed), heads)


def events(network: Network, n_random: int = 200) -> dict[str, np.ndarray]:
    """Events at the edges of every type, for the columns that the network reads."""
    return stress_events(
        np.random.default_rng(1), n_random=n_random, n_slots=N_SLOTS, columns=network.columns
    )
