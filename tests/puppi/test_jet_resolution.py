"""Resolution of jets: files of CMSSW's form, and a fit to jets whose resolution is known."""

import json
import re

import numpy as np
import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.jet_resolution import END_ETA, JetResolution, cmssw_resolution, derive
from l1met_fpga.puppi.jets import Jets


def jets_of(pt: object, eta: object, phi: object) -> Jets:
    codes = (np.array([codes], np.int16) for codes in (pt, eta, phi))
    return Jets(*codes, np.zeros((1, 0), np.int8))


def test_numbers_of_cmssw_in_its_types():
    resolution = cmssw_resolution()
    assert resolution.end_eta.tolist() == [298, 390, 573, 688]
    assert resolution.slope.tolist() == [74, 252, 131, 93, 0]
    assert (resolution.offset / 8).tolist() == [12.25, 6.0, 10.875, 12.625, 0]


def test_resolution_file_of_another_production(tmp_path):
    path = tmp_path / "jer.json"
    content = {"eta_bins": 1, "eta_edges": [1.5], "eta": {"par0": [0.5, 0.1], "par1": [1, 2]}}
    path.write_text(json.dumps(content))
    resolution = JetResolution.load(path)
    assert resolution.end_eta.tolist() == [344]
    sigma = resolution.pt(jets_of([400, 400], [343, -344], [0, 0]))
    assert (sigma / 4).tolist() == [[11.75, 51]]  # 0.1 is 102/1024


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"eta_edges": [1.5, 2.5]}, "1 regions need as many eta_edges and one more par0"),
        (
            {"eta_bins": 2, "eta_edges": [2.5, 1.5], "eta": {"par0": [0, 0, 0], "par1": [0, 0, 0]}},
            "eta_edges must increase from 0, got [2.5, 1.5]",
        ),
        ({"eta": {}}, "no resolution of jets (KeyError('par0'))"),
        ({"eta": {"par0": [float("inf")], "par1": [0]}}, "it is not JSON"),
        ({"eta_edges": None}, "no resolution of jets"),
    ],
)
def test_damaged_resolution_file_is_refused(tmp_path, change, says):
    path = tmp_path / "jer.json"
    content = {"eta_bins": 1, "eta_edges": [1.5], "eta": {"par0": [0.5, 0.1], "par1": [1, 2]}}
    path.write_text(json.dumps(content | change))
    with pytest.raises(DataError, match=re.escape(says)):
        JetResolution.load(path)


def known_jets(n_jets: int, rng: np.random.Generator):
    """At a given pt, generated pt is smeared by 10 % and 8 GeV in the barrel, else 20 %, 4 GeV."""
    pt, eta = rng.integers(120, 2000, n_jets), rng.integers(-687, 688, n_jets)
    inner = np.abs(eta) < 298
    sigma_gev = np.where(inner, 0.1, 0.2) * pt / 4 + np.where(inner, 8, 4)
    return pt, eta, pt / 4 - sigma_gev * rng.normal(size=n_jets)


def test_fit_finds_a_known_resolution():
    resolution = derive(*known_jets(100_000, np.random.default_rng(0)))
    jets = jets_of([400, 1200, 400, 1200, 400], [0, 0, 500, 500, 700], [0] * 5)
    want_gev = np.array([[18, 38, 24, 64, 0]])
    np.testing.assert_allclose(resolution.pt(jets) / 4, want_gev, rtol=0.04)


def test_few_jets_and_lines_that_do_not_fit_are_refused():
    pt, eta, gen_pt_gev = known_jets(2000, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"^the region that ends at \|eta\| of 390 counts has \d+ "):
        derive(pt, eta, gen_pt_gev, end_eta=END_ETA)
    with pytest.raises(DataError, match=r"^the offset of a jet resolution must be -16 to 15\.875"):
        derive(pt, eta, 10 * gen_pt_gev[::-1], end_eta=(688,))
