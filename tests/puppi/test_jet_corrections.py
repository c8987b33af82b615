"""Jet corrections: the integer table against C++, and what is derived from jets of known response."""

import re

import numpy as np
import pytest
import uproot
from jet_lists import blocks, random_jets
from jet_oracle import JetOracle

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.jet_corrections import END_ETA, NODES, JetCorrections, derive
from l1met_fpga.puppi.jets import Jets, seeded_cone_jets


def random_table(rng: np.random.Generator, n_borders: int = 6) -> JetCorrections:
    borders = np.sort(rng.choice(np.arange(1, 1200), n_borders, replace=False))
    scale = rng.uniform(0.3, 3, (n_borders + 1, 1)) * rng.uniform(0.9, 1.1, NODES.size)
    pt = np.maximum.accumulate(np.minimum(NODES * scale, 16384).astype(np.int64), axis=1)
    return JetCorrections(tuple(int(border) for border in borders), pt)


def one_by_one(jets: Jets) -> Jets:
    """Each jet as an event of its own, so that the order does not change."""
    columns = (codes.reshape(-1, 1) for codes in (jets.pt, jets.eta, jets.phi))
    return Jets(*columns, np.zeros((jets.pt.size, 0), np.int8))


def differing(table: JetCorrections, jets: Jets, oracle: JetOracle) -> int:
    jets = one_by_one(jets)
    given = np.concatenate(
        [
            [len(table.end_eta), *table.end_eta],
            table.pt.ravel(),
            np.stack([jets.pt, jets.eta], axis=-1).ravel(),
        ]
    ).astype(np.int32)
    return int((table.corrected(jets).pt[:, 0] != oracle.run("correct", given=given)).sum())


def test_every_pt_equals_compiled_ap_fixed(jet_oracle):
    pt = np.arange(1 << 14, dtype=np.int16)[:, None]
    jets = Jets(pt, (pt % 2401 - 1200).astype(np.int16), 0 * pt, np.zeros((len(pt), 0), np.int8))
    for seed in range(5):
        assert differing(random_table(np.random.default_rng(seed)), jets, jet_oracle) == 0


@pytest.mark.slow
def test_100_000_lists_equal_compiled_ap_fixed(jet_oracle):
    wrong = 0
    for lists, rng in blocks(100_000):
        wrong += differing(random_table(rng), seeded_cone_jets(lists), jet_oracle)
        wrong += differing(random_table(rng), random_jets(1000, rng), jet_oracle)
    assert wrong == 0


def test_nodes_are_four_in_each_doubling():
    assert NODES[:14].tolist() == [0, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32]
    assert NODES[-2:].tolist() == [14336, 16384]


def test_no_corrections_change_nothing_but_the_order():
    jets = random_jets(200, np.random.default_rng(0))
    same = JetCorrections.none().corrected(jets)
    want = jets.in_falling_pt()
    for name in ("pt", "eta", "phi"):
        np.testing.assert_array_equal(getattr(same, name), getattr(want, name))


def test_hand_computed_correction_between_nodes():
    pt = np.stack([NODES, 2 * NODES]).clip(max=16384)
    table = JetCorrections((500,), pt)
    jets = Jets(
        *(np.array([codes], np.int16) for codes in ([101, 101, 0], [499, 500, 0], [1, 2, 0])),
        np.array([[0, 1, 1, -1]], np.int8),
    )
    got = table.corrected(jets)
    assert got.pt.tolist() == [[202, 101, 0]]
    assert got.phi.tolist() == [[2, 1, 0]]
    assert got.owner.tolist() == [[1, 0, 0, -1]]


def test_a_jet_stays_a_jet():
    table = JetCorrections((), np.zeros((1, NODES.size), np.int64))
    assert (table.corrected(random_jets(50, np.random.default_rng(0))).pt <= 1).all()
    jets = random_jets(50, np.random.default_rng(0))
    np.testing.assert_array_equal(table.corrected(jets).n_jets, jets.n_jets)


def made_jets(rng: np.random.Generator, n_jets: int = 200_000):
    """Jets whose generated pt is known: raw = response(pt, eta) * generated, smeared by 10 %."""
    gen_pt_gev = 10 ** rng.uniform(1, 2.8, n_jets)
    eta = rng.integers(-1000, 1001, n_jets)
    response = (0.6 + 0.12 * np.log10(gen_pt_gev)) * np.where(np.abs(eta) < 344, 1, 0.8)
    raw = gen_pt_gev * response * rng.lognormal(0, 0.1, n_jets) * 4
    return np.maximum(raw, 1).astype(np.int64), eta, gen_pt_gev


def test_derived_corrections_close_on_other_jets():
    rng = np.random.default_rng(1)
    table = derive(*made_jets(rng))
    pt, eta, gen_pt_gev = made_jets(rng)
    jets = Jets(*(x.astype(np.int16)[:, None] for x in (pt, eta, eta)), np.zeros((len(pt), 0)))
    corrected_gev = table.corrected(jets).pt[:, 0] / 4
    for low, high in ((20, 40), (40, 80), (80, 160), (160, 300)):
        for inner in (True, False):
            here = (pt / 4 > low) & (pt / 4 < high) & ((np.abs(eta) < 344) == inner)
            ratio = np.median(gen_pt_gev[here] / corrected_gev[here])
            assert ratio == pytest.approx(1, abs=0.01)


def test_derived_table_rises_and_stops_at_four_times_raw():
    rng = np.random.default_rng(2)
    pt = rng.integers(8, 4000, 20_000)
    table = derive(pt, 0 * pt, 5 * pt / 4, end_eta=())
    assert (np.diff(table.pt) >= 0).all()
    assert (table.pt <= 4 * NODES).all()
    noisy = derive(pt, 0 * pt, pt / 4 * rng.choice([0.3, 1, 3], pt.size), end_eta=(), min_jets=50)
    assert (np.diff(noisy.pt) >= 0).all()


def test_few_jets_are_joined():
    pt = np.array([100] * 30 + [1000] * 20)
    table = derive(pt, 0 * pt, pt / 4 * 1.5, end_eta=())
    np.testing.assert_array_equal(table.pt[0, :-1], np.minimum(np.rint(1.5 * NODES[:-1]), 16384))


def test_real_jets_are_brought_to_their_generated_pt(reference_data):
    with uproot.open(reference_data / "tagger_jets_bbbb.root") as file:
        raw = file["data"].arrays(["jet_pt_phys", "jet_genmatch_pt"], library="np")
    pt, gen = (raw[name].astype(np.float64) for name in ("jet_pt_phys", "jet_genmatch_pt"))
    known = gen > 5
    pt, gen = np.rint(pt[known] * 4).astype(np.int64), gen[known]
    half = np.arange(pt.size) % 2 == 0
    table = derive(pt[half], 0 * pt[half], gen[half], end_eta=())
    jets = Jets(
        pt[~half].clip(max=16383).astype(np.int16)[:, None],
        np.zeros((int((~half).sum()), 1), np.int16),
        np.zeros((int((~half).sum()), 1), np.int16),
        np.zeros((int((~half).sum()), 0), np.int8),
    )
    before = np.median(gen[~half] / (pt[~half] / 4))
    after = np.median(gen[~half] / (table.corrected(jets).pt[:, 0] / 4))
    assert len(jets.pt) == 1813
    assert (round(before, 2), round(after, 2)) == (1.19, 0.99)


def test_table_comes_back_from_its_file(tmp_path):
    table = random_table(np.random.default_rng(3))
    table.save(tmp_path / "jec.json")
    again = JetCorrections.load(tmp_path / "jec.json")
    assert again.end_eta == table.end_eta
    np.testing.assert_array_equal(again.pt, table.pt)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "it is not JSON"),
        ('{"schema": 7}', "jet corrections have schema 1, got 7; derive the corrections again"),
        ('{"schema": 1}', "no jet corrections (KeyError('end_eta'))"),
        ('{"schema": 1, "end_eta": [3, 2], "pt": []}', "must increase from 0, got (3, 2)"),
        ('{"schema": 1, "end_eta": [], "pt": [[1, 2]]}', "1 regions at 50 nodes, got shape (1, 2)"),
    ],
)
def test_damaged_file_is_refused(tmp_path, text, says):
    (tmp_path / "jec.json").write_text(text)
    with pytest.raises(DataError, match=re.escape(says)):
        JetCorrections.load(tmp_path / "jec.json")


def test_falling_table_is_refused():
    pt = NODES[None, :].copy()
    pt[0, 7] = 0
    with pytest.raises(DataError, match=r"^corrected pt must not fall with raw pt and must lie in"):
        JetCorrections((), pt)


def test_jets_without_partner_and_empty_regions_are_refused():
    pt = np.full(100, 200)
    with pytest.raises(DataError, match=r"need a raw and a generated pt above 0$"):
        derive(pt, 0 * pt, np.where(pt > 0, np.nan, 1), end_eta=())
    with pytest.raises(DataError, match=r"^region 1 of \|eta\| \(ends: \(115, 229, .* has 0 jets"):
        derive(pt, 0 * pt, pt / 4, end_eta=END_ETA)
