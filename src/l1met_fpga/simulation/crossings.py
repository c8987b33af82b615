"""Many simulated crossings as flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.sums import ragged_met_xy_gev
from l1met_fpga.simulation.calorimeter import Towers
from l1met_fpga.simulation.deposits import make_lists
from l1met_fpga.simulation.detector import Detector
from l1met_fpga.simulation.event import COLUMN_NAMES, simulate
from l1met_fpga.simulation.particles import ParticleEvents
from l1met_fpga.simulation.pool import Pool
from l1met_fpga.simulation.selection import Order, select
from l1met_fpga.simulation.tracks import ChargedParticles

__all__ = ["OVERLAY", "SHOWERS", "Crossings", "simulate_crossings"]

SHOWERS, OVERLAY = 4, 5
"""Numbers of the streams of random numbers of a sample."""


@dataclass(frozen=True, slots=True)
class Crossings:
    """Simulated crossings.

    Attributes:
        counts: Candidates per event, shape (n_events,).
        columns: Hardware integers of all candidates one event after the other, by column name.
        gen_met_xy_gev: Sum of the hard collision's neutrinos, shape (n_events, 2).
        gen_ht_gev: Scalar sum of the hard collision's jets, shape (n_events,); NaN where not made.
        vertex_z0_cm: Vertex that the trigger found, shape (n_events,).
        true_z0_cm: Vertex of the hard collision.
        n_pileup: Pile-up collisions.
        n_hard: How many of them came from the QCD bins.
        event: Number of the event in its sample, from 1.
    """

    counts: npt.NDArray[np.int64]
    columns: dict[str, npt.NDArray[np.int16]]
    gen_met_xy_gev: npt.NDArray[np.float64]
    gen_ht_gev: npt.NDArray[np.float64]
    vertex_z0_cm: npt.NDArray[np.float64]
    true_z0_cm: npt.NDArray[np.float64]
    n_pileup: npt.NDArray[np.int32]
    n_hard: npt.NDArray[np.int32]
    event: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.counts)

    @staticmethod
    def concatenate(parts: Sequence["Crossings"]) -> "Crossings":
        """Join crossings in order."""
        columns = {
            name: np.concatenate([part.columns[name] for part in parts]) for name in COLUMN_NAMES
        }
        rest = [f.name for f in fields(Crossings) if f.name != "columns"]
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in rest}
        return Crossings(columns=columns, **joined)

    def puppi_met_xy_gev(self) -> npt.NDArray[np.float64]:
        """Return minus the vector sum of the candidates, shape (n_events, 2)."""
        return ragged_met_xy_gev(self.columns, self.counts)


def simulate_crossings(
    hard: ParticleEvents,
    pool: Pool,
    detector: Detector,
    *,
    seed: tuple[int, ...],
    first_event: int = 0,
    events: npt.NDArray[np.intp] | None = None,
    gen_ht_gev: npt.NDArray[np.float64] | None = None,
    order: Order = Order.PT,
    max_candidates: int = N_CANDIDATES,
) -> Crossings:
    """Simulate one crossing for every hard collision.

    Each event has its own stream of random numbers, so its pile-up and detector depend on the
    seed and its number only.

    Args:
        hard: Hard collisions; without particles for pile-up only.
        pool: Pile-up to overlay.
        detector: Parameters.
        seed: Numbers that belong to this sample alone.
        first_event: Number of the first hard collision in the sample, from 0.
        events: Which of the hard collisions to simulate; all if not given.
        gen_ht_gev: Generator HT of all hard collisions; unknown if not given.
        order: Order of the candidates.
        max_candidates: Where the list is cut.
    """
    showers = np.random.default_rng([*seed, SHOWERS, first_event])
    lists = make_lists(hard, detector.tracks, detector.calorimeter, showers)
    towers, true = Towers.empty(), ChargedParticles.empty()
    results = []
    events = np.arange(len(hard)) if events is None else events
    for number in events:
        rng = np.random.default_rng([*seed, OVERLAY, first_event + int(number)])
        result = simulate(lists, number, pool, towers, true, detector, rng)
        kept = select(result.candidates, order=order, max_candidates=max_candidates)
        results.append(result._replace(candidates=kept))
    flat = np.concatenate([r.candidates for r in results])
    return Crossings(
        counts=np.array([len(r.candidates) for r in results], np.int64),
        columns={name: flat[:, i].copy() for i, name in enumerate(COLUMN_NAMES)},
        gen_met_xy_gev=hard.gen_met_xy_gev[events],
        gen_ht_gev=np.full(len(events), np.nan) if gen_ht_gev is None else gen_ht_gev[events],
        vertex_z0_cm=np.array([r.vertex_z0_cm for r in results]),
        true_z0_cm=np.array([r.true_z0_cm for r in results]),
        n_pileup=np.array([r.n_collisions for r in results], np.int32),
        n_hard=np.array([r.n_hard for r in results], np.int32),
        event=(first_event + 1 + events).astype(np.uint64),
    )
