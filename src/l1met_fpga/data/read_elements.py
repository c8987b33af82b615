"""ROOT files of elements, one row per event: what particle flow starts from, with truth links.

Every element becomes an example (:mod:`l1met_fpga.data.element_examples`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from l1met_fpga.data.branch_choice import nearest
from l1met_fpga.data.element_examples import element_examples
from l1met_fpga.data.element_kinds import ElementKind, ParticleClass
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.flow_event import FlowEvent
from l1met_fpga.data.quantize import located
from l1met_fpga.data.root_file import opened, readable
from l1met_fpga.data.root_table import Table, open_table, steps
from l1met_fpga.data.truth import MAX_GEV
from l1met_fpga.data.truth_matching import Matched, match
from l1met_fpga.errors import DataError

__all__ = ["TREE", "flow_events", "holds_elements", "matched", "read_elements"]

TREE: Final = "Elements"
_BRANCHES: Final = {
    "Element": ("pt", "eta", "phi", "kind", "charge", "emShare", "looks", "vertexEta", "vertexPhi"),
    "Particle": ("pt", "eta", "phi", "class", "charge", "hard"),
    "Link": ("element", "particle", "energy"),
    "Candidate": ("pt", "eta", "phi", "class", "element", "puppiWeight"),
}
_EVENT: Final = ("event", "genMet_pt", "genMet_phi")
_ANGLE: Final = (-10.0, 10.0)
_RANGES: Final = {
    "Element_pt": (1e-6, MAX_GEV), "Particle_pt": (0.0, MAX_GEV), "Candidate_pt": (0.0, MAX_GEV),
    "Link_energy": (0.0, MAX_GEV), "Element_emShare": (0.0, 1.0), "Candidate_puppiWeight": (0.0, 1.0),
    "Element_kind": (0, max(ElementKind)), "Element_charge": (-1, 1), "Particle_charge": (-1, 1),
    "Element_looks": (1, max(ParticleClass)), "Particle_class": (1, max(ParticleClass)),
    "Candidate_class": (1, max(ParticleClass)),
    **{f"{one}_{angle}": _ANGLE for one in ("Element", "Particle", "Candidate") for angle in ("eta", "phi")},
    "Element_vertexEta": _ANGLE, "Element_vertexPhi": _ANGLE,
}  # fmt: skip
"""Smallest and largest value that has a meaning."""

EVENTS_PER_STEP: Final = 64


def holds_elements(path: str) -> bool:
    """Tell a file with a tree of elements.

    Raises:
        DataError: If the file cannot be read.
    """
    with opened(path) as file, readable(path):
        return TREE in file.keys(cycle=False)


def flow_events(path: str, events_per_step: int = EVENTS_PER_STEP) -> Iterator[FlowEvent]:
    """Read events one by one; memory does not depend on the size of the file.

    Args:
        path: File name or URL.
        events_per_step: Events that are read together.

    Raises:
        DataError: If the file is damaged, lacks its tree or a branch, or a link points nowhere.
    """
    with open_table(path, TREE) as table:
        names = [f"{one}_{column}" for one, columns in _BRANCHES.items() for column in columns]
        wanted = [_named(table, name, path) for name in (*names, *_EVENT)]
        table.check(wanted)
        for start, stop in steps(table.n_events, table.ends(wanted[0]), events_per_step):
            arrays = table.read(wanted, start, stop)
            held = dict(zip((*names, *_EVENT), (arrays[name] for name in wanted), strict=True))
            with located(f"{path}, events {start} to {stop - 1}"):
                yield from _events(held, stop - start)


def _named(table: Table, name: str, path: str) -> str:
    """Return the name of a branch as the file has it: of a split object, with a point."""
    for spelt in (name, name.replace("_", ".", 1)):
        if spelt in table.names:
            return spelt
    raise DataError(
        f"{path}: tree {TREE} has no branch {name}{nearest(name, table.names)}; files of elements are "
        "made by `l1met simulate` with `elements: true`"
    )


def _events(arrays: Mapping[str, ak.Array], n: int) -> Iterator[FlowEvent]:
    flat = {name: _ragged(values) for name, values in arrays.items() if name not in _EVENT}
    for name, (low, high) in _RANGES.items():
        _require_within(name, flat[name][0], low, high)
    number, met, phi = (ak.to_numpy(arrays[name]) for name in _EVENT)
    for i in range(n):
        elements, particles, links, candidates = (
            {column: _row(flat[f"{one}_{column}"], i) for column in columns}
            for one, columns in _BRANCHES.items()
        )
        _require_inside(links["element"], len(elements["pt"]), "links", "elements")
        _require_inside(links["particle"], len(particles["pt"]), "links", "particles")
        _require_inside(candidates["element"], len(elements["pt"]), "candidates", "elements")
        gen_met = float(met[i]) * np.array([np.cos(phi[i]), np.sin(phi[i])])
        yield FlowEvent(int(number[i]), elements, particles, links, candidates, gen_met)


def _ragged(values: ak.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    counts = ak.to_numpy(ak.num(values))
    return ak.to_numpy(ak.flatten(values)), np.concatenate([[0], np.cumsum(counts)])


def _row(held: tuple[npt.NDArray[Any], npt.NDArray[np.int64]], i: int) -> npt.NDArray[Any]:
    values, splits = held
    return values[splits[i] : splits[i + 1]]


def _require_within(name: str, values: npt.NDArray[Any], low: float, high: float) -> None:
    bad = ~((values >= low) & (values <= high))  # NaN is within nothing
    if bad.any():
        raise DataError(
            f"{name} holds {values[bad][0]:g} ({int(bad.sum())} values outside its range); allowed are "
            f"{low:g} to {high:g}"
        )


def _require_inside(numbers: npt.NDArray[Any], n: int, what: str, of: str) -> None:
    bad = (numbers < 0) | (numbers >= n)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} {what} name {of} that the event does not have (first: "
            f"{int(numbers[bad][0])} of {n}); numbers begin with 0 in every event"
        )


def matched(event: FlowEvent) -> Matched:
    """Return which element each particle belongs to, and the truth of the elements."""
    return match(
        event.elements["kind"],
        particle_pt_gev=event.particles["pt"],
        particle_class=event.particles["class"],
        is_hard=event.particles["hard"],
        link_element=event.links["element"],
        link_particle=event.links["particle"],
        link_gev=event.links["energy"],
    )


def read_elements(path: str, tally: Counter[str]) -> Iterator[Examples]:
    """Read a file of elements, every one of them an example.

    Args:
        path: File name or URL.
        tally: Counts particles, those without an element, and their momentum in GeV.

    Raises:
        DataError: As :func:`flow_events`.
    """
    waiting: list[Examples] = []
    for event in flow_events(path):
        truth = matched(event)
        pt, lost = event.particles["pt"].astype(np.float64), truth.element < 0
        tally["particles"] += len(pt)
        tally["particles_without_element"] += int(lost.sum())
        tally["particle_gev"] += round(float(pt.sum()))
        tally["particle_gev_without_element"] += round(float(pt[lost].sum()))
        waiting.append(element_examples(event, truth))
        if len(waiting) == EVENTS_PER_STEP:
            yield Examples.concatenate(waiting)
            waiting = []
    if waiting:
        yield Examples.concatenate(waiting)
