"""Hold an imported Keras model against its integers, and keep what it gave for later checks."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.errors import BitExactnessError
from l1met_fpga.files import atomic_path
from l1met_fpga.firmware.check import compare_codes
from l1met_fpga.firmware.imported import expected_name
from l1met_fpga.firmware.reference import HeadCodes, evaluate, evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models import network as net
from l1met_fpga.models.importing.importer import Imported
from l1met_fpga.models.importing.inputs import columns_of
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS, Candidates

__all__ = ["expected_events", "keras_codes", "write_expected"]

SEED: Final = 20240302
BATCH: Final = 512


def expected_events(
    model: Any, imported: Imported, n_events: int, *, seed: int = SEED
) -> tuple[Candidates, HeadCodes]:
    """Return generated events and what the Keras model gives, proven equal to the integers.

    Args:
        model: The Keras model.
        imported: It as integers.
        n_events: Number of events.
        seed: Source of the events.

    Returns:
        Columns, and codes of the network's head.

    Raises:
        BitExactnessError: If one weight or result differs.
    """
    network = imported.network
    events = stress_events(
        np.random.default_rng(seed),
        n_random=n_events,
        n_slots=network.n_candidates,
        columns=tuple(c for c in COLUMNS if c in {*network.columns, *REQUIRED_COLUMNS}),
    )
    chosen = np.random.default_rng(seed).permutation(len(events["pt"]))[:n_events]
    candidates = {name: codes[chosen] for name, codes in events.items()}
    return candidates, keras_codes(model, imported, candidates)


def keras_codes(model: Any, imported: Imported, candidates: Candidates) -> HeadCodes:
    """Run the model, compare every weight and result with the integers, return the results.

    Weights come from Keras; the sum, which float32 would round, is done in float64.

    Raises:
        BitExactnessError: If one of them differs.
    """
    from l1met_fpga.models.keras import keras

    network = imported.network
    weights_node, momentum = _pooled_nodes(network)
    inner = evaluate_nodes(network, candidates, [weights_node.name, momentum.name])
    p = momentum.type.decode(inner[momentum.name])
    layer = model.get_layer(imported.weights_layer)
    part = keras.Model(model.inputs, layer.output)
    n_events = len(candidates["pt"])
    parts = [
        np.asarray(part(_inputs(model, imported, candidates, p, slice(i, i + BATCH))))
        for i in range(0, n_events, BATCH)
    ]
    weights = np.concatenate(parts).astype(np.float64).reshape(n_events, -1)
    expected = np.ldexp(weights, -imported.shift)
    got = weights_node.type.decode(inner[weights_node.name]).reshape(n_events, -1)
    if differing := np.count_nonzero(expected != got):
        event, slot = np.argwhere(expected != got)[0]
        raise BitExactnessError(
            f"layer {imported.weights_layer!r}: {differing} of {expected.size} weights differ from the "
            f"integers, the first in event {event}, slot {slot}: Keras gives {expected[event, slot]!r}, "
            f"the integers {got[event, slot]!r}; please report the model"
        )
    (head,) = network.heads
    codes = network.type_of(head.name).encode(-(expected[:, :, None] * p).sum(axis=1))
    found = compare_codes(codes, evaluate(network, candidates)[head.name])
    if found.differing:
        raise BitExactnessError(
            f"{found.differing} of {found.outputs} results differ from Keras, the first in event "
            f"{found.first_event}"
        )
    return {head.name: codes}


def _pooled_nodes(network: net.Network) -> tuple[net.Node, net.Node]:
    pool = next(node for node in network if isinstance(node, net.VectorPool))
    weights, momentum = (network.node(name) for name in pool.inputs)
    return weights, momentum


def _inputs(
    model: Any, imported: Imported, candidates: Candidates, p: Any, events: slice
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    part = {name: codes[events] for name, codes in candidates.items()}
    for layer in model.layers:
        if layer.name not in imported.channels:
            continue
        channels = imported.channels[layer.name]
        value = p[events].astype(np.float32) if channels is None else columns_of(channels, part)
        values[layer.name] = value.reshape(len(value), *layer.output.shape[1:])
    return values


def write_expected(path: Path, candidates: Candidates, codes: HeadCodes) -> None:
    """Write the ``.npz`` file that ``l1met synthesize --expected`` reads."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {
            **candidates,
            **{expected_name(name): array for name, array in codes.items()},
        }
        np.savez_compressed(file, **arrays)
