"""Jets of simulated crossings: flavour, leptons, impact parameter, and the way to a store."""

from types import SimpleNamespace

import numpy as np
import pytest
import uproot
from require import require_module
from simulation_events import collision, tracks_from

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.store import Store
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD
from l1met_fpga.simulation.crossings import Crossings
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.event import COLUMN_NAMES, _write_dxy
from l1met_fpga.simulation.gen_jets import gen_jets
from l1met_fpga.simulation.jet_ntuple import found_jets, write_jets
from l1met_fpga.simulation.objects import Kind, Objects, _objects, _Record
from l1met_fpga.simulation.particles import ParticleEvents, Species

PION = Species.CHARGED_HADRON


def objects(*rows):
    """Objects of one collision from (pt, eta, phi, kind, pdg)."""
    table = np.array(rows, float).reshape(-1, 5).T
    return Objects(
        np.array([0, len(rows)]),
        *(column.astype(np.float32) for column in table[:3]),
        *(column.astype(np.int8) for column in table[3:]),
    )


def with_objects(events, found):
    return ParticleEvents(**{n: getattr(events, n) for n in events.__slots__} | {"objects": found})


def test_ghosts_give_jets_their_flavour_and_change_nothing():
    require_module("pythia8mc", extra="simulation")
    bare = collision(
        *((pt, eta, 0.0, PION, 1) for pt, eta in ((50, 0), (20, 0.1), (30, 2), (9, -2)))
    )
    inside = objects(
        (60, 0.05, 0, Kind.HADRON, 5), (50, 0.3, 0.1, Kind.HADRON, 4), (9, 0.0, 0, Kind.PARTON, -5),
        (80, 0.0, 0.1, Kind.PARTON, 21), (25, 2.0, 0, Kind.PARTON, -2), (30, 2.1, 0, Kind.PARTON, 21),
        (40, -0.9, 0, Kind.HADRON, 5), (5, 0, 0, Kind.LEPTON, 11),
    )  # fmt: skip
    found, plain = gen_jets(with_objects(bare, inside)), gen_jets(bare)
    np.testing.assert_allclose(found.pt_gev, plain.pt_gev, rtol=1e-12)
    order = np.argsort(-found.pt_gev)
    np.testing.assert_allclose(found.pt_gev[order], [70, 30, 9], atol=0.1)
    assert found.hadron_flavour[order].tolist() == [5, 0, 0]
    assert found.parton_flavour[order].tolist() == [-5, 21, 0]
    assert plain.hadron_flavour.tolist() == plain.parton_flavour.tolist() == [0, 0, 0]


def record(*particles):
    """A record of Pythia: (pdg, status, mother, first, last daughter, px); 0 is the system."""
    rows = np.array([(90, -11, 0, 0, 0, 0.0), *particles])
    names = ("id", "status", "mother1", "daughter1", "daughter2")
    columns = {name: rows[:, k].astype(int) for k, name in enumerate(names)}
    momentum = {"px": rows[:, 5], "py": 0 * rows[:, 5], "pz": 0 * rows[:, 5]}

    class Branch(dict):
        def __getitem__(self, key):
            return SimpleNamespace(to_numpy=lambda: self.get(key))

    about = {k: SimpleNamespace(to_numpy=lambda v=v: v) for k, v in columns.items()}
    return _Record(SimpleNamespace(**about, p=Branch(momentum)))


def test_objects_of_a_record_by_hand():
    found = list(
        _objects(
            record(
                (24, -22, 0, 2, 3, 80.0),  # 1: W
                (-15, -23, 1, 4, 4, 40.0),  # 2: tau, with a copy
                (16, 23, 1, 0, 0, 40.0),  # 3
                (-15, -51, 2, 5, 7, 40.0),  # 4: decays to pi+ pi0 and a neutrino
                (211, 91, 4, 0, 0, 20.0),
                (111, -91, 4, 0, 0, 8.0),
                (-16, 91, 4, 0, 0, 12.0),
                (5, -71, 0, 0, 0, 50.0),  # 8: parton before hadrons
                (513, -83, 0, 10, 11, 45.0),  # 9: B*, decays to a B
                (511, -91, 9, 12, 13, 44.0),  # 10
                (22, 91, 9, 0, 0, 1.0),
                (-411, -91, 10, 14, 15, 30.0),  # 12: D of the B
                (-13, 91, 10, 0, 0, 10.0),  # 13: not prompt
                (321, 91, 12, 0, 0, 20.0),
                (11, 91, 12, 0, 0, 10.0),
                (13, 1, 1, 0, 0, 33.0),  # 16: of the W
                (21, -71, 0, 0, 0, 0.5),  # too soft
            )
        )
    )
    seen = {(kind, pdg, float(p[0])) for p, kind, pdg in found}
    assert seen == {
        (Kind.TAU, -15, 28.0), (Kind.PARTON, 5, 50.0), (Kind.HADRON, 5, 44.0),
        (Kind.HADRON, 4, 30.0), (Kind.LEPTON, 13, 33.0),
    }  # fmt: skip


def test_impact_parameters_are_measured_with_the_resolution_of_the_detector():
    impact = load_detector().impact._replace(d0_tail_fraction=0.0)
    n = 4000
    for pt, d0 in ((3.0, 0.0), (40.0, 0.0), (40.0, 0.5)):
        tracks = tracks_from([(pt, 0.0, 0.0, 0.0)] * n)._replace(d0_cm=np.full(n, d0))
        out = np.zeros((n, len(COLUMN_NAMES)), np.int16)
        _write_dxy(out, tracks, np.ones(n, bool), impact, np.random.default_rng(0))
        measured = (out[:, COLUMN_NAMES.index("dxy")] / 64.0) ** 2
        width = np.hypot(0.023, 0.19 / pt)
        expected = d0 or 0.6745 * width  # the median of |d| of a Gaussian
        assert np.median(measured) == pytest.approx(expected, rel=0.08)


def crossing(*candidates):
    """One crossing of candidates, all from the hard collision: columns up to dxy."""
    rows = np.array([(*one, 256) for one in candidates], np.int16)
    one = np.zeros(1)
    return Crossings(
        np.array([len(rows)]), {name: rows[:, k] for k, name in enumerate(COLUMN_NAMES)},
        np.zeros((1, 2)), one, one, one, one.astype(np.int32), one.astype(np.int32),
        np.array([7], np.uint64),
    )  # fmt: skip


def test_jets_come_through_the_ntuple_into_a_store(tmp_path):
    require_module("pythia8mc", extra="simulation")
    phi = 719
    seen = crossing(
        (160, 100, phi, 3, 256, 4, 1, 25),
        (80, 110, -715, 0, 200, 0, 0, 0),
        (100, -300, 0, 7, 256, -3, 1, 9),
    )
    at = (100 * ANGLE_LSB_RAD, phi * ANGLE_LSB_RAD)
    hard = with_objects(
        collision((80, *at, PION, 1), (30, -300 * ANGLE_LSB_RAD, 0, Species.MUON, -1)),
        objects((70, *at, Kind.HADRON, 5), (28, -300 * ANGLE_LSB_RAD, 0, Kind.LEPTON, -13)),
    )
    write_jets(tmp_path / "a.root", [found_jets(seen, hard)])
    config = ConvertConfig(format="jets", label="a")
    counts = convert([str(tmp_path / "a.root")], tmp_path / "a.h5", config)
    assert not any(counts.values())
    with Store.open(tmp_path / "a.h5") as store:
        found = store.examples(
            columns=store.columns, truths=store.truths, besides=store.jet_besides
        )
    assert [JET_CLASSES[int(k)] for k in found.truth["jet_class"]] == ["b", "muon"]
    np.testing.assert_allclose(found.truth["jet_pt_ratio"], [80 / 60, 28 / 25], rtol=1e-6)
    assert found.besides["jet_pt_gev"].tolist() == [60, 25]
    first = {name: codes[:2].tolist() for name, codes in found.columns.items()}
    axis = 103, 720  # 3.3 and 2 counts from the seed; 1/60 in the table is a little less
    assert first == {
        "pt": [160, 80], "eta": [axis[0] - 100, axis[0] - 110], "phi": [719 - axis[1], 725 - axis[1]],
        "pid": [3, 0], "puppi_weight": [256, 200], "z0": [4, 0], "dxy": [25, 0], "quality": [1, 0],
        "em_id": [0, 0],
    }  # fmt: skip


def test_compact_files_hold_the_jets_of_trainings(tmp_path):
    require_module("pythia8mc", extra="simulation")
    seen = crossing(
        (160, 0, 0, 3, 256, 4, 1, 25),
        (120, 300, 0, 1, 256, 0, 0, 0),
        (48, -300, 0, 2, 256, 0, 1, 0),
    )
    at = 300 * ANGLE_LSB_RAD
    hard = with_objects(
        collision((50.03, 0, 0, PION, 1), (14, -at, 0, PION, -1)),
        objects((40, 0, 0, Kind.HADRON, 4), (14, -at, 0, Kind.PARTON, 21)),
    )
    jets = found_jets(seen, hard)
    for compact in (False, True):
        write_jets(tmp_path / f"{compact}.root", [jets], compact=compact)
    whole, small = (
        uproot.open(tmp_path / f"{name}.root")["outnano/Jets"] for name in (False, True)
    )
    assert whole["jet_pt_phys"].array().tolist() == [40, 30, 12]  # no generated jet; too soft
    assert small["jet_pt_phys"].array().tolist() == [40]
    assert small["jet_genmatch_pt"].array().tolist() == [50]  # in sixteenths of a GeV
    assert small["jet_puppicand_isChargedHadronPlus"].array().tolist() == [[1]]
    # 5.02 GeV would be 5 in the file, which no reader takes into a training
    found = {name: np.repeat(values[:1], 2, axis=0) for name, values in jets.items()}
    found["jet_genmatch_pt"] = np.array([5.02, 5.05], np.float32)
    write_jets(tmp_path / "edge.root", [found], compact=True)
    edge = uproot.open(tmp_path / "edge.root")["outnano/Jets"]
    assert edge["jet_genmatch_pt"].array().tolist() == [5.0625]
