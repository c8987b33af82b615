"""Calorimeter towers and the two kinds of clusters that particle flow takes.

Grid of 116 x 72 towers of 0.0873 in both directions, ``|eta|`` < 5.06. Electromagnetic clusters are
single towers (a barrel tower is 5 x 5 crystals, about the L1 e/gamma cluster); combined clusters
gather 3 x 3 towers of both parts around a local maximum, sharing towers between neighbours.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from l1met_fpga.simulation.angles import wrap
from l1met_fpga.simulation.compiled import compiled
from l1met_fpga.simulation.deposits import CALORIMETER_EDGES, CollisionLists
from l1met_fpga.simulation.detector import CalorimeterParameters

__all__ = [
    "N_ETA",
    "N_PHI",
    "TOWER",
    "Clusters",
    "Towers",
    "add",
    "combined_clusters",
    "em_clusters",
    "nearest",
    "ring_means",
    "seeds_around",
    "subtract",
]

N_ETA: Final = 116
N_PHI: Final = 72
TOWER: Final = 2 * math.pi / N_PHI
MAX_CLUSTERS: Final = 4096
FORWARD: Final = 2


class Towers(NamedTuple):
    """Transverse energies of one crossing, shape (N_ETA, N_PHI), GeV.

    Attributes:
        em_gev: Electromagnetic part.
        had_gev: Hadronic part.
        em_eta: Sum over deposits of EM energy times pseudorapidity relative to the tower's centre.
        em_phi: The same for the azimuth.
    """

    em_gev: npt.NDArray[np.float32]
    had_gev: npt.NDArray[np.float32]
    em_eta: npt.NDArray[np.float32]
    em_phi: npt.NDArray[np.float32]

    @staticmethod
    def empty() -> "Towers":
        """Return towers without energy."""
        return Towers(*(np.zeros((N_ETA, N_PHI), np.float32) for _ in range(4)))


class Clusters(NamedTuple):
    """Clusters of one crossing.

    Attributes:
        seeds: Number of the cluster whose seed a tower is, else -1; shape (N_ETA, N_PHI).
        pt_gev: Transverse energy, shape (n,), as all below.
        em_gev: Its electromagnetic part.
        eta: Pseudorapidity of the centroid.
        phi_rad: Azimuth of the centroid.
    """

    seeds: npt.NDArray[np.int64]
    pt_gev: npt.NDArray[np.float64]
    em_gev: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]


@compiled
def add(
    towers: Towers, lists: CollisionLists, collision: int, rotation_rad: float, reflection: int
) -> None:
    """Add the deposits of one collision, rotated and reflected, to the towers (in place)."""
    for i in range(lists.deposit_offsets[collision], lists.deposit_offsets[collision + 1]):
        eta_bins = reflection * lists.deposit_eta[i] / TOWER + N_ETA / 2
        if eta_bins < 0 or eta_bins >= N_ETA:
            continue
        phi_bins = (lists.deposit_phi_rad[i] + rotation_rad) / TOWER + 3 * N_PHI
        row, column = int(eta_bins), int(phi_bins)
        em = lists.em_gev[i]
        d_eta, d_phi = eta_bins - row - 0.5, phi_bins - column - 0.5
        column = column % N_PHI
        towers.em_gev[row, column] += em
        towers.had_gev[row, column] += lists.had_gev[i]
        towers.em_eta[row, column] += em * d_eta
        towers.em_phi[row, column] += em * d_phi


@compiled
def region_of_row(row: int) -> int:
    """Return 0 for barrel, 1 for endcap, 2 for forward towers."""
    abs_eta = abs((row + 0.5 - N_ETA / 2) * TOWER)
    if abs_eta < CALORIMETER_EDGES[0]:
        return 0
    return 1 if abs_eta < CALORIMETER_EDGES[1] else FORWARD


@compiled
def subtract(
    towers: Towers,
    mean_em_gev: npt.NDArray[np.float64],
    mean_had_gev: npt.NDArray[np.float64],
    p: CalorimeterParameters,
) -> None:
    """Take the mean pile-up of each eta ring off its towers and suppress small ones (in place)."""
    for row in range(N_ETA):
        part = p.subtraction[region_of_row(row)]
        em_level, had_level = part * mean_em_gev[row], part * mean_had_gev[row]
        for column in range(N_PHI):
            em = towers.em_gev[row, column] - em_level
            had = towers.had_gev[row, column] - had_level
            towers.em_gev[row, column] = em if em > p.em_zero_suppression_gev else 0.0
            towers.had_gev[row, column] = had if had > p.had_zero_suppression_gev else 0.0


@compiled
def _is_maximum(grid, row: int, column: int) -> bool:  # type: ignore[no-untyped-def]
    """Whether a tower is above its eight neighbours; of two equal ones the first in order wins."""
    value = grid[row, column]
    for d_row in (-1, 0, 1):
        other = row + d_row
        if other < 0 or other >= N_ETA:
            continue
        for d_column in (-1, 0, 1):
            if d_row == 0 and d_column == 0:
                continue
            neighbour = grid[other, (column + d_column) % N_PHI]
            if neighbour > value or (neighbour == value and (d_row, d_column) < (0, 0)):
                return False
    return True


@compiled
def _room() -> Clusters:
    n = MAX_CLUSTERS
    seeds = np.full((N_ETA, N_PHI), -1)
    return Clusters(seeds, np.empty(n), np.empty(n), np.empty(n), np.empty(n))


@compiled
def nearest(clusters: Clusters, eta: float, phi_rad: float, radius: float) -> int:
    """Return the number of the cluster closest in eta and phi within a radius, or -1."""
    centre_row = int(eta / TOWER + N_ETA / 2)
    centre_column = int(phi_rad / TOWER + N_PHI)
    reach = int(radius / TOWER) + 2
    best, best_dr2 = -1, radius * radius
    for row in range(max(0, centre_row - reach), min(N_ETA, centre_row + reach + 1)):
        for column in range(centre_column - reach, centre_column + reach + 1):
            i = clusters.seeds[row, column % N_PHI]
            if i < 0:
                continue
            d_eta = clusters.eta[i] - eta
            d_phi = wrap(clusters.phi_rad[i] - phi_rad)
            dr2 = d_eta * d_eta + d_phi * d_phi
            if dr2 < best_dr2:
                best, best_dr2 = i, dr2
    return best


@compiled
def em_clusters(raw_em, towers: Towers, p: CalorimeterParameters) -> Clusters:  # type: ignore[no-untyped-def]
    """Return EM clusters below ``|eta|`` 3; the position is the centroid of the deposits."""
    out = _room()
    n = 0
    for row in range(N_ETA):
        if region_of_row(row) == FORWARD:
            continue
        for column in range(N_PHI):
            pt = towers.em_gev[row, column]
            if pt <= p.em_seed_gev or n == MAX_CLUSTERS:
                continue
            total = raw_em[row, column]
            out.seeds[row, column] = n
            out.pt_gev[n] = pt
            out.em_gev[n] = pt
            out.eta[n] = (row + 0.5 + towers.em_eta[row, column] / total - N_ETA / 2) * TOWER
            out.phi_rad[n] = wrap((column + 0.5 + towers.em_phi[row, column] / total) * TOWER)
            n += 1
    return Clusters(out.seeds, out.pt_gev[:n], out.em_gev[:n], out.eta[:n], out.phi_rad[:n])


@compiled
def combined_clusters(towers: Towers, p: CalorimeterParameters) -> Clusters:
    """Return 3 x 3 clusters of both parts; a tower between two seeds is shared by seed energy."""
    total = towers.em_gev + towers.had_gev
    seed = np.zeros((N_ETA, N_PHI), np.float32)
    for row in range(N_ETA):
        for column in range(N_PHI):
            if total[row, column] > p.had_seed_gev and _is_maximum(total, row, column):
                seed[row, column] = total[row, column]
    out = _room()
    n = 0
    for row in range(N_ETA):
        for column in range(N_PHI):
            if seed[row, column] > 0 and n < MAX_CLUSTERS:
                _gather(out, n, towers, total, seed, row, column, p)
                n += 1
    return Clusters(out.seeds, out.pt_gev[:n], out.em_gev[:n], out.eta[:n], out.phi_rad[:n])


@compiled
def _gather(out, n, towers, total, seed, row, column, p):  # type: ignore[no-untyped-def]
    """Write the cluster around one seed."""
    scale = p.had_scale[region_of_row(row)]
    pt = em = raw = at_row = at_column = 0.0
    for d_row in (-1, 0, 1):
        other = row + d_row
        if other < 0 or other >= N_ETA:
            continue
        for d_column in (-1, 0, 1):
            there = (column + d_column) % N_PHI
            if total[other, there] == 0:
                continue
            share = seed[row, column] / seeds_around(seed, other, there)
            em += share * towers.em_gev[other, there]
            pt += share * (towers.em_gev[other, there] + scale * towers.had_gev[other, there])
            raw += share * total[other, there]
            at_row += share * total[other, there] * d_row
            at_column += share * total[other, there] * d_column
    out.seeds[row, column] = n
    out.pt_gev[n] = pt
    out.em_gev[n] = em
    out.eta[n] = (row + 0.5 + at_row / raw - N_ETA / 2) * TOWER
    out.phi_rad[n] = wrap((column + 0.5 + at_column / raw) * TOWER)


@compiled
def seeds_around(seed, row: int, column: int) -> float:  # type: ignore[no-untyped-def]
    """Return the energy of the seeds in the 3 x 3 towers around one, which share it."""
    total = 0.0
    for d_row in (-1, 0, 1):
        other = row + d_row
        if 0 <= other < N_ETA:
            for d_column in (-1, 0, 1):
                total += seed[other, (column + d_column) % N_PHI]
    return total


def ring_means(
    lists: CollisionLists, collisions: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean EM and hadronic energy per tower of each eta ring at a mean pile-up.

    Both directions along the beam are averaged, as pool collisions are reflected at random.
    """
    rings = np.floor(lists.deposit_eta / TOWER + N_ETA / 2).astype(np.int64)
    inside = (rings >= 0) & (rings < N_ETA)
    per_tower = collisions / (len(lists.deposit_offsets) - 1) / N_PHI
    means = []
    for energy in (lists.em_gev, lists.had_gev):
        ring = np.bincount(rings[inside], energy[inside], N_ETA) * per_tower
        means.append((ring + ring[::-1]) / 2)
    return means[0], means[1]
