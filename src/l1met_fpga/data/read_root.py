"""ROOT ntuples with one entry per event and a jagged branch per candidate property."""

import functools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.batch import EventBatch, no_met
from l1met_fpga.data.branch_choice import FileBranches, choose_branches
from l1met_fpga.data.branch_map import load_branch_map
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
from l1met_fpga.data.truth import met_from_polar
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT
from l1met_fpga.puppi.units import pid_from_pdg_id
from l1met_fpga.puppi.words import is_charged

__all__ = ["read_root"]

_log = logging.getLogger(__name__)

Flat = npt.NDArray[Any]


def read_root(
    path: str, branch_map: str, events_per_step: int, tally: Counter[str]
) -> Iterator[EventBatch]:
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


def _batch(arrays: EventArrays, names: FileBranches, tally: Counter[str]) -> EventBatch:
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
    return EventBatch(
        counts=arrays.counts,
        columns={name: columns[name] for name in COLUMNS if name in columns},
        n_candidates=arrays.counts,
        event_id=_event_id(arrays, names),
        gen_met_xy_gev=_met(arrays, names.gen_met, tally, "gen_met"),
        puppi_met_xy_gev=_met(arrays, names.puppi_met, tally, "puppi_met"),
        vertex_z0_cm=arrays.first_per_event(names.vertex_z0) if names.vertex_z0 else None,
        baselines={
            name: _met(arrays, branches, tally, "baseline_met")
            for name, branches in names.baselines.items()
        },
    )


def _hardware(name: str, values: Flat, columns: Mapping[str, Flat]) -> npt.NDArray[np.int16]:
    if name == "puppi_weight":
        values = np.where(is_charged(columns["pid"]), MAX_PUPPI_WEIGHT, values)
    codes = from_hardware(name, where_defined(name, values, columns["pid"]))
    return agreeing(name, codes, columns[name]) if name in columns else codes


def _event_id(arrays: EventArrays, names: FileBranches) -> npt.NDArray[np.uint64]:
    result = np.zeros((len(arrays.counts), 3), np.uint64)
    # One of the last two alone repeats; without both, events are known by what they hold.
    has_number = all(names.event[1:])
    for field, branch in enumerate(names.event):
        if branch and (field == 0 or has_number):
            result[:, field] = arrays.integers(branch)
    return result


def _met(
    arrays: EventArrays, branches: tuple[str, str] | None, tally: Counter[str], name: str
) -> npt.NDArray[np.float64]:
    if branches is None:
        return no_met(len(arrays.counts))
    pt, phi = branches
    return met_from_polar(arrays.per_event(pt), arrays.per_event(phi), tally, name)
