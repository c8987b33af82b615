"""Least-squares baselines against known weights, explicit loops and closed forms."""

import math

import numpy as np
import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.weight_table import (
    ALL,
    GRIDS,
    TABLE,
    TYPES,
    WeightTable,
    fit_weights,
)
from l1met_fpga.puppi.columns import PARTICLE_KINDS
from l1met_fpga.puppi.sums import momentum_xy_gev, puppi_met_xy_gev


def random_candidates(n_events: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (n_events, 128)
    filled = rng.uniform(size=shape) < 0.4
    columns = {
        "pt": np.minimum(rng.exponential(40, shape) + 1, 16383),
        "eta": rng.integers(-1200, 1200, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": rng.choice(8, shape, p=[0.1, 0.1, 0.35, 0.35, 0.03, 0.03, 0.02, 0.02]),
    }
    return {name: np.where(filled, c, 0).astype(np.int16) for name, c in columns.items()}


def minus_momentum(candidates: dict[str, np.ndarray]) -> np.ndarray:
    return -momentum_xy_gev(candidates)


def met(table: WeightTable, candidates: dict[str, np.ndarray]) -> np.ndarray:
    return table.weighted_sum(candidates, minus_momentum)


def fit(candidates, target, grid):
    plain = puppi_met_xy_gev(candidates)
    return fit_weights(candidates, target, grid, summand=minus_momentum, plain=plain)


@pytest.fixture(scope="module")
def candidates() -> dict[str, np.ndarray]:
    return random_candidates(3000)


def test_weight_one_is_puppi_met(candidates):
    ones = WeightTable(TABLE, np.ones(TABLE.shape), np.zeros(TABLE.shape, np.int64))
    np.testing.assert_allclose(met(ones, candidates), puppi_met_xy_gev(candidates), atol=1e-9)


def test_known_weights_per_type_are_found(candidates):
    true = np.array([0.9, 0.5, 1.3, 1.1, 0.7]).reshape(TYPES.shape)
    target = met(WeightTable(TYPES, true, np.zeros(TYPES.shape, np.int64)), candidates)
    found = fit(candidates, target, TYPES)
    np.testing.assert_allclose(found.weights, true, atol=0.003)


def test_weighted_met_by_explicit_loop(candidates):
    rng = np.random.default_rng(3)
    table = WeightTable(TABLE, rng.uniform(0, 2, TABLE.shape), np.zeros(TABLE.shape, np.int64))
    got = met(table, candidates)
    type_of = {int(p): i for i, ids in enumerate(PARTICLE_KINDS.values()) for p in ids}
    for event in (0, 17):
        want = np.zeros(2)
        for pt, eta, phi, pid in zip(
            *(candidates[c][event] for c in ("pt", "eta", "phi", "pid")), strict=True
        ):
            pt_gev, abs_eta = pt * 0.25, abs(int(eta)) * math.pi / 720
            i = max(k for k, edge in enumerate(TABLE.abs_eta_edges) if abs_eta >= edge)
            j = max(k for k, edge in enumerate(TABLE.pt_edges_gev) if pt_gev >= edge)
            w = table.weights[type_of[int(pid)], i, j]
            angle = int(phi) * math.pi / 720
            want -= w * pt_gev * np.array([math.cos(angle), math.sin(angle)])
        np.testing.assert_allclose(got[event], want, atol=1e-9)


def test_best_constant_has_its_closed_form(candidates):
    puppi = puppi_met_xy_gev(candidates)
    gen = 0.6 * puppi + np.random.default_rng(1).normal(0, 5, puppi.shape)
    found = fit(candidates, gen, ALL).weights.item()
    assert found == pytest.approx((puppi * gen).sum() / (puppi**2).sum(), abs=1e-4)


def test_each_baseline_is_at_least_as_good_on_its_training_events(candidates):
    true = np.random.default_rng(5).uniform(0.5, 1.5, TABLE.shape)
    gen = met(WeightTable(TABLE, true, np.zeros(TABLE.shape, int)), candidates)
    error = [
        np.mean((met(fit(candidates, gen, grid), candidates) - gen) ** 2) for grid in GRIDS.values()
    ]
    assert error[0] < np.mean((puppi_met_xy_gev(candidates) - gen) ** 2)
    assert error[0] > error[1] > error[2]


def test_cells_without_candidates_stay_at_one(candidates):
    only_charged = {k: v.copy() for k, v in candidates.items()}
    neutral = only_charged["pid"] < 2
    for column in only_charged.values():
        column[neutral] = 0
    gen = 0.5 * puppi_met_xy_gev(only_charged)
    found = fit(only_charged, gen, TYPES)
    names = list(PARTICLE_KINDS)
    assert found.weights[names.index("photon")].item() == pytest.approx(1.0)
    assert found.candidates[names.index("photon")].item() == 0
    assert found.weights[names.index("charged hadron")].item() == pytest.approx(0.5, abs=0.01)


def test_no_event_wrong(candidates):
    empty = {name: column[:0] for name, column in candidates.items()}
    with pytest.raises(DataError, match="no event"):
        fit(empty, np.zeros((0, 2)), ALL)


def test_lengths_wrong(candidates):
    with pytest.raises(DataError, match="same length"):
        fit(candidates, np.zeros((5, 2)), ALL)
