"""The map of correlator regions against one written from CMSSW's set-up."""

import numpy as np
from cmssw_regions import N_FINAL_SORT, REGIONS, region_of_cmssw

from l1met_fpga.puppi.regions import N_REGIONS, outputs_of, region_of


def test_region_numbers_are_those_of_cmssw():
    eta, phi = np.meshgrid(np.arange(-1250, 1251, 23), np.arange(-720, 721, 8))
    eta, phi = eta.ravel().astype(np.int16), phi.ravel().astype(np.int16)
    want = [region_of_cmssw(int(e), int(p)) for e, p in zip(eta, phi, strict=True)]
    np.testing.assert_array_equal(region_of(eta, phi), want)
    assert set(want) == set(range(N_REGIONS))


def test_every_border_in_phi():
    phi = np.concatenate([np.arange(k - 2, k + 3) for k in range(-720 + 80, 720, 160)])
    phi = np.append(phi, [-720, -719, 719, 720]).astype(np.int16)
    want = [region_of_cmssw(10, int(p)) for p in phi]
    np.testing.assert_array_equal(region_of(np.full_like(phi, 10), phi), want)


def test_the_centre_of_slice_i_is_i_times_its_width():
    centres = np.array([0, 160, 320, 480, 640, -640, -480, -320, -160], np.int16)
    eta = np.full(9, 10, np.int16)  # barrel, 0 to 0.5: regions 27 to 35
    assert region_of(eta, centres).tolist() == list(range(27, 36))


def test_every_region_hands_on_what_its_kind_does():
    want = [N_FINAL_SORT[kind] for kind, *_ in REGIONS]
    assert outputs_of(np.arange(N_REGIONS)).tolist() == want
