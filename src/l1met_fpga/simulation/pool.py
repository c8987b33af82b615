"""Pile-up: a cached pool of collisions, with hard jets at their own rate.

Minimum-bias collisions with a hard scattering are vetoed, and QCD samples in bins of pT-hat put
them back at their rate. Hard collisions decide the tail of the MET rate, so the pool must hold
many more of them than minimum bias would, or the tail would repeat a few collisions.
"""

import logging
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import SimulationError
from l1met_fpga.simulation.calorimeter import N_ETA, ring_means
from l1met_fpga.simulation.deposits import CollisionLists, make_lists
from l1met_fpga.simulation.detector import Detector
from l1met_fpga.simulation.generate import generated, load_card
from l1met_fpga.simulation.particles import ParticleEvents

__all__ = ["POOL_BATCH", "Pool", "PoolBatch", "pool_batches", "read_pool"]

_log = logging.getLogger(__name__)

POOL_BATCH: Final = 5000
QCD_BINS: Final = ("qcd_45_80", "qcd_80_130", "qcd_130_200", "qcd_200_inf")
HARD_PT_HAT_GEV: Final = 45.0
"""Where the QCD cards begin and minimum bias is vetoed."""
MILLIBARN_ABOVE: Final = 1e-12


class PoolBatch(NamedTuple):
    """One file of the pool: what to generate and with which seed."""

    card: str
    events: int
    seed: int


class Pool(NamedTuple):
    """Collisions to overlay; compiled code reads it.

    Attributes:
        lists: Deposits and charged particles of all collisions.
        first: First collision of each component, shape (n_components,): minimum bias, QCD bins.
        last: One past its last collision.
        mean: Mean number of its collisions per crossing.
        ring_em_gev: Mean EM pile-up energy per tower of an eta ring, shape (N_ETA,).
        ring_had_gev: The same for the hadronic part.
    """

    lists: CollisionLists
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    ring_em_gev: npt.NDArray[np.float64]
    ring_had_gev: npt.NDArray[np.float64]


def pool_batches(minimum_bias: int, qcd: tuple[int, ...], *, seed: int) -> list[PoolBatch]:
    """List the files of a pool.

    Args:
        minimum_bias: Number of minimum-bias collisions.
        qcd: Number of collisions in each QCD bin.
        seed: Seed of the pool.
    """
    batches = []
    for card, events in zip(("minimum_bias", *QCD_BINS), (minimum_bias, *qcd), strict=True):
        for number, done in enumerate(range(0, events, POOL_BATCH)):
            size = min(POOL_BATCH, events - done)
            batches.append(PoolBatch(card, size, seed * 100_000 + number))
    return batches


def read_pool(batches: list[PoolBatch], detector: Detector, *, cache: Path) -> Pool:
    """Read the pool's files (making those that are missing) and let the particles shower.

    Raises:
        SimulationError: If the pool has no minimum-bias collision left after the veto.
    """
    first, last, mean, parts = [], [], [], []
    hard_share, inelastic_mb = 0.0, 0.0
    n = 0
    for card in ("minimum_bias", *QCD_BINS):
        mine = [batch for batch in batches if batch.card == card]
        if not mine:
            continue
        events, cross_section_mb = _read(mine, cache)
        if card == "minimum_bias":
            inelastic_mb = cross_section_mb
            events = events.select(np.flatnonzero(events.pt_hat_gev < HARD_PT_HAT_GEV))
            share = 1.0
        else:
            share = cross_section_mb / inelastic_mb
            hard_share += share
        parts.append(events)
        first.append(n)
        n += len(events)
        last.append(n)
        mean.append(share * detector.pileup.mean)
    if not parts or len(parts[0]) == 0:
        raise SimulationError("the pile-up pool has no minimum-bias collision")
    mean[0] = (1 - hard_share) * detector.pileup.mean
    rng = np.random.default_rng([batches[0].seed, 3])
    lists = [make_lists(part, detector.tracks, detector.calorimeter, rng) for part in parts]
    ring_em, ring_had = ring_means(lists[0], detector.pileup.mean)
    _log.debug("pile-up pool: %d collisions, %.4f hard ones per crossing", n, sum(mean[1:]))
    return Pool(_join(lists), np.array(first), np.array(last), np.array(mean), ring_em, ring_had)


def empty_pool(detector: Detector) -> Pool:
    """Return a pool that adds nothing, for events without pile-up."""
    rng = np.random.default_rng(0)
    none = make_lists(ParticleEvents.empty(1), detector.tracks, detector.calorimeter, rng)
    zero = np.zeros(1)
    ring = np.zeros(N_ETA)
    return Pool(none, np.zeros(1, np.int64), np.ones(1, np.int64), zero, ring, ring)


def _read(batches: list[PoolBatch], cache: Path) -> tuple[ParticleEvents, float]:
    card = load_card(batches[0].card)
    made = [generated(card, events=b.events, seed=b.seed, cache=cache) for b in batches]
    cross_section = float(np.mean([facts["cross_section_mb"] for _, facts in made]))
    if cross_section < MILLIBARN_ABOVE:
        raise SimulationError(f"Pythia gave no cross section for {batches[0].card}")
    return ParticleEvents.concatenate([events for events, _ in made]), cross_section


def _join(parts: list[CollisionLists]) -> CollisionLists:
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in CollisionLists._fields:
        arrays = [getattr(part, name) for part in parts]
        if name.endswith("offsets"):
            lengths = np.concatenate([np.diff(a) for a in arrays])
            columns[name] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        else:
            columns[name] = np.concatenate(arrays)
    return CollisionLists(**columns)
