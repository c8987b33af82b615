"""Seeded-cone jets against a C++ program of ap_fixed types, real jets, and their own properties."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import uproot
from jet_lists import blocks, named_lists, random_lists
from jet_oracle import JetOracle

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES, Candidates
from l1met_fpga.puppi.jet_mass import jet_mass2
from l1met_fpga.puppi.jets import (
    MAX_JETS,
    RADIUS,
    WIDE_RADIUS,
    Jets,
    inverse_pt,
    seeded_cone_jets,
)
from l1met_fpga.puppi.stream import read_word_stream
from l1met_fpga.puppi.words import unpack

RADII = (RADIUS, WIDE_RADIUS)


def columns(**codes: object) -> dict[str, npt.NDArray[np.int16]]:
    return {name: np.array(code, np.int16) for name, code in codes.items()}


def differing(candidates: Candidates, radius: float, oracle: JetOracle) -> int:
    """Count the integers in which C++ differs.

    They are pt, eta, phi and mass squared of 16 jets and the owner of each candidate.
    """
    given = np.stack([candidates[name] for name in ("pt", "eta", "phi")], axis=-1)
    n_lists, n_slots = given.shape[:2]
    want = oracle.run("jets", n_slots, radius, given=given.astype(np.int32)).reshape(n_lists, -1)
    jets = seeded_cone_jets(candidates, radius)
    got = np.stack([jets.pt, jets.eta, jets.phi, jet_mass2(candidates, jets)], axis=-1)
    return int((np.concatenate([got.reshape(n_lists, -1), jets.owner], axis=1) != want).sum())


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("name", list(named_lists()))
def test_stress_lists_equal_compiled_ap_fixed(name, radius, jet_oracle):
    assert differing(named_lists()[name], radius, jet_oracle) == 0


@pytest.mark.parametrize("radius", RADII)
def test_random_lists_equal_compiled_ap_fixed(radius, jet_oracle):
    assert sum(differing(lists, radius, jet_oracle) for lists, _ in blocks(3000)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("radius", RADII)
def test_100_000_lists_equal_compiled_ap_fixed(radius, jet_oracle):
    assert sum(differing(lists, radius, jet_oracle) for lists, _ in blocks(100_000)) == 0


@pytest.mark.parametrize("radius", RADII)
def test_real_events_equal_compiled_ap_fixed(radius, jet_oracle, reference_data):
    events = real_events(reference_data)
    assert len(events["pt"]) == 100
    assert differing(events, radius, jet_oracle) == 0


def real_events(folder: Path) -> dict[str, npt.NDArray[np.int16]]:
    parts = [*read_word_stream(folder / "Puppi_w3p_PU200.dump")]
    padded = [unpack(part.padded(N_CANDIDATES)) for part in parts]
    return {n: np.concatenate([p[n] for p in padded]) for n in ("pt", "eta", "phi")}


def test_real_jets_have_the_pt_and_the_axis_that_we_give_them(reference_data):
    """Jets of the CMS emulator, made again from their candidates' places around the axis.

    The file has jet minus candidate in eta, candidate minus jet in phi, and up to 16 candidates.
    """
    with uproot.open(reference_data / "tagger_jets_bbbb.root") as file:
        raw = file["data"].arrays(["nn_inputs", "jet_pt_phys"], library="np")
    pt, deta, dphi = (raw["nn_inputs"][..., i].astype(np.int16) for i in (0, 3, 4))
    want_gev = raw["jet_pt_phys"]
    whole = ((pt > 0).sum(axis=1) < 16) | (pt.sum(axis=1) / 4 == want_gev)
    pt, deta, dphi, want_gev = pt[whole], deta[whole], dphi[whole], want_gev[whole]
    assert len(pt) == 3428
    gt_pt_gev = np.minimum(pt.sum(axis=1) / 4, 2048 - 1 / 32)
    np.testing.assert_array_equal(gt_pt_gev, want_gev)
    # Slot 0 is the seed; it is put in the origin.
    lists = {"pt": pt, "eta": deta[:, :1] - deta, "phi": dphi - dphi[:, :1]}
    jets = seeded_cone_jets({name: np.where(pt > 0, x, 0) for name, x in lists.items()})
    is_one = jets.n_jets == 1
    same_eta, same_phi = jets.eta[:, 0] == deta[:, 0], jets.phi[:, 0] == -dphi[:, 0]
    assert (is_one & same_eta).sum() == 3412
    assert (is_one & same_eta & same_phi).sum() == 3389
    # For the other 39 the dphi of the file are not those that the jet was made from: 16 have a
    # candidate outside the cone of the seed; eta is right in all others.
    assert (~is_one).sum() == 16


def test_hand_computed_jet():
    # seed 10 GeV at (100, 719); 5 GeV at 21 counts and over the half turn, 1 GeV below
    lists = columns(pt=[[20, 40, 4]], eta=[[121, 100, 93]], phi=[[-719, 719, 700]])
    jets = seeded_cone_jets(lists)
    # inverse of 16 GeV is exact: shifts (5*21 - 1*7) / 16 = 6.1 and (5*2 - 1*19) / 16 = -0.6
    assert (jets.pt[0, 0], jets.eta[0, 0], jets.phi[0, 0]) == (64, 106, 719)
    assert jets.owner.tolist() == [[0, 0, 0]]
    assert jets.n_jets.tolist() == [1]


def test_phi_may_leave_the_turn():
    jets = seeded_cone_jets(columns(pt=[[40, 24]], eta=[[0, 0]], phi=[[720, -680]]))
    assert jets.phi[0, 0] == 735


def test_of_equal_seeds_the_earlier_wins():
    lists = columns(pt=[[8, 9, 9]], eta=[[0, -500, 500]], phi=[[0, 0, 0]])
    assert seeded_cone_jets(lists).eta[0, :3].tolist() == [-500, 500, 0]


def test_cone_ends_below_8384_square_counts():
    # 91.56 counts: 91^2 + 10^2 = 8381 is inside, 88^2 + 26^2 = 8420 and 8384 = 80^2 + 1984 not
    lists = columns(pt=[[9, 1, 1]], eta=[[0, 91, 88]], phi=[[0, 10, 26]])
    assert seeded_cone_jets(lists).owner.tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("pt_gev", "inverse"), [(4, 0), (2, 0), (1, 0), (0.25, 0), (3, 0.083), (5, 0.2), (100, 0.01)]
)
def test_inverse_is_lost_for_soft_jets(pt_gev, inverse):
    assert inverse_pt()[int(4 * pt_gev)] / 2**20 == pytest.approx(inverse, abs=5e-4)


def test_inverse_is_good_to_a_part_in_250_elsewhere():
    pt = np.arange(17, 1 << 14)
    ratio = inverse_pt()[pt] / 2**20 * pt / 4
    assert ratio.max() <= 1.002
    assert ratio.min() > 0.995


def test_axis_of_4_gev_jet_is_its_seed():
    jets = seeded_cone_jets(columns(pt=[[9, 7]], eta=[[0, 50]], phi=[[0, 50]]))
    assert (jets.pt[0, 0], jets.eta[0, 0], jets.phi[0, 0]) == (16, 0, 0)


def test_trigger_sends_jets_in_falling_pt_and_keeps_the_order_of_equal_ones():
    lists = columns(pt=[[30, 20, 20, 50, 9]], eta=[[0, 500, 510, 900, -900]], phi=[[0, 0, 0, 0, 0]])
    found = seeded_cone_jets(lists)  # the axis: 10 GeV of table, 4.99 counts from the seed
    assert found.pt[0, :4].tolist() == [50, 30, 40, 9]
    sent = found.in_falling_pt()
    assert sent.pt[0, :5].tolist() == [50, 40, 30, 9, 0]
    assert sent.eta[0, :4].tolist() == [900, 504, 0, -900]
    assert sent.owner.tolist() == [[2, 1, 1, 0, 3]]


def test_order_is_that_of_std_sort(jet_oracle):
    """Of what the global trigger gets, which ends at 2048 GeV; equal jets keep their places."""
    rng = np.random.default_rng(0)
    pt = rng.integers(0, rng.choice([4, 40, 16384], (2000, 1)), (2000, MAX_JETS)).astype(np.int16)
    order = jet_oracle.run("order", MAX_JETS, given=pt.astype(np.int32)).reshape(pt.shape)
    place = np.tile(np.arange(MAX_JETS, dtype=np.int16), (2000, 1))
    sent = Jets(pt, place, place, np.full((2000, 3), -1, np.int8)).in_falling_pt()
    np.testing.assert_array_equal(sent.eta, order)
    np.testing.assert_array_equal(sent.pt, np.take_along_axis(pt, order, axis=1))
    assert (np.diff(sent.pt[sent.pt[:, 0] > 8200], axis=1) > 0).any()


def test_symmetries():
    lists = random_lists(300, np.random.default_rng(1))
    jets = seeded_cone_jets(lists)
    apart = seeded_cone_jets({n: np.insert(c, [3, 60, 60], 0, axis=1) for n, c in lists.items()})
    turned = seeded_cone_jets(
        lists | {"phi": np.where(lists["pt"] > 0, lists["phi"] - 1440 * (lists["phi"] == 720), 0)}
    )
    for name in ("pt", "eta"):
        np.testing.assert_array_equal(getattr(apart, name), getattr(jets, name))
        np.testing.assert_array_equal(getattr(turned, name), getattr(jets, name))
    assert ((turned.phi - jets.phi) % 1440 == 0).all()


def test_each_candidate_is_in_one_jet_and_pt_is_kept():
    lists = {n: c[:, :16] for n, c in random_lists(500, np.random.default_rng(2)).items()}
    jets = seeded_cone_jets(lists)
    assert ((jets.owner >= 0) == (lists["pt"] > 0)).all()
    for k in range(10):
        pt = np.where(jets.owner == k, lists["pt"], 0).sum(axis=1)
        np.testing.assert_array_equal(jets.pt[:, k], np.minimum(pt, (1 << 14) - 1))


def test_input_is_not_changed_and_blocks_do_not_matter():
    lists = random_lists(700, np.random.default_rng(3))
    before = {name: codes.copy() for name, codes in lists.items()}
    jets = seeded_cone_jets(lists)
    one = seeded_cone_jets({name: codes[600:601] for name, codes in lists.items()})
    np.testing.assert_array_equal(one.pt[0], jets.pt[600])
    for name, codes in before.items():
        np.testing.assert_array_equal(codes, lists[name])


def test_no_events_and_no_slots():
    for shape in ((0, 128), (3, 0)):
        jets = seeded_cone_jets({name: np.zeros(shape, np.int16) for name in ("pt", "eta", "phi")})
        assert jets.pt.shape == (shape[0], MAX_JETS)
        assert jets.owner.shape == shape


def test_codes_out_of_range_are_refused():
    lists = columns(pt=[[-1, 5]], eta=[[0, 0]], phi=[[0, 0]])
    with pytest.raises(DataError, match=r"^column pt of 1 candidates is outside its 14 bits, the "):
        seeded_cone_jets(lists)


def test_values_that_are_no_counts_are_refused():
    lists = columns(pt=[[5]], eta=[[0]], phi=[[0]])
    with pytest.raises(DataError, match=r"^column eta must hold integer counts, got float64$"):
        seeded_cone_jets(lists | {"eta": np.array([[0.3]])})


@pytest.mark.parametrize("radius", [0, 0.01, 9, float("nan")])
def test_cone_that_the_types_cannot_hold_is_refused(radius):
    lists = columns(pt=[[5]], eta=[[0]], phi=[[0]])
    with pytest.raises(ValueError, match=r"^the radius of a cone must be 0\.03 to 8, got "):
        seeded_cone_jets(lists, radius)


def test_the_block_of_the_docs_runs():
    page = Path(__file__).parents[2] / "docs/jets.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    here = {"candidates": random_lists(20, np.random.default_rng(0))}
    exec(block, here)
    assert here["inside"]["pt"].shape == (20, 16, 16)
    assert here["jump"].pt.shape == here["sums"].ht.shape == (20,)
