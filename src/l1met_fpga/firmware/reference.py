"""Independent int64 interpreter of the integer network, in NumPy.

Written from the node descriptions of :mod:`l1met_fpga.models.network` alone; it shares no
arithmetic with Keras, hls4ml, da4ml or the RTL. Every tensor is int64 codes. Matrix products run
through BLAS only where the largest possible partial sum stays below 2**24 or 2**53, below which
float32 or float64 adds integers exactly.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from l1met_fpga.errors import ConversionError, DataError
from l1met_fpga.firmware.reference_nodes import Operation, operation_of
from l1met_fpga.firmware.reference_rows import Chunk, chunk_slices, filled_chunk, padded_chunks
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.processors import allowed_processors
from l1met_fpga.puppi.columns import COLUMNS, Candidates

__all__ = ["HeadCodes", "by_head", "check_network", "checked_columns", "evaluate", "evaluate_nodes"]

IntArray = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer[Any]]
HeadCodes = dict[str, IntArray]
"""Head -> integer codes of its numbers, shape (n_events, size), or (n_events, n_slots, size) where
the head has them per row (zero in empty slots)."""


def evaluate(network: Network, candidates: Candidates, *, threads: int | None = None) -> HeadCodes:
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
    operations = [(node, operation_of(network, node)) for node in network]

    def run(events: slice) -> HeadCodes:
        codes = _run(filled_chunk(columns, events), operations)
        filled = columns["pt"][events] > 0
        return {head.name: _result(head, codes[head.node], filled) for head in network.heads}

    # one thread per chunk: BLAS threads on top of ours would only wait for one another
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads or allowed_processors()) as pool:
        chunks = list(pool.map(run, chunk_slices(columns["pt"])))
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
    network: Network, candidates: Candidates, names: Iterable[str] | None = None
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
    operations = [(node, operation_of(network, node)) for node in network]
    parts: dict[str, list[IntArray]] = {node.name: [] for node in wanted}
    for chunk in padded_chunks(columns, network.n_candidates):
        codes = _run(chunk, operations)
        for node in wanted:
            parts[node.name].append(codes[node.name].reshape(chunk.n_events, *node.shape))
    return {
        node.name: np.concatenate(parts[node.name])
        if parts[node.name]
        else np.zeros((0, *node.shape), np.int64)
        for node in wanted
    }


def by_head(network: Network, codes: IntArray) -> HeadCodes:
    """Cut rows of all numbers, head after head, shape (n_events, numbers), into codes by head."""
    ends = np.cumsum([head.size for head in network.heads])
    parts = np.split(codes, ends[:-1], axis=1)
    return {head.name: part for head, part in zip(network.heads, parts, strict=True)}


def check_network(network: Network) -> None:
    """Check that no exact operation of a network can overflow or lose a bit.

    Raises:
        ConversionError: Names the node, its type and the type it needs.
    """
    for node in network:
        needed = node.needed_type(network.inputs_of(node), network.n_candidates)
        if needed is not None and not _holds(node.type, needed):
            raise ConversionError(
                f"node {node.name!r} ({node.op}) has type {node.type.hls_name}, which cannot hold "
                f"every result; it needs at least {needed.hls_name}. Give the node that type in network.json, "
                "or make the file again with the program that wrote it"
            )


def _holds(outer: FixedType, inner: FixedType) -> bool:
    return outer.frac_bits >= inner.frac_bits and outer.min <= inner.min and outer.max >= inner.max


def checked_columns(network: Network, candidates: Candidates) -> dict[str, Codes]:
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


def _run(chunk: Chunk, operations: list[tuple[net.Node, Operation]]) -> dict[str, IntArray]:
    codes: dict[str, IntArray] = {}
    for node, operation in operations:
        codes[node.name] = operation(chunk, [codes[name] for name in node.inputs])
    return codes
