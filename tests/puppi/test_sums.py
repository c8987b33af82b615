"""PUPPI MET from hardware integers."""

import math

import numpy as np

from l1met_fpga.puppi.sums import (
    momentum_xy_gev,
    puppi_met_xy_gev,
    ragged_met_xy_gev,
    unit_vectors,
)


def test_unit_vectors_match_the_sine_and_cosine() -> None:
    phi = np.arange(-1024, 1024, dtype=np.int16)
    want = [[math.cos(p * math.pi / 720), math.sin(p * math.pi / 720)] for p in range(-1024, 1024)]
    np.testing.assert_allclose(unit_vectors(phi), want, atol=1e-14)


def test_met_balances_the_candidates() -> None:
    candidates = {
        "pt": np.array([[40, 8, 0], [4, 4, 0]], np.int16),
        "phi": np.array([[0, 360, 0], [-720, 0, 5]], np.int16),
    }
    got = puppi_met_xy_gev(candidates)
    np.testing.assert_allclose(got, [[-10.0, -2.0], [0.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(got, -momentum_xy_gev(candidates).sum(axis=1), atol=1e-12)


def test_rotating_an_event_rotates_its_met() -> None:
    rng = np.random.default_rng(8)
    pt = rng.integers(0, 400, (50, 128)).astype(np.int16)
    phi = rng.integers(-720, 720, (50, 128)).astype(np.int16)
    met = puppi_met_xy_gev({"pt": pt, "phi": phi})
    turned = (phi + 360 + 720) % 1440 - 720
    rotated = puppi_met_xy_gev({"pt": pt, "phi": turned.astype(np.int16)})
    np.testing.assert_allclose(rotated, np.stack([-met[:, 1], met[:, 0]], axis=-1), atol=1e-9)


def test_ragged_and_padded_sums_agree() -> None:
    rng = np.random.default_rng(3)
    counts = np.array([0, 3, 128, 0, 1])
    filled = np.arange(128) < counts[:, None]
    pt = np.where(filled, rng.integers(1, 400, filled.shape), 0).astype(np.int16)
    phi = np.where(filled, rng.integers(-720, 720, filled.shape), 0).astype(np.int16)
    got = ragged_met_xy_gev({"pt": pt[filled], "phi": phi[filled]}, counts)
    np.testing.assert_allclose(got, puppi_met_xy_gev({"pt": pt, "phi": phi}), atol=1e-9)
