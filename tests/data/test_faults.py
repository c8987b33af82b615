"""Faults of the detector against what they do to a hand-made event, and to sums of momenta."""

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.config import faults
from l1met_fpga.config.training import TrainingFaultsConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.faults import with_fault, with_random_faults
from l1met_fpga.data.truth import GEN_HT, GEN_MET
from l1met_fpga.puppi.sums import event_sums

RNG = np.random.default_rng(0)
COLUMNS = {  # one event: photon, neutral hadron, electron, charged hadron, muon
    "pt": [40, 10, 20, 8, 4],
    "eta": [100, 500, 200, 300, -100],
    "phi": [40, -700, 80, 100, 719],
    "pid": [1, 0, 5, 2, 7],
    "puppi_weight": [128, 200, 256, 256, 256],
    "z0": [0, 0, 7, 505, -8],
}


def event() -> Examples:
    columns = {name: np.array(codes, np.int16) for name, codes in COLUMNS.items()}
    truth = {GEN_MET: np.array([[3.0, 4.0]]), GEN_HT: np.array([9.0])}
    return Examples.of(np.array([5]), columns, truth=truth)


@pytest.fixture(scope="module")
def events() -> Examples:
    made = random_candidates(np.random.default_rng(3), 3000)
    gen = np.random.default_rng(4).normal(0, 50, (3000, 2))
    ids = np.zeros((3000, 3), np.uint64)
    return Examples.from_padded(made, columns=tuple(made), truth={GEN_MET: gen}, ids=ids)


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        (faults.NeutralScale(factor=1.1), {"pt": [44, 11, 20, 8, 4]}),
        (faults.NeutralScale(factor=0.01), {n: c[2:] for n, c in COLUMNS.items()}),
        # 40 and 80 counts are 10 and 20 degrees; the electron keeps its track
        (
            faults.DeadCalorimeter(phi_deg=(5.0, 25.0)),
            {n: c[1:] for n, c in COLUMNS.items()} | {"pid": [0, 3, 2, 7]},
        ),
        (faults.DeadCalorimeter(eta=(0.5, 1.5), phi_deg=(5.0, 25.0)), {"pid": [1, 0, 3, 2, 7]}),
        (faults.DeadCalorimeter(eta=(2.0, 2.5), phi_deg=(170.0, 190.0)),
         {n: c[:1] + c[2:] for n, c in COLUMNS.items()}),
        (faults.DeadTracker(phi_deg=(-185.0, 20.5)), {n: c[:2] + c[3:4] for n, c in COLUMNS.items()}),
        (faults.Truncation(n_candidates=2), {n: c[:2] for n, c in COLUMNS.items()}),
        (faults.VertexShift(z0_cm=1.0), {"z0": [0, 0, 27, 511, 12]}),
        (faults.UnitWeights(), {"puppi_weight": [256] * 5}),
        (
            faults.Turned(angle_deg=1.0, mirrored=True),
            {"eta": [-100, -500, -200, -300, 100], "phi": [-36, 704, -76, -96, -715]},
        ),
        (
            faults.HotCell(pt_gev=30.0, eta=1.0, phi_deg=25.0),
            {
                name: [value, *COLUMNS[name]]
                for name, value in zip(
                    COLUMNS, (120, 229, 100, 1, 256, 0), strict=True
                )
            },
        ),
    ],
)  # fmt: skip
def test_a_hand_made_event(fault, changed):
    before = event()
    seen = with_fault(before, fault, np.random.default_rng(0))
    for name, codes in {**COLUMNS, **changed}.items():
        assert seen.columns[name].tolist() == codes, name
        assert seen.columns[name].dtype == np.int16
    assert seen.counts.tolist() == [len(seen.columns["pt"])]
    assert before.columns["pt"].tolist() == COLUMNS["pt"]  # nothing was written into


def test_turning_turns_the_truth_and_the_sums_alike(events):
    for fault in (faults.Turned(angle_deg=37.0), faults.Turned(angle_deg=10.0, mirrored=True)):
        seen = with_fault(events, fault, RNG)
        angle = np.deg2rad(fault.angle_deg)
        flip = np.diag([1.0, -1.0 if fault.mirrored else 1.0])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ flip
        np.testing.assert_allclose(seen.truth[GEN_MET], events.truth[GEN_MET] @ turn.T, atol=1e-9)
        was, now = (event_sums(e.columns, e.counts)["vector"] for e in (events, seen))
        np.testing.assert_allclose(now, was @ turn.T, atol=1e-6)
    assert with_fault(event(), fault, RNG).truth[GEN_HT].tolist() == [9.0]


def test_a_hot_cell_adds_its_momentum_to_events_with_room(events):
    cell = faults.HotCell(pt_gev=30.0, eta=1.0, phi_deg=25.0)
    seen = with_fault(events, cell, RNG)
    room = events.counts < 128
    assert room.any()
    assert not room.all()
    np.testing.assert_array_equal(seen.counts, np.minimum(events.counts + 1, 128))
    was, now = (event_sums(e.columns, e.counts)["vector"] for e in (events, seen))
    more = -30.0 * np.array([np.cos(np.deg2rad(25)), np.sin(np.deg2rad(25))])
    np.testing.assert_allclose((now - was)[room], np.tile(more, (room.sum(), 1)), atol=1e-9)


def test_a_masked_cell_costs_its_window_only(events):
    cell = faults.HotCell(pt_gev=30.0, eta=1.0, phi_deg=25.0, masked_within=0.1)
    seen = with_fault(events.first_rows(127), cell, RNG)
    away = np.abs(events.first_rows(127).columns["eta"] - 229.18) > 24  # 0.1 is 22.9 counts
    away |= np.abs(events.first_rows(127).columns["phi"] - 100) > 24
    near = np.abs(seen.columns["eta"] - 229.18) <= 22.5
    near &= np.abs(seen.columns["phi"] - 100) <= 22.5
    assert not near.any()
    assert away.sum() <= seen.n_rows < events.first_rows(127).n_rows


def test_fakes_are_few_random_and_seeded(events):
    fake = faults.FakeCandidate(particle="muon", pt_gev=500.0, share=0.05, max_abs_eta=1.0)
    first, again = (with_fault(events, fake, np.random.default_rng(7)) for _ in range(2))
    other = with_fault(events, fake, np.random.default_rng(8))
    for name, codes in first.columns.items():
        np.testing.assert_array_equal(again.columns[name], codes)
    hit = (first.columns["pt"] == 2000) & (first.columns["puppi_weight"] == 256)
    assert 100 < hit.sum() < 200  # 150 expected
    assert set(first.columns["pid"][hit]) == {6, 7}
    assert np.abs(first.columns["eta"][hit]).max() <= 229
    assert len(np.unique(first.columns["phi"][hit])) > 50
    assert not np.array_equal(first.row_splits, other.row_splits)


def test_random_faults_hit_the_share_that_is_asked_for(events):
    config = TrainingFaultsConfig(share=0.4, hot_cell_pt_gev=(2000.0, 3000.0))
    seen, again = (with_random_faults(events, config, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(seen.columns["phi"], again.columns["phi"])
    hot = np.zeros(len(events), bool)
    cells = seen.columns["pt"] >= 8000
    hot[seen.example_of_rows[cells]] = True
    assert 500 < hot.sum() == cells.sum() < 700  # 600 of 3,000 expected
    assert set(seen.columns["pid"][cells]) == {1}
    assert seen.columns["pt"][cells].max() <= 12000
    assert len(np.unique(seen.columns["phi"][cells])) > 200
    was, now = (
        np.bincount(e.example_of_rows[e.columns["pid"] <= 1], minlength=len(e))
        for e in (events, seen)
    )
    fewer = now < was
    assert 60 < (fewer & ~hot).sum() < 150  # most sectors of these events hold no neutral
    charged = [
        e.columns["phi"][(e.columns["pid"] > 1) & ~hot[e.example_of_rows]] for e in (events, seen)
    ]
    np.testing.assert_array_equal(*charged)  # tracks stay
    np.testing.assert_array_equal(seen.truth[GEN_MET], events.truth[GEN_MET])


def test_a_dead_sector_is_one_sector(events):
    seen = with_random_faults(events, TrainingFaultsConfig(share=1.0), np.random.default_rng(1))
    fewer = np.flatnonzero(seen.counts < events.counts)
    assert len(fewer) > 100
    for k in fewer[:50]:
        was, now = (
            {
                (int(eta), int(phi))
                for eta, phi, pid in zip(*(e.take(np.array([k])).columns[c] for c in ("eta", "phi", "pid")),
                                         strict=True)
                if pid <= 1
            }
            for e in (events, seen)
        )  # fmt: skip
        eta, phi = np.array(sorted(was - now)).T
        assert np.abs(eta).max() < 344
        assert eta.min() >= 0 or eta.max() <= 0
        gaps = np.diff(np.sort(phi % 1440), append=np.sort(phi % 1440)[0] + 1440)
        assert gaps.max() > 1440 - 160  # all of them lie within 160 counts, which are 40 degrees


def test_z0_that_nobody_reads_and_other_events(events):
    assert with_fault(events, faults.VertexShift(), RNG) is events
    with pytest.raises(ValueError, match="other events, not a change of these"):
        with_fault(events, faults.OtherSamples(stores={"pileup": "pu140.h5"}), RNG)
