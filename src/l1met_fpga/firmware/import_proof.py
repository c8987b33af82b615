"""Hold an imported model against its integers, and keep what it gave for later checks."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import BitExactnessError, ConversionError
from l1met_fpga.files import atomic_path
from l1met_fpga.firmware.check import compare_codes
from l1met_fpga.firmware.imported import expected_name
from l1met_fpga.firmware.reference import HeadCodes, evaluate, evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models import nodes as net
from l1met_fpga.models.importing.imported import Imported
from l1met_fpga.models.importing.inputs import input_arrays
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS, Candidates

__all__ = ["expected_events", "source_codes", "write_expected"]

SEED: Final = 20240302
BATCH: Final = 512

Values = npt.NDArray[np.float64]


def expected_events(
    imported: Imported, n_events: int, *, seed: int = SEED
) -> tuple[Candidates, HeadCodes]:
    """Return generated events and what the model gives, proven equal to the integers.

    Args:
        imported: The model and its integers.
        n_events: Number of events.
        seed: Source of the events.

    Returns:
        Columns, and codes of the network's head.

    Raises:
        ConversionError: If empty slots count in one of the model's sums.
        BitExactnessError: If one number differs.
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
    _require_empty_zero(imported)
    return candidates, source_codes(imported, candidates)


def _require_empty_zero(imported: Imported) -> None:
    """Check that what the model sums over all slots is zero in empty ones, which we leave out."""
    network = imported.network
    if not imported.unmasked:
        return
    columns = {"pt", *network.columns}
    nothing = {name: np.zeros((1, network.n_candidates), np.int16) for name in columns}
    for name, codes in evaluate_nodes(network, nothing, imported.unmasked).items():
        if codes.any():
            value = network.node(name).type.decode(codes).ravel()[np.flatnonzero(codes)[0]]
            raise ConversionError(
                f"the model sums {name!r} over all slots, and its value in an empty one is {value:g}, "
                "not 0; multiply it with an input that is 1 for a candidate (--input NAME=filled), or "
                "leave the bias away"
            )


def source_codes(imported: Imported, candidates: Candidates) -> HeadCodes:
    """Run the model, compare every weight and coefficient with the integers, return the results.

    Weights and coefficients come from the model; sums over candidates, which float32 would round,
    and what follows them are computed in float64.

    Raises:
        BitExactnessError: If one of them differs.
    """
    network = imported.network
    momentum = next(node for node in network if isinstance(node, net.Momentum))
    inner = evaluate_nodes(network, candidates, [*imported.compared, momentum.name])
    values = {name: network.node(name).type.decode(codes) for name, codes in inner.items()}
    source = _source_values(imported, candidates, values[momentum.name])
    for name in imported.compared:
        tensor = imported.compared[name][0]
        _require_same(tensor, source[name], values[name].reshape(source[name].shape))
    values |= {name: source[name].reshape(values[name].shape) for name in source}
    for node in _after(network, values):
        values[node.name] = _FOLLOWS[node.op](node, *(values[name] for name in node.inputs))
    (head,) = network.heads
    codes = network.type_of(head.name).exactly(values[head.node])
    found = compare_codes(codes, evaluate(network, candidates)[head.name])
    if found.differing:
        raise BitExactnessError(
            f"{found.differing} of {found.outputs} results differ from the model, the first in event "
            f"{found.first_event}; please report the model"
        )
    return {head.name: codes}


def _after(network: Network, known: Collection[str]) -> list[net.Node]:
    """Nodes that lead from known values to the heads, in order."""
    needed, todo = set[str](), [head.node for head in network.heads]
    while todo:
        name = todo.pop()
        if name not in known and name not in needed:
            needed.add(name)
            todo.extend(network.node(name).inputs)
    return [node for node in network if node.name in needed]


def _source_values(imported: Imported, candidates: Candidates, p: Values) -> dict[str, Values]:
    """What the model gives for the compared nodes."""
    arrays = input_arrays(imported.held, candidates, p)
    tensors = list(dict.fromkeys(tensor for tensor, _ in imported.compared.values()))
    parts = [
        imported.run({k: v[i : i + BATCH] for k, v in arrays.items()}, tensors)
        for i in range(0, len(p), BATCH)
    ]
    given = {tensor: np.concatenate([part[tensor] for part in parts]) for tensor in tensors}
    return {
        name: np.ldexp(given[tensor], -shift) for name, (tensor, shift) in imported.compared.items()
    }


def _require_same(tensor: str, expected: Values, got: Values) -> None:
    if differing := np.count_nonzero(expected != got):
        event, *index = (int(i) for i in np.argwhere(expected != got)[0])
        raise BitExactnessError(
            f"layer {tensor!r}: {differing} of {expected.size} numbers differ from the integers, the "
            f"first in event {event}, index {index}: the model gives {float(expected[event, *index])!r}, the "
            f"integers {float(got[event, *index])!r}; please report the model"
        )


def _vector_pool(_node: net.Node, weights: Values, p: Values) -> Values:
    sums: Values = -np.einsum("enk,ena->eka", weights, p)
    return sums


def _dense(node: net.Dense, x: Values) -> Values:
    kernel = node.kernel_type.decode(np.array(node.kernel))
    result: Values = x @ kernel + node.bias_type.decode(np.array(node.bias))
    return result


def _quantize(node: net.Quantize, x: Values) -> Values:
    return node.type.decode(node.type.encode(x)).reshape(-1, *node.shape)


def _combine(_node: net.Node, c: Values, v: Values) -> Values:
    met: Values = np.einsum("ek,eka->ea", c, v)
    return met


_FOLLOWS: Final[dict[str, Callable[..., Values]]] = {
    "vector_pool": _vector_pool,
    "dense": _dense,
    "quantize": _quantize,
    "combine": _combine,
}
"""What may follow the weights and coefficients, in float64: exact, for their sums have few bits."""


def write_expected(path: Path, candidates: Candidates, codes: HeadCodes) -> None:
    """Write the ``.npz`` file that ``l1met synthesize --expected`` reads."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {
            **candidates,
            **{expected_name(name): array for name, array in codes.items()},
        }
        np.savez_compressed(file, **arrays)
