"""Compare the C simulation with the int64 reference layer by layer."""

import ctypes
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.firmware.check import LayerDifference, first_difference
from l1met_fpga.firmware.hls.csim import compile_csim
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import Candidates

__all__ = ["compare_layers", "simulate_layers"]


def compare_layers(
    network: Network, config: HlsConfig, folder: Path, candidates: Candidates
) -> LayerDifference | None:
    """Build the project with every layer's output kept, and find where it first differs.

    Args:
        network: The integer network.
        config: Section ``hls``.
        folder: Where the traced project goes; an earlier one is replaced.
        candidates: Events, a few hundred at most.

    Returns:
        The first layer, event and slot that differ, None when all layers agree.
    """
    got = simulate_layers(network, config, folder, candidates)
    return first_difference(
        [node.name for node in network], evaluate_nodes(network, candidates, list(got)), got
    )


def simulate_layers(
    network: Network, config: HlsConfig, folder: Path, candidates: Candidates
) -> dict[str, npt.NDArray[np.int64]]:
    """Return the codes of every hls4ml layer, by the name of its network node."""
    write_project(network, config, folder, candidates=candidates, trace=True)
    top = config.top_function
    library = compile_csim(folder, top=top, flags=config.compiler_flags)
    names = _traced_names(folder / f"{top}_csim.cpp")
    nodes = [network.node(name) for name in names]
    given = np.asarray(candidates["pt"]).shape
    missing = network.n_candidates - given[1]
    columns = [
        np.ascontiguousarray(np.pad(np.asarray(candidates[c], np.int16), ((0, 0), (0, missing))))
        for c in network.columns
    ]
    values = np.full(given[0] * sum(prod(node.shape) for node in nodes), np.nan)
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*columns, values)]
    getattr(ctypes.CDLL(str(library.resolve())), f"{top}_layers")(
        ctypes.c_int64(given[0]), *pointers
    )
    ends = np.cumsum([given[0] * prod(node.shape) for node in nodes])
    return {
        node.name: node.type.exactly(block.reshape(given[0], *node.shape))
        for node, block in zip(nodes, np.split(values, ends[:-1]), strict=True)
    }


def _traced_names(source: Path) -> list[str]:
    """Layers in the order in which the generated function writes them."""
    line = next(
        line
        for line in source.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("} layers[]")
    )
    return line.split('"')[1::2]
