"""Candidates of each jet against a plain loop, and the rows that a network would read."""

import numpy as np
import pytest
from jet_lists import named_lists, random_lists

from l1met_fpga.data.examples import Examples
from l1met_fpga.puppi.jet_constituents import constituent_slots, constituents
from l1met_fpga.puppi.jets import seeded_cone_jets


def by_loop(owner, pt, jet, n_slots):
    slots = [slot for slot in range(len(owner)) if owner[slot] == jet]
    slots.sort(key=lambda slot: -int(pt[slot]))  # sort() keeps the order of equal ones
    return (slots + n_slots * [-1])[:n_slots]


@pytest.mark.parametrize("name", ["random", *named_lists()])
def test_slots_are_those_of_a_plain_loop(name):
    lists = named_lists().get(name) or random_lists(60, np.random.default_rng(0))
    lists = {column: codes[:60] for column, codes in lists.items()}
    jets = seeded_cone_jets(lists).in_falling_pt()
    slots = constituent_slots(jets, lists["pt"], n_slots=16)
    for event in range(len(slots)):
        for jet in range(16):
            want = by_loop(jets.owner[event], lists["pt"][event], jet, 16)
            assert slots[event, jet].tolist() == want


def test_columns_follow_the_slots_and_pt_adds_up():
    lists = random_lists(300, np.random.default_rng(1))
    jets = seeded_cone_jets(lists)
    inside = constituents(lists, jets, n_slots=128)
    assert set(inside) == set(lists)
    total = inside["pt"].astype(np.int64).sum(axis=-1)
    np.testing.assert_array_equal(np.minimum(total, 16383), jets.pt)
    assert (np.diff(inside["pt"].astype(np.int64), axis=-1) <= 0).all()
    assert (inside["eta"][inside["pt"] == 0] == 0).all()


def test_jets_become_examples():
    lists = random_lists(50, np.random.default_rng(2))
    jets = seeded_cone_jets(lists).in_falling_pt()
    is_jet = jets.pt > 40
    rows = {name: codes[is_jet] for name, codes in constituents(lists, jets).items()}
    examples = Examples.from_padded(
        rows, columns=tuple(rows), truth={}, ids=np.zeros((int(is_jet.sum()), 3), np.uint64)
    )
    assert len(examples) == is_jet.sum()
    assert examples.counts.max() <= 16
    np.testing.assert_array_equal(examples.padded(16)["pt"], rows["pt"])


def test_events_without_slots():
    lists = {name: np.zeros((3, 0), np.int16) for name in ("pt", "eta", "phi")}
    jets = seeded_cone_jets(lists)
    assert (constituents(lists, jets)["pt"] == 0).all()
    assert (constituent_slots(jets, lists["pt"]) == -1).all()
