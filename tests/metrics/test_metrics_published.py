"""Published PUPPI MET figures on 161,487 fully simulated CMS ttbar events at 200 pile-up."""

from pathlib import Path

import numpy as np
import pytest

from l1met_fpga.metrics.arrays import magnitude_gev, met_xy_from_polar
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.resolution import binned_resolution, x_residual_half_width_gev
from l1met_fpga.metrics.turn_on import turn_on


@pytest.fixture(scope="module")
def real(reference_data: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(reference_data / "ttbar_pu200_met.npz") as data:
        return tuple(met_xy_from_polar(*data[key].T) for key in ("puppi_pt_phi", "gen_pt_phi"))


def test_x_residual(real):
    assert x_residual_half_width_gev(*real) == pytest.approx(39.7, abs=0.05)


def test_median_response(real):
    found = binned_resolution(*real, bins=Bins((60.0, 80.0, 100.0, 150.0)))
    assert found.response_median[0] == pytest.approx(0.96, abs=0.005)
    assert found.response_median[2] == pytest.approx(0.84, abs=0.005)


def test_turn_on(real):
    puppi, gen = map(magnitude_gev, real)
    found = turn_on(puppi, gen, 99.3)
    published = [0.18, 0.29, 0.43, 0.59, 0.73, 0.83, 0.89, 0.93, 0.95, 0.98]
    np.testing.assert_allclose(found.efficiency.value[3:13], published, atol=0.0055)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5])
def test_flattening_gains_nothing(real, share):
    puppi, gen = real
    size = magnitude_gev(puppi)
    flat = puppi / size[:, None] * (60 + share * size)[:, None]
    for bins in (Bins((0.0, 40.0, 80.0, 120.0, 160.0, 200.0)), Bins((20.0, 150.0))):
        honest, gamed = (binned_resolution(met, gen, bins=bins) for met in (puppi, flat))
        for figure in ("parallel_over_slope_gev", "perpendicular_over_slope_gev"):
            assert (getattr(gamed, figure) > getattr(honest, figure)).all(), figure
