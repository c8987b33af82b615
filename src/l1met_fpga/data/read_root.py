"""ROOT ntuples with one entry per event and a jagged branch per candidate property."""

import functools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.branch_choice import Branches, FileBranches, choose_branches
from l1met_fpga.data.branch_map import load_branch_map
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import BASELINES, N_PILEUP, VERTEX
from l1met_fpga.data.quantize import (
    agreeing,
    clean,
    from_hardware,
    from_physical,
    located,
    where_defined,
)
from l1met_fpga.data.root_arrays import EventArrays
from l1met_fpga.data.root_table import open_table, steps
from l1met_fpga.data.truth import Quantity, scalar, vector_from_polar
from l1met_fpga.puppi.columns import MAX_PUPPI_WEIGHT, STORED_COLUMNS
from l1met_fpga.puppi.units import pid_from_pdg_id
from l1met_fpga.puppi.words import is_charged

__all__ = ["read_root"]

_log = logging.getLogger(__name__)

Flat = npt.NDArray[Any]


def read_root(
    path: str, branch_map: str, events_per_step: int, tally: Counter[str]
) -> Iterator[Examples]:
    """Read a ROOT file (TTree or RNTuple) in steps; memory does not depend on its size.

    Args:
        path: File name or ``root://`` URL (needs the extra ``xrootd``).
        branch_map: Packaged map, YAML file, or ``auto``.
        events_per_step: Events per batch.
        tally: Counts what was changed or dropped, and what the file lacks.

    Raises:
        DataError: If the file is damaged, lacks its tree or a branch, holds what cannot be read,
            or breaks a rule of its columns.
    """
    tree = "Events" if branch_map == "auto" else load_branch_map(branch_map).tree
    with open_table(path, tree) as table:
        names = choose_branches(branch_map, table.names, f"{path}: tree {tree}")
        wanted = names.all()
        table.check(wanted)
        if names.alternatives:
            _log_once(f"branch map {branch_map}: reading {', '.join(names.alternatives)}")
        tally.update(names.lacking)
        ends = table.ends(names.candidates["pt"])
        for start, stop in steps(table.n_events, ends, events_per_step):
            arrays = table.read(wanted, start, stop)
            with located(f"{path}, events {start} to {stop - 1}"):
                events = EventArrays(arrays, names.candidates["pt"], names.count)
                yield clean(_batch(events, names, tally), tally)


@functools.cache
def _log_once(text: str) -> None:
    _log.info(text)


def _batch(arrays: EventArrays, names: FileBranches, tally: Counter[str]) -> Examples:
    charge = arrays.per_candidate(names.charge) if names.charge else None
    pid = pid_from_pdg_id(arrays.per_candidate(names.pdg_id), charge)
    physical = {
        name: where_defined(name, arrays.per_candidate(branch), pid)
        for name, branch in (names.candidates | names.extras).items()
    }
    columns = {"pid": pid} | from_physical(physical, pid, tally)
    for name, branch in names.hardware.items():
        columns[name] = _hardware(name, arrays.per_candidate(branch), columns)
    if names.weight:
        weights = arrays.per_event(names.weight)
        tally["weighted_events"] += int((weights != weights[:1]).sum())
    besides = {
        f"{BASELINES}{name}": _values(arrays, branches, tally, "baseline")
        for name, branches in names.baselines.items()
    }
    if names.vertex_z0:
        besides[VERTEX] = arrays.first_per_event(names.vertex_z0)
    if names.n_pileup:
        besides[N_PILEUP] = _n_pileup(arrays.per_event(names.n_pileup))
    return Examples.of(
        arrays.counts,
        {name: columns[name] for name in STORED_COLUMNS if name in columns},
        truth={
            name: _values(arrays, branches, tally, Quantity.named(name).key)
            for name, branches in names.truth.items()
        },
        ids=_event_id(arrays, names),
        besides=besides,
    )


def _hardware(name: str, values: Flat, columns: Mapping[str, Flat]) -> npt.NDArray[np.int16]:
    if name == "puppi_weight":
        values = np.where(is_charged(columns["pid"]), MAX_PUPPI_WEIGHT, values)
    codes = from_hardware(name, where_defined(name, values, columns["pid"]))
    return agreeing(name, codes, columns[name]) if name in columns else codes


def _n_pileup(values: Flat) -> npt.NDArray[np.float64]:
    """Return numbers of collisions; a negative one is a filler."""
    n = np.asarray(values, np.float64)
    return np.where(n >= 0, n, np.nan)


def _event_id(arrays: EventArrays, names: FileBranches) -> npt.NDArray[np.uint64]:
    result = np.zeros((len(arrays.counts), 3), np.uint64)
    # One of the last two alone repeats; without both, events are known by what they hold.
    has_number = all(names.event[1:])
    for field, branch in enumerate(names.event):
        if branch and (field == 0 or has_number):
            result[:, field] = arrays.integers(branch)
    return result


def _values(
    arrays: EventArrays, branches: Branches, tally: Counter[str], key: str
) -> npt.NDArray[np.float64]:
    """Read a vector from its two branches, or a number from its one."""
    if len(branches) == 1:
        return scalar(arrays.per_event(branches[0]), tally, key)
    pt, phi = branches
    return vector_from_polar(arrays.per_event(pt), arrays.per_event(phi), tally, key)
