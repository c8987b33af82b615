"""Resolution figures against closed forms: known width, known response, known games."""

import numpy as np
import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import magnitude_gev, met_xy_from_polar
from l1met_fpga.metrics.binning import MIN_EVENTS, RESOLUTION_BINS, Bins
from l1met_fpga.metrics.projection import delta_phi_rad, project
from l1met_fpga.metrics.resolution import (
    FIGURES,
    binned_resolution,
    half_width,
    tail_fraction,
    x_residual_half_width_gev,
)

WIDTH_GEV, RESPONSE = 30.0, 0.8
ONE_SIGMA_HALF_WIDTH = 0.994458  # (P84 - P16) / 2 of a unit Gaussian


@pytest.fixture(scope="module")
def events() -> tuple[np.ndarray, np.ndarray]:
    """Falling |q| spectrum with Gaussian smearing: estimate, truth."""
    rng = np.random.default_rng(0)
    gen = met_xy_from_polar(rng.gamma(3.0, 35.0, 60_000), rng.uniform(-np.pi, np.pi, 60_000))
    return RESPONSE * gen + rng.normal(0, WIDTH_GEV, gen.shape), gen


def rescaled(met: np.ndarray, new_magnitude: np.ndarray) -> np.ndarray:
    return met / magnitude_gev(met)[:, None] * new_magnitude[:, None]


def rotated(met: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return met @ np.array([[c, s], [-s, c]])


def test_projection_by_hand():
    seen = project([[3.0, 4.0], [-1.0, 0.0], [5.0, 5.0]], [[10.0, 0.0], [0.0, 2.0], [0.5, 0.0]])
    assert seen.events.tolist() == [0, 1]  # the third has no direction: |q| <= 1 GeV
    np.testing.assert_allclose(seen.parallel_gev, [3.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(seen.perpendicular_gev, [4.0, 1.0])


def test_projection_keeps_signs():
    seen = project([[-7.0, -2.0]], [[10.0, 0.0]])
    assert (seen.parallel_gev[0], seen.perpendicular_gev[0]) == (-7.0, -2.0)


def test_delta_phi_wraps():
    near = delta_phi_rad(met_xy_from_polar([1.0], [3.1]), met_xy_from_polar([1.0], [-3.1]))
    np.testing.assert_allclose(near, [6.2 - 2 * np.pi])
    assert np.isnan(delta_phi_rad([[0.0, 0.0]], [[1.0, 0.0]]))[0]


def test_gaussian_smearing_is_given_back(events):
    figures = binned_resolution(*events)
    n = figures.n_events
    error = WIDTH_GEV * 1.1 / np.sqrt(n)  # of a half width; the Gaussian value is 1.07
    for width in (figures.parallel_gev, figures.perpendicular_gev):
        np.testing.assert_array_less(np.abs(width - WIDTH_GEV * ONE_SIGMA_HALF_WIDTH), 4 * error)
    mean_error = WIDTH_GEV / np.sqrt(n) / figures.gen_mean_gev
    np.testing.assert_array_less(np.abs(figures.response - RESPONSE), 4 * mean_error)
    np.testing.assert_allclose(figures.slope, RESPONSE, atol=0.05)
    np.testing.assert_allclose(figures.slope_median, RESPONSE, atol=0.06)
    np.testing.assert_allclose(figures.tail_2_sigma, 0.0467, atol=0.012)


def test_shrinking_gains_nothing(events):
    met, gen = events
    full, shrunk = binned_resolution(met, gen), binned_resolution(0.7 * met, gen)
    for name in ("parallel", "perpendicular"):
        for per in ("slope", "response"):
            figure = f"{name}_over_{per}_gev"
            np.testing.assert_allclose(getattr(shrunk, figure), getattr(full, figure), rtol=1e-9)
    assert (shrunk.parallel_gev < 0.72 * full.parallel_gev).all()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5])
def test_nearly_constant_met_gains_nothing(events, share):
    met, gen = events
    flat = rescaled(met, 60 + share * magnitude_gev(met))
    for bins in (RESOLUTION_BINS, Bins((20.0, 150.0))):
        honest, gamed = (
            binned_resolution(met, gen, bins=bins),
            binned_resolution(flat, gen, bins=bins),
        )
        for figure in ("parallel_over_slope_gev", "perpendicular_over_slope_gev"):
            loss = getattr(gamed, figure) / getattr(honest, figure)
            assert np.nanmin(loss) > 0.98, figure


def test_rotation_changes_nothing_but_x(events):
    met, gen = events
    before = binned_resolution(met, gen)
    after = binned_resolution(rotated(met, 0.7), rotated(gen, 0.7))
    for figure in FIGURES:
        if figure != "x_gev":
            np.testing.assert_allclose(getattr(after, figure), getattr(before, figure), rtol=1e-9)


def test_perpendicular_is_mirrored_not_folded():
    rng = np.random.default_rng(3)
    gen = met_xy_from_polar(np.full(5000, 60.0), rng.uniform(-3, 3, 5000))
    met = gen + rng.normal(0, 10, gen.shape)
    assert binned_resolution(met, gen).perpendicular_gev[1] == pytest.approx(10, rel=0.05)


def test_open_last_bin_and_labels():
    assert RESOLUTION_BINS.labels[-1] == "> 300"
    assert RESOLUTION_BINS.index(np.array([0.0, 299.9, 300.0, 1e6, -1.0, np.nan])).tolist() == [
        0, 5, 6, 6, -1, -1,
    ]  # fmt: skip


def test_empty_and_small_bins_are_nan():
    gen = np.tile([[50.0, 0.0]], (MIN_EVENTS, 1))
    gen[0] = [100.0, 0.0]
    figures = binned_resolution(gen + 1.0, gen)
    assert figures.n_events.tolist() == [0, MIN_EVENTS - 1, 1, 0, 0, 0, 0]
    for figure in FIGURES:
        assert np.isnan(getattr(figures, figure)).all()


def test_no_event_at_all():
    figures = binned_resolution(np.zeros((0, 2)), np.zeros((0, 2)))
    assert figures.n_events.sum() == 0


def test_different_lengths_wrong():
    with pytest.raises(DataError, match="estimate 3, generator 2"):
        binned_resolution(np.ones((3, 2)), np.ones((2, 2)))


def test_nan_wrong():
    met = np.ones((5, 2))
    met[3, 1] = np.nan
    with pytest.raises(DataError, match="1 of 5 events are NaN or infinite, the first is event 3"):
        binned_resolution(met, np.ones((5, 2)))


def test_shape_wrong():
    with pytest.raises(DataError, match=r"shape \(n_events, 2\)"):
        x_residual_half_width_gev(np.ones(5), np.ones((5, 2)))


def test_edges_wrong():
    with pytest.raises(DataError, match="increasing"):
        Bins((10.0, 10.0))


def test_half_width_of_uniform():
    assert half_width(np.linspace(0, 100, 10001)) == pytest.approx(34.0)
    assert tail_fraction(np.linspace(-1, 1, 10001), 2.0) == 0.0
    assert np.isnan(tail_fraction(np.zeros(100), 2.0))
