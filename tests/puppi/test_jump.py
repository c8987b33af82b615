"""JUMP against a C++ program of ap_fixed types, and what it does and does not promise."""

import numpy as np
import pytest
from jet_lists import blocks, named_lists, random_jets
from jet_oracle import JetOracle

from l1met_fpga.puppi.emulator import emulate_puppi_met
from l1met_fpga.puppi.jet_resolution import cmssw_resolution
from l1met_fpga.puppi.jets import Jets, seeded_cone_jets
from l1met_fpga.puppi.jump import emulate_jump, jump_met_xy_gev, raised_met_xy_gev


def jets_of(pt: object, eta: object, phi: object) -> Jets:
    codes = (np.array([codes], np.int16) for codes in (pt, eta, phi))
    return Jets(*codes, np.zeros((1, 0), np.int8))


NONE = jets_of([0], [0], [0])


def differing(met_pt: np.ndarray, met_phi: np.ndarray, jets: Jets, oracle: JetOracle) -> int:
    met = np.stack([met_pt, met_phi], axis=-1)
    given = np.stack([jets.pt, jets.eta, jets.phi], axis=-1).reshape(len(met), -1)
    given = np.concatenate([met, given], axis=1).astype(np.int32)
    want = oracle.run("jump", jets.pt.shape[1], given=given).reshape(len(met), 4)
    found = emulate_jump(met_pt, met_phi, jets)
    got = np.stack([found.px, found.py, found.pt, found.phi], axis=-1)
    return int((got != want).sum())


def random_met(n_events: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    pt = np.minimum(rng.exponential(300, n_events), 16383).astype(np.int64)
    pt[rng.random(n_events) < 0.05] = 0
    phi = rng.integers(-720, 721, n_events)
    return pt, np.where(rng.random(n_events) < 0.1, 360 * rng.integers(-2, 3, n_events), phi)


@pytest.mark.parametrize("name", list(named_lists()))
def test_stress_lists_equal_compiled_ap_fixed(name, jet_oracle):
    lists = named_lists()[name]
    met = emulate_puppi_met(lists)
    assert differing(met.pt, met.phi, seeded_cone_jets(lists), jet_oracle) == 0


def test_random_jets_equal_compiled_ap_fixed(jet_oracle):
    rng = np.random.default_rng(1)
    assert differing(*random_met(5000, rng), random_jets(5000, rng), jet_oracle) == 0


@pytest.mark.slow
def test_100_000_lists_equal_compiled_ap_fixed(jet_oracle):
    wrong = 0
    for lists, rng in blocks(100_000):
        met, n_events = emulate_puppi_met(lists), len(lists["pt"])
        wrong += differing(met.pt, met.phi, seeded_cone_jets(lists), jet_oracle)
        wrong += differing(*random_met(n_events, rng), random_jets(n_events, rng), jet_oracle)
    assert wrong == 0


def test_hand_computed_jump():
    # a 100 GeV jet at eta 0: 100 * 74/1024 + 12.25 = 19.47 -> 19.25 GeV, along x
    jump = emulate_jump(np.array([200]), np.array([0]), jets_of([400], [0], [0]))
    x_gev, y_gev = jump.px[0] / 1024, jump.py[0] / 1024
    assert x_gev == pytest.approx(50 + 19.25, abs=0.01)
    # the sine of 0 is -5e-4 in the fit; the jet's y component of -0.01 GeV is lost in its square
    assert y_gev == pytest.approx(-0.026, abs=0.001)
    assert jump.pt[0] / 4 == 69.25


def test_behind_any_met_it_is_what_it_is_behind_puppi_met():
    lists = named_lists()["all equal"]
    met, jets = emulate_puppi_met(lists), seeded_cone_jets(lists)
    met_xy_gev = np.stack([met.px, met.py], axis=-1) / 1024
    expected = emulate_jump(met.pt, met.phi, jets).met_xy_gev
    np.testing.assert_array_equal(jump_met_xy_gev(met_xy_gev, jets), expected)


@pytest.mark.parametrize(
    ("eta", "sigma_gev"),
    [(0, 19.25), (297, 19.25), (-298, 30.5), (390, 23.5), (573, 21.5), (687, 21.5), (688, 0)],
)
def test_resolution_by_region_of_eta(eta, sigma_gev):
    jets = jets_of([400], [eta], [0])
    assert cmssw_resolution().pt(jets)[0, 0] / 4 == sigma_gev
    rise = emulate_jump(np.array([200]), np.array([0]), jets).pt[0] / 4 - 50
    assert rise == pytest.approx(sigma_gev if abs(eta) < 688 else 0, abs=0.25)


@pytest.mark.parametrize(("pt", "rises"), [(120, False), (121, True)])
def test_jets_above_30_gev_count(pt, rises):
    jump = emulate_jump(np.array([200]), np.array([45]), jets_of([pt], [0], [45]))
    assert (jump.pt[0] > 210) == rises


def test_a_component_of_zero_becomes_negative():
    jump = emulate_jump(np.array([0]), np.array([0]), jets_of([400], [0], [180]))
    assert jump.px[0] < -13 * 1024
    assert jump.py[0] < -13 * 1024


def test_met_is_lowered_by_rounding_only():
    rng = np.random.default_rng(2)
    pt, phi = random_met(5000, rng)
    pt = np.minimum(pt, 4000)  # beyond, the sum may wrap
    jets = random_jets(5000, rng)
    jets = jets.with_pt(np.minimum(jets.pt, 1000))
    fall = pt - emulate_jump(pt, phi, jets).pt
    assert fall.max() <= 0.001 * 4000
    assert fall[pt < 1000].max() <= 2


def test_without_jets_met_stays_up_to_rounding():
    pt, phi = random_met(3000, np.random.default_rng(3))
    pt = np.minimum(pt, 4000)
    jump = emulate_jump(pt, phi, NONE)
    assert np.abs(jump.pt - pt).max() <= 0.001 * 4000 + 1


def test_rule_per_axis_does_not_turn_with_the_event():
    """50 GeV of MET and a jet across it: one and the same event, turned."""
    turned = {}
    for turn in range(-720, 361, 180):
        jets = jets_of([400], [0], [turn + 360])
        jump = emulate_jump(np.array([200]), np.array([turn]), jets)
        turned[turn] = jump.pt[0] / 4 - 50, (jump.phi[0] - turn + 720) % 1440 - 720
    for turn, (rise_gev, by_counts) in turned.items():
        if turn % 360:  # between the axes both components rise by the same
            assert rise_gev == pytest.approx(19.25, abs=0.5)
            assert abs(by_counts) <= 1
        else:  # along an axis the resolution is in the other component, and MET turns
            assert rise_gev == pytest.approx(np.hypot(50, 19.25) - 50, abs=0.5)
            assert abs(by_counts) == pytest.approx(np.arctan2(19.25, 50) * 720 / np.pi, abs=2)


def test_symmetric_form_turns_with_the_event():
    rng = np.random.default_rng(4)
    jets = random_jets(500, rng)
    met = rng.normal(0, 60, (500, 2))
    turn = 2 * np.pi / 1440 * 100
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned_jets = Jets(jets.pt, jets.eta, jets.phi + np.int16(100), jets.owner)
    got = raised_met_xy_gev(met @ rotation, turned_jets, strength=0.7)
    np.testing.assert_allclose(
        got, raised_met_xy_gev(met, jets, strength=0.7) @ rotation, atol=1e-9
    )


def test_symmetric_form_by_hand():
    jets = jets_of([400, 400], [0, 0], [360, 0])
    met = np.array([[0.0, 50.0]])
    np.testing.assert_allclose(raised_met_xy_gev(met, jets), [[0, 69.25]], atol=1e-9)
    np.testing.assert_allclose(raised_met_xy_gev(met, jets, strength=-3), [[0, 0]], atol=1e-9)
    np.testing.assert_allclose(raised_met_xy_gev(0 * met, jets), [[0, 0]], atol=1e-9)
