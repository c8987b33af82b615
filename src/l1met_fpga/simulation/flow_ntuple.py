"""Elements of simulated crossings, particles behind them and the rules' candidates, as a ROOT tree.

One row per event with four nested collections: ``Element``, ``Particle``, ``Link`` (which element
holds energy of which particle) and ``Candidate``. :mod:`l1met_fpga.data.read_elements` reads it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.read_elements import TREE
from l1met_fpga.simulation.calorimeter import Towers
from l1met_fpga.simulation.crossings import OVERLAY, SHOWERS
from l1met_fpga.simulation.deposits import make_lists
from l1met_fpga.simulation.detector import Detector
from l1met_fpga.simulation.elements import CANDIDATE, ELEMENT, LINK, PARTICLE, FlowEvent, flow_event
from l1met_fpga.simulation.particles import ParticleEvents
from l1met_fpga.simulation.pool import Pool
from l1met_fpga.simulation.tracks import ChargedParticles
from l1met_fpga.simulation.tree import write_tree

__all__ = ["FlowBranches", "simulate_elements", "write_elements"]

COLLECTIONS: Final = {
    "Element": ("elements", ELEMENT),
    "Particle": ("particles", PARTICLE),
    "Link": ("links", LINK),
    "Candidate": ("candidates", CANDIDATE),
}
"""Name in the file: attribute of :class:`.elements.FlowEvent` and its columns."""
INTEGERS: Final = {
    "kind": np.int8, "charge": np.int8, "looks": np.int8, "class": np.int8, "hard": np.int8,
    "element": np.int16, "particle": np.int32,
}  # fmt: skip
ROUNDED_TO: Final = dict.fromkeys(("pt", "energy", "emShare", "puppiWeight", "z0"), 2.0**-6)
"""In compact files: GeV, cm and shares are multiples of it, well below any resolution."""
ANGLES_ROUNDED_TO: Final = 2.0**-9
LEFT_OUT: Final = ("share",)
"""Of compact files: what follows from the rest, but for links that were too weak to be written."""

FlowBranches = dict[str, tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]]
"""By collection: rows of each event and columns; ``""`` has the numbers of events."""


def simulate_elements(
    hard: ParticleEvents,
    pool: Pool,
    detector: Detector,
    *,
    seed: tuple[int, ...],
    first_event: int = 0,
    events: npt.NDArray[np.intp] | None = None,
) -> FlowBranches:
    """Simulate one crossing for every hard collision, up to particle flow.

    The events are those of :func:`.crossings.simulate_crossings` with the same arguments, which they
    share.

    Args:
        hard: Hard collisions.
        pool: Pile-up to overlay.
        detector: Parameters.
        seed: Numbers that belong to this sample alone.
        first_event: Number of the first hard collision in the sample, from 0.
        events: Which of the hard collisions to simulate; all if not given.
    """
    showers = np.random.default_rng([*seed, SHOWERS, first_event])
    lists = make_lists(hard, detector.tracks, detector.calorimeter, showers)
    towers, true = Towers.empty(), ChargedParticles.empty()
    events = np.arange(len(hard)) if events is None else events
    found = []
    for number in events:
        rng = np.random.default_rng([*seed, OVERLAY, first_event + int(number)])
        found.append(flow_event(lists, number, pool, towers, true, detector, rng))
    return _branches(found, hard.gen_met_xy_gev[events], first_event + 1 + events)


def _branches(
    found: Sequence[FlowEvent],
    gen_met_xy_gev: npt.NDArray[np.float64],
    number: npt.NDArray[np.intp],
) -> FlowBranches:
    per_event = {
        "event": number.astype(np.uint64),
        "genMet_pt": np.hypot(*gen_met_xy_gev.T).astype(np.float32),
        "genMet_phi": np.arctan2(*gen_met_xy_gev.T[::-1]).astype(np.float32),
        "L1Vertex_z0": np.array([one.vertex_z0_cm for one in found], np.float32),
        "GenVertex_z0": np.array([one.true_z0_cm for one in found], np.float32),
        "Pileup_nPU": np.array([one.n_collisions for one in found], np.int32),
    }
    branches: FlowBranches = {"": (np.ones(len(found), np.int64), per_event)}
    for name, (attribute, columns) in COLLECTIONS.items():
        rows = [getattr(one, attribute) for one in found]
        table = np.concatenate(rows)
        counts = np.array([len(one) for one in rows], np.int64)
        branches[name] = (
            counts,
            {
                column: table[:, i].astype(INTEGERS.get(column, np.float32))
                for i, column in enumerate(columns)
            },
        )
    return branches


def write_elements(path: Path, parts: Sequence[FlowBranches], *, compact: bool = False) -> None:
    """Write a tree of elements, whole or not at all.

    Args:
        path: File to write.
        parts: What :func:`simulate_elements` gave.
        compact: Round numbers to what matters and compress as well as possible.
    """
    import awkward as ak

    joined = {name: _joined([part[name] for part in parts]) for name in parts[0]}
    _, per_event = joined.pop("")
    n = len(per_event["event"])
    branches: dict[str, Any] = {
        "run": np.ones(n, np.uint32),
        "luminosityBlock": np.ones(n, np.uint32),
        **per_event,
    }
    for name, (counts, columns) in joined.items():
        held = _compact(columns) if compact else columns
        branches[name] = ak.zip({c: ak.unflatten(v, counts) for c, v in held.items()})
    write_tree(path, TREE, branches, compact=compact)


def _joined(
    parts: Sequence[tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]],
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]:
    columns = {name: np.concatenate([values[name] for _, values in parts]) for name in parts[0][1]}
    return np.concatenate([counts for counts, _ in parts]), columns


def _compact(columns: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Drop digits of numbers; integers stay, and so does what is above 0."""
    found = {}
    for name, values in columns.items():
        if values.dtype.kind == "f":
            step = ROUNDED_TO.get(name, ANGLES_ROUNDED_TO)
            least = step * (values > 0) if name in ("pt", "energy") else -np.inf
            found[name] = np.maximum(np.round(values / step) * step, least).astype(np.float32)
        else:
            found[name] = values
    return {name: values for name, values in found.items() if name not in LEFT_OUT}
