"""HT and MHT against a C++ program of ap_fixed types, and their own properties."""

import numpy as np
import pytest
from jet_lists import blocks, named_lists, random_jets
from jet_oracle import JetOracle

from l1met_fpga.puppi import gt_word
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.puppi.jets import Jets, seeded_cone_jets


def jets_of(pt: object, eta: object, phi: object) -> Jets:
    codes = (np.array([codes], np.int16) for codes in (pt, eta, phi))
    return Jets(*codes, np.zeros((1, 0), np.int8))


def differing(jets: Jets, oracle: JetOracle) -> int:
    given = np.stack([jets.pt, jets.eta, jets.phi], axis=-1).astype(np.int32)
    want = oracle.run("sums", given.shape[1], given=given).reshape(len(given), 5)
    found = emulate_ht_mht(jets)
    got = np.stack([found.ht, found.px, found.py, found.mht, found.phi], axis=-1)
    return int((got != want).sum())


def test_every_direction_equals_compiled_ap_fixed(jet_oracle):
    phi = np.tile(np.arange(-1022, 1024, dtype=np.int16), 3)[:, None]
    pt = np.repeat(np.array([121, 4001, 16383], np.int16), 2046)[:, None]
    jets = Jets(pt, np.zeros_like(pt), phi, np.zeros((len(pt), 0), np.int8))
    assert differing(jets, jet_oracle) == 0


@pytest.mark.parametrize("name", list(named_lists()))
def test_jets_of_stress_lists_equal_compiled_ap_fixed(name, jet_oracle):
    jets = seeded_cone_jets(named_lists()[name])
    # the original reads outside its table at the two lowest codes, which no candidate has
    jets = jets.with_pt(np.where(jets.phi < -1022, 0, jets.pt))
    assert differing(jets, jet_oracle) == 0


def test_random_jets_equal_compiled_ap_fixed(jet_oracle):
    assert differing(random_jets(5000, np.random.default_rng(1)), jet_oracle) == 0


@pytest.mark.slow
def test_100_000_lists_equal_compiled_ap_fixed(jet_oracle):
    wrong = 0
    for lists, rng in blocks(100_000):
        wrong += differing(seeded_cone_jets(lists), jet_oracle)
        wrong += differing(random_jets(len(lists["pt"]), rng), jet_oracle)
    assert wrong == 0


def test_hand_computed_sums():
    # 100 GeV at 90 degrees and 50 GeV at 180: the table's cosines are -1/128 and -128/128
    sums = emulate_ht_mht(jets_of([400, 200], [0, 550], [360, 720]))
    assert sums.ht[0] / 4 == 150
    # -100/128 -> -0.875 and -50; 100 and 50 * sin(pi in single precision) -> -0.39 -> -0.5
    assert (sums.px[0] / 8, sums.py[0] / 8) == (-50.875, 99.5)
    assert sums.mht[0] / 4 == 111.75
    assert sums.phi[0] == 468  # 117.08 degrees


def test_direction_is_that_of_the_jets_and_not_against_them():
    assert emulate_ht_mht(jets_of([400], [0], [90])).phi[0] == pytest.approx(90, abs=2)


def test_a_negative_phi_is_cut_to_the_next_larger_angle():
    up, down = (emulate_ht_mht(jets_of([4000], [0], [phi])) for phi in (1, -1))
    assert up.py[0] == 0
    assert down.py[0] / 8 == -1000 / 128 // 0.125 * 0.125


@pytest.mark.parametrize(("pt", "eta", "counts"), [(120, 0, 0), (121, 550, 1), (121, -551, 0)])
def test_jets_above_30_gev_within_2_4_count(pt, eta, counts):
    assert emulate_ht_mht(jets_of([pt], [eta], [0])).ht[0] == counts * pt


def test_ht_saturates_and_components_wrap():
    sums = emulate_ht_mht(jets_of([16383, 16383], [0, 0], [0, 0]))
    assert sums.ht[0] == 16383
    assert sums.px[0] / 8 == pytest.approx(2 * 4095.75 - 8192, abs=0.2)


def test_global_trigger_word_holds_both():
    sums = emulate_ht_mht(jets_of([400, 200], [0, 550], [360, 720]))
    word = gt_word.unpack(sums.gt_words)
    assert (word.scalar_pt[0] / 32, word.vector_pt[0] / 32) == (150, 111.75)
    none = emulate_ht_mht(jets_of([0], [0], [0]))
    assert none.gt_words.tolist() == [0]
