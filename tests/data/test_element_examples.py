"""Elements with their neighbours: what a network sees of them does not depend on the rest of the event."""

import numpy as np
import pytest

from l1met_fpga.data.element_examples import element_examples
from l1met_fpga.data.element_kinds import MAX_NEIGHBOURS, RADIUS, ElementKind, ParticleClass
from l1met_fpga.data.flow_event import FlowEvent
from l1met_fpga.data.truth_matching import match
from l1met_fpga.puppi.columns import COLUMNS, ParticleId


def event(n, seed=0, max_eta=2.0):
    """An event of random elements without particles or candidates."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    is_track = kind == ElementKind.TRACK
    looks = np.where(kind == ElementKind.ECAL, ParticleClass.PHOTON, ParticleClass.NEUTRAL_HADRON)
    return FlowEvent(
        1,
        {
            "pt": rng.exponential(3, n) + 0.2,
            "eta": rng.uniform(-max_eta, max_eta, n),
            "phi": rng.uniform(-np.pi, np.pi, n),
            "kind": kind,
            "charge": np.where(is_track, rng.choice([-1, 1], n), 0),
            "emShare": np.where(is_track, 0, rng.random(n)),
            "looks": np.where(is_track, rng.choice([1, 4, 5], n), looks),
        },
        {}, {}, {name: np.zeros(0, int) for name in ("pt", "class", "element")}, np.zeros(2),
    )  # fmt: skip


def examples(one):
    nothing = np.zeros(0, int)
    truth = match(
        one.elements["kind"], particle_pt_gev=np.zeros(0), particle_class=nothing, is_hard=nothing,
        link_element=nothing, link_particle=nothing, link_gev=np.zeros(0),
    )  # fmt: skip
    return element_examples(one, truth)


def part_of(one, chosen):
    elements = {name: values[chosen] for name, values in one.elements.items()}
    return FlowEvent(1, elements, {}, {}, one.candidates, one.gen_met_xy_gev)


@pytest.mark.parametrize("n", [200, 3000])
def test_a_region_with_its_border_gives_what_the_whole_event_gives(n):
    whole = event(n)
    eta, phi = whole.elements["eta"], whole.elements["phi"]
    inside = (np.abs(eta) < 0.8) & (np.abs(phi) < 0.7)
    seen = (np.abs(eta) < 0.8 + RADIUS) & (np.abs(phi) < 0.7 + RADIUS)
    of_whole = examples(whole).take(np.flatnonzero(inside))
    of_part = examples(part_of(whole, seen)).take(np.flatnonzero(inside[seen]))
    np.testing.assert_array_equal(of_part.counts, of_whole.counts)
    for name, values in of_whole.columns.items():
        np.testing.assert_array_equal(of_part.columns[name], values, err_msg=name)
    assert of_whole.counts.max() <= MAX_NEIGHBOURS
    assert len(of_whole) > 10


def test_columns_are_those_that_a_word_has_room_for():
    found = examples(event(2000, seed=1, max_eta=5.0)).columns
    for name, values in found.items():
        assert COLUMNS[name].low <= values.min() <= values.max() <= COLUMNS[name].high
    is_track = found["pid"] >= ParticleId.HADRON_MINUS
    assert not found["em_id"][is_track].any()
    assert not found["dxy"][~is_track].any()
    assert (found["puppi_weight"][is_track] == COLUMNS["puppi_weight"].high).all()


def test_an_element_alone_sees_itself_only():
    found = examples(part_of(event(5), [2]))
    assert found.counts.tolist() == [1]
    assert [found.columns[name].tolist() for name in ("eta", "phi")] == [[0], [0]]
    assert len(examples(part_of(event(5), []))) == 0
