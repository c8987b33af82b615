"""Networks that this package did not train: ``network.json``, and events with known results.

Such a network gets a run folder of its own, in which everything after training works: conversion,
RTL, checks, exports, report. There is no Keras model to hold the forms against; they are held
against the int64 reference, and that one against the known results where they were given.
"""

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.config.base import parse
from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.config.model import IMPORTED
from l1met_fpga.config.run import RunConfig, save_run
from l1met_fpga.errors import DataError, RunFolderError
from l1met_fpga.firmware.hls.graph import MAX_PARALLEL_ELEMENTS
from l1met_fpga.firmware.reference import HeadCodes, check_network
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.run_folder import RunFolder

__all__ = ["create_imported_run", "expected_name", "read_expected"]


def expected_name(head: str) -> str:
    """Return the name of the array of a head's known results."""
    return f"{head}_codes"


def create_imported_run(network_path: Path, expected_path: Path | None, root: Path) -> RunFolder:
    """Make a run folder of a network of others; an earlier one of the same network is replaced.

    Its HLS settings are the defaults where its shapes allow them: the folding divides its slots, and
    a tensor that cannot be partitioned makes it take one candidate per clock.

    Args:
        network_path: ``network.json``.
        expected_path: Events and their results (:func:`read_expected`), None without.
        root: Folder to make.

    Raises:
        ConversionError: If the file is no network, or one of its types cannot hold its results.
        DataError: If the events are not events of this network.
        RunFolderError: If something else lies in the folder, another network too.
    """
    network = Network.load(network_path)
    check_network(network)
    if expected_path is not None:
        read_expected(expected_path, network)
    model = {
        "architecture": IMPORTED,
        "name": network.name.lower(),
        "n_candidates": network.n_candidates,
    }
    settings = {"model": model, "hls": _hls_settings(network)}
    config = parse(RunConfig, settings, where=str(network_path))
    _refuse_another(network, network_path, root)
    run = RunFolder.create(root, clear=True)
    save_run(config, run.config)
    if expected_path is not None:
        shutil.copyfile(expected_path, run.expected)
    network.save(run.network)
    return run


def _refuse_another(network: Network, path: Path, root: Path) -> None:
    """Keep what was built of another network that happens to have the same name."""
    held = RunFolder(root).network
    if held.is_file() and held.read_bytes() != network.text.encode():
        raise RunFolderError(
            f"{root} holds another network of the name {network.name!r}, and what was built of it; "
            f"move that folder away, or change the name in {path}"
        )


def _hls_settings(network: Network) -> dict[str, Any]:
    """Folding and interface that the network's shapes allow; what is not named stays as it is."""
    factor = HlsConfig().parallelization_factor
    settings: dict[str, Any] = {"parallelization_factor": math.gcd(factor, network.n_candidates)}
    if any(math.prod(node.shape) > MAX_PARALLEL_ELEMENTS for node in network):
        settings["io_type"] = IoType.STREAM.value
    return settings


def read_expected(path: Path, network: Network) -> tuple[Candidates, HeadCodes]:
    """Read events with known results.

    Args:
        path: ``.npz`` file: an integer array of shape (n_events, n_slots) for each column that the
            network reads, and ``NAME_codes``, shape (n_events, size), for each head.
        network: The network.

    Raises:
        DataError: If the file is damaged, lacks an array, or one has another shape or type.
        OSError: If there is no such file, or it may not be read.
    """
    columns = tuple(dict.fromkeys(("pt", *network.columns)))
    needed = (*columns, *(expected_name(head.name) for head in network.heads))
    arrays = read_npz(path, error=DataError, next_step="write it again with numpy.savez")
    if missing := [name for name in needed if name not in arrays]:
        raise DataError(f"{path} lacks the arrays {missing}; it has {sorted(arrays)}")
    for name in needed:
        if arrays[name].dtype.kind not in "iu" or arrays[name].ndim != 2:
            raise DataError(
                f"{path}: array {name!r} is {arrays[name].dtype} of shape {arrays[name].shape}; "
                "expected integers with two axes (counts of the column, codes of the result)"
            )
    n_events = len(arrays["pt"])
    codes: HeadCodes = {}
    for head in network.heads:
        name, expected = expected_name(head.name), (n_events, head.size)
        if arrays[name].shape != expected:
            raise DataError(f"{path}: {name!r} has shape {arrays[name].shape}, expected {expected}")
        codes[head.name] = arrays[name].astype(np.int64)
    return {name: _column(path, name, arrays[name]) for name in columns}, codes


def _column(path: Path, name: str, codes: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    kind = COLUMNS[name].type
    if codes.size and not kind.min_code <= codes.min() <= codes.max() <= kind.max_code:
        raise DataError(
            f"{path}: array {name!r} holds {codes.min()} to {codes.max()}, the column allows "
            f"{kind.min_code} to {kind.max_code}"
        )
    return codes.astype(np.int16)
