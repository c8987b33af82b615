"""Independent int64 interpreter of the integer network, in NumPy.

Written from the node descriptions of :mod:`l1met_fpga.models.network` alone; it shares no
arithmetic with Keras, hls4ml, da4ml or the RTL. Every tensor is int64 codes. Matrix products run
through BLAS only where the largest possible partial sum stays below 2**24 or 2**53, below which
float32 or float64 adds integers exactly.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from l1met_fpga.errors import ConversionError, DataError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import network as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN, PT_FRAC_BITS, Candidates

__all__ = ["HeadCodes", "by_head", "check_network", "checked_columns", "evaluate", "evaluate_nodes"]

IntArray = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer[Any]]
HeadCodes = dict[str, IntArray]
"""Head -> integer codes of its numbers, shape (n_events, size), or (n_events, n_slots, size) where
the head has them per row (zero in empty slots)."""

CHUNK_CANDIDATES: Final = 16384
"""Rows worked on at once. Smaller chunks are as fast in one thread (their memory is not given back
to the system between two operations), larger ones let two threads compute side by side."""
QUARTER_TURN: Final = PHI_COUNTS_PER_TURN // 4


def evaluate(
    network: net.Network, candidates: Candidates, *, threads: int | None = None
) -> HeadCodes:
    """Run the network on integer candidates.

    Empty slots (``pt == 0``) are left out: they add nothing to any pool.

    Args:
        network: The integer network.
        candidates: Columns, integers, shape (n_events, n_slots), at most ``n_candidates`` slots.
        threads: Chunks of events worked on at the same time; default one per CPU core.

    Returns:
        Codes by head.

    Raises:
        ConversionError: If a node's type cannot hold its exact result.
        DataError: If a column is missing, has too many slots or a code outside its type.
    """
    check_network(network)
    columns = checked_columns(network, candidates)
    operations = [(node, _operation(network, node)) for node in network]

    def run(events: slice) -> HeadCodes:
        codes = _run(_filled_chunk(columns, events), operations)
        filled = columns["pt"][events] > 0
        return {head.name: _result(head, codes[head.node], filled) for head in network.heads}

    # one thread per chunk: BLAS threads on top of ours would only wait for one another
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads or allowed_processors()) as pool:
        chunks = list(pool.map(run, _chunk_slices(columns["pt"])))
    return {
        head.name: np.concatenate([chunk[head.name] for chunk in chunks])
        if chunks
        else np.zeros((0, *head.shape(columns["pt"].shape[1])), np.int64)
        for head in network.heads
    }


def _result(head: NetworkHead, codes: IntArray, filled: npt.NDArray[np.bool_]) -> IntArray:
    """Put codes of filled slots back into their slots."""
    if head.per == "example":
        return codes
    slots = np.zeros((*filled.shape, head.size), np.int64)
    slots[filled] = codes
    return slots


def evaluate_nodes(
    network: net.Network, candidates: Candidates, names: Iterable[str] | None = None
) -> dict[str, IntArray]:
    """Return the codes of inner nodes, empty slots included, to compare layer by layer.

    Args:
        network: The integer network.
        candidates: As in :func:`evaluate`; missing slots are filled with empty ones.
        names: Nodes to keep, default all.

    Returns:
        Node name -> codes, shape (n_events,) + node.shape.

    Raises:
        ConversionError: If there is no such node, or as in :func:`evaluate`.
        DataError: As in :func:`evaluate`.
    """
    check_network(network)
    wanted = [network.node(name) for name in names] if names is not None else list(network)
    columns = checked_columns(network, candidates)
    operations = [(node, _operation(network, node)) for node in network]
    parts: dict[str, list[IntArray]] = {node.name: [] for node in wanted}
    for chunk in _padded_chunks(columns, network.n_candidates):
        codes = _run(chunk, operations)
        for node in wanted:
            parts[node.name].append(codes[node.name].reshape(chunk.n_events, *node.shape))
    return {
        node.name: np.concatenate(parts[node.name])
        if parts[node.name]
        else np.zeros((0, *node.shape), np.int64)
        for node in wanted
    }


def by_head(network: net.Network, codes: IntArray) -> HeadCodes:
    """Cut rows of all numbers, head after head, shape (n_events, numbers), into codes by head."""
    ends = np.cumsum([head.size for head in network.heads])
    parts = np.split(codes, ends[:-1], axis=1)
    return {head.name: part for head, part in zip(network.heads, parts, strict=True)}


def check_network(network: net.Network) -> None:
    """Check that no exact operation of a network can overflow or lose a bit.

    Raises:
        ConversionError: Names the node, its type and the type it needs.
    """
    for node in network:
        needed = node.needed_type(network.inputs_of(node), network.n_candidates)
        if needed is not None and not _holds(node.type, needed):
            raise ConversionError(
                f"node {node.name!r} ({node.op}) has type {node.type.hls_name}, which cannot hold "
                f"every result; it needs at least {needed.hls_name}. Export the network again"
            )


def _holds(outer: FixedType, inner: FixedType) -> bool:
    return outer.frac_bits >= inner.frac_bits and outer.min <= inner.min and outer.max >= inner.max


# -- candidates as rows ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Candidates of some events, one row each; rows of one event follow one another.

    Attributes:
        columns: Codes per row.
        starts: First row of each event that has rows.
        events: Index of those events within the chunk.
        n_events: Events of the chunk.
        filled: Rows with a candidate, None when all have one.
    """

    columns: Mapping[str, IntArray]
    starts: npt.NDArray[np.intp]
    events: npt.NDArray[np.intp]
    n_events: int
    filled: npt.NDArray[np.bool_] | None

    def sum(self, rows: IntArray) -> IntArray:
        """Sum rows (n_rows, channels) of each event, empty slots left out."""
        if self.filled is not None:
            rows = rows * self.filled[:, None]
        total = np.zeros((self.n_events, rows.shape[1]), np.int64)
        if len(self.starts):
            total[self.events] = np.add.reduceat(rows, self.starts, axis=0)
        return total


def checked_columns(network: net.Network, candidates: Candidates) -> dict[str, Codes]:
    """Return the columns that a network reads, ``pt`` always, each code within its type.

    Raises:
        DataError: If a column is missing, has too many slots or a code outside its type.
    """
    missing = [name for name in {*network.columns, "pt"} if name not in candidates]
    if missing:
        raise DataError(
            f"network {network.name!r} needs the columns {sorted(missing)}, the candidates have "
            f"{sorted(candidates)}"
        )
    columns: dict[str, Codes] = {
        name: np.asarray(candidates[name]) for name in {*network.columns, "pt"}
    }
    shape = columns["pt"].shape
    for name, codes in columns.items():
        if codes.ndim != 2 or codes.shape != shape or codes.shape[1] > network.n_candidates:
            raise DataError(
                f"column {name!r} has shape {codes.shape}; expected {shape} with at most "
                f"{network.n_candidates} slots"
            )
        kind = COLUMNS[name].type
        if codes.size and not kind.min_code <= codes.min() <= codes.max() <= kind.max_code:
            raise DataError(
                f"column {name!r} holds codes {codes.min()} to {codes.max()}, its type allows "
                f"{kind.min_code} to {kind.max_code}"
            )
    return columns


def _chunk_slices(pt: Codes) -> Iterator[slice]:
    """Yield ranges of events with about :data:`CHUNK_CANDIDATES` candidates."""
    ends = np.cumsum(np.count_nonzero(pt, axis=1))
    first = 0
    while first < len(ends):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + CHUNK_CANDIDATES, side="right")))
        yield slice(first, last)
        first = last


def _filled_chunk(columns: Mapping[str, Codes], part: slice) -> _Chunk:
    filled = columns["pt"][part] > 0
    multiplicity = np.count_nonzero(filled, axis=1)
    events = np.flatnonzero(multiplicity)
    starts = np.cumsum(multiplicity)[events] - multiplicity[events]
    rows = {name: codes[part][filled].astype(np.int64) for name, codes in columns.items()}
    return _Chunk(rows, starts, events, len(multiplicity), None)


def _padded_chunks(columns: Mapping[str, Codes], n_slots: int) -> Iterator[_Chunk]:
    n_events, given = columns["pt"].shape
    step = max(1, CHUNK_CANDIDATES // n_slots)
    for first in range(0, n_events, step):
        part = slice(first, min(first + step, n_events))
        n = part.stop - part.start
        rows = {
            k: np.pad(v[part].astype(np.int64), ((0, 0), (0, n_slots - given))).ravel()
            for k, v in columns.items()
        }
        starts = np.arange(n) * n_slots
        yield _Chunk(rows, starts, np.arange(n), n, rows["pt"] > 0)


# -- operations -----------------------------------------------------------------------------------

Operation = Callable[[_Chunk, list[IntArray]], IntArray]


def _run(chunk: _Chunk, operations: list[tuple[net.Node, Operation]]) -> dict[str, IntArray]:
    codes: dict[str, IntArray] = {}
    for node, operation in operations:
        codes[node.name] = operation(chunk, [codes[name] for name in node.inputs])
    return codes


def _operation(network: net.Network, node: net.Node) -> Operation:
    """Return a function of a chunk and the input codes that gives the node's codes."""
    return _OPERATIONS[node.op](node, [network.node(name) for name in node.inputs])


def _input(node: net.InputColumn, _: list[net.Node]) -> Operation:
    return lambda chunk, _x: chunk.columns[node.column]


def _features(node: net.Features, _: list[net.Node]) -> Operation:
    columns = [
        (COLUMNS[f.column].type.min_code, f.column, _feature_table(node, f)) for f in node.features
    ]

    def run(chunk: _Chunk, _x: list[IntArray]) -> IntArray:
        rows = [table[chunk.columns[column] - low] for low, column, table in columns]
        return np.stack(rows, axis=1)

    return run


def _feature_table(node: net.Features, feature: net.Feature) -> IntArray:
    """Return the node's code of a feature for every code of its column."""
    kind = COLUMNS[feature.column].type
    counts, frac_bits = np.arange(kind.min_code, kind.max_code + 1), feature.scale_bits
    if feature.kind == "abs":
        counts = np.abs(counts)
    elif feature.kind == "flag":
        counts, frac_bits = np.isin(counts, feature.codes).astype(np.int64), 0
    code = feature.type.convert(counts, frac_bits)
    return code << (node.type.frac_bits - feature.type.frac_bits)


def _momentum(node: net.Momentum, _: list[net.Node]) -> Operation:
    first = np.asarray(node.quadrant_cos, dtype=np.int64)
    rising = first[::-1]
    turn = np.concatenate([first[:-1], -rising[:-1], -first[:-1], rising[:-1]])
    frac_bits = PT_FRAC_BITS + node.table_type.frac_bits

    def run(_chunk: _Chunk, x: list[IntArray]) -> IntArray:
        pt, phi = x
        angle = phi % PHI_COUNTS_PER_TURN
        cos_sin = np.stack([turn[angle], turn[(angle - QUARTER_TURN) % len(turn)]], axis=1)
        return node.type.convert(pt[:, None] * cos_sin, frac_bits)

    return run


def _dense(node: net.Dense, inputs: list[net.Node]) -> Operation:
    x_type = inputs[0].type
    frac_bits = node.type.frac_bits
    kernel = np.asarray(node.kernel, dtype=np.int64)
    kernel = kernel << (frac_bits - x_type.frac_bits - node.kernel_type.frac_bits)
    bias = np.asarray(node.bias, dtype=np.int64) << (frac_bits - node.bias_type.frac_bits)
    largest = np.abs(kernel).sum(axis=0) * max(-x_type.min_code, x_type.max_code) + np.abs(bias)
    exact = _exact_float(int(largest.max()))
    if exact is None:
        return lambda _chunk, x: x[0] @ kernel + bias
    kernel_f, bias_f = kernel.astype(exact), bias.astype(exact)

    def run(_chunk: _Chunk, x: list[IntArray]) -> IntArray:
        y = x[0].astype(exact) @ kernel_f
        y += bias_f
        return y.astype(np.int64)

    return run


def _exact_float(largest: int) -> np.dtype[np.floating[Any]] | None:
    """Return the narrowest float that adds integers up to ``largest`` exactly, None if none does."""
    if largest < 2**24:
        return np.dtype(np.float32)
    return np.dtype(np.float64) if largest < 2**53 else None


def _quantize(node: net.Quantize, inputs: list[net.Node]) -> Operation:
    frac_bits = inputs[0].type.frac_bits
    if node.shape == inputs[0].shape:
        return lambda _chunk, x: node.type.convert(x[0], frac_bits)
    return lambda _chunk, x: node.type.convert(x[0], frac_bits).reshape(-1, *node.shape)


def _quantize_channels(node: net.QuantizeChannels, inputs: list[net.Node]) -> Operation:
    frac_bits = inputs[0].type.frac_bits

    def run(_chunk: _Chunk, x: list[IntArray]) -> IntArray:
        codes = np.zeros_like(x[0])
        for channel, kind in enumerate(node.types):
            if kind is not None:
                own = kind.convert(x[0][..., channel], frac_bits)
                codes[..., channel] = own << (node.type.frac_bits - kind.frac_bits)
        return codes

    return run


def _table(node: net.Table, inputs: list[net.Node]) -> Operation:
    table = np.asarray(node.table, dtype=np.int64)
    return lambda _chunk, x: table[x[0] - inputs[0].type.min_code]


def _multiply(node: net.Multiply, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits
    return lambda _chunk, x: (x[0] * x[1]) << left


def _vector_pool(node: net.VectorPool, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits

    def run(chunk: _Chunk, x: list[IntArray]) -> IntArray:
        weights, momentum = x
        products = weights[:, :, None] * momentum[:, None, :]
        total = chunk.sum(products.reshape(len(weights), 2 * weights.shape[1]))
        return -(total << left).reshape(-1, *node.shape)

    return run


def _scalar_pool(node: net.ScalarPool, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - node.shift
    return lambda chunk, x: chunk.sum(x[0]) << left


def _aggregate(node: net.Aggregate, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits - node.shift

    def run(chunk: _Chunk, x: list[IntArray]) -> IntArray:
        products = x[0][:, :, None] * x[1][:, None, :]
        return chunk.sum(products.reshape(len(products), prod(products.shape[1:]))) << left

    return run


def _combine(node: net.Combine, inputs: list[net.Node]) -> Operation:
    left = node.type.frac_bits - inputs[0].type.frac_bits - inputs[1].type.frac_bits
    return lambda _chunk, x: (x[0][:, :, None] * x[1]).sum(axis=1) << left


_OPERATIONS: Final[dict[str, Callable[[Any, list[net.Node]], Operation]]] = {
    "input": _input,
    "features": _features,
    "momentum": _momentum,
    "dense": _dense,
    "quantize": _quantize,
    "quantize_channels": _quantize_channels,
    "table": _table,
    "multiply": _multiply,
    "vector_pool": _vector_pool,
    "scalar_pool": _scalar_pool,
    "aggregate": _aggregate,
    "combine": _combine,
}
