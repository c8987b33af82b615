"""Elements of simulated crossings: links, particles, candidates, and the way to a store."""

import numpy as np
import pytest
import uproot
from simulation_events import collision, perfect_detector, random_collisions

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.element_kinds import MAX_NEIGHBOURS, ElementKind, ParticleClass
from l1met_fpga.data.inspect import inspect_file
from l1met_fpga.data.layout import ELEMENT_PT_GEV, RULE_CLASS, RULE_PT_GEV
from l1met_fpga.data.read_elements import TREE, flow_events, matched
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import ELEMENT_CLASS, ELEMENT_PT
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import PT_LSB_GEV
from l1met_fpga.simulation.calorimeter import TOWER, ring_means
from l1met_fpga.simulation.crossings import simulate_crossings
from l1met_fpga.simulation.deposits import make_lists
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.flow_ntuple import simulate_elements, write_elements
from l1met_fpga.simulation.particles import ParticleEvents, Species
from l1met_fpga.simulation.pool import Pool, empty_pool

HADRON, PHOTON, NEUTRAL, MUON = (
    Species.CHARGED_HADRON, Species.PHOTON, Species.NEUTRAL_HADRON, Species.MUON,
)  # fmt: skip


def centre(n):
    """Middle of a tower, so that no energy is shared."""
    return (n + 0.5) * TOWER


@pytest.fixture(scope="module")
def separate(tmp_path_factory):
    """One particle of each kind, far from the others, and one that no element holds anything of."""
    hard = collision(
        (20, centre(0), centre(0), HADRON, 1),
        (10, centre(6), centre(6), PHOTON, 0),
        (15, centre(-6), centre(12), NEUTRAL, 0),
        (30, centre(12), centre(-12), MUON, -1),
        (25, centre(40), centre(3), NEUTRAL, 0),
        (8, 5.2, 1.0, NEUTRAL, 0),
        gen_met=(3.0, 4.0),
    )
    detector = perfect_detector()
    path = tmp_path_factory.mktemp("elements") / "separate.root"
    write_elements(path, [simulate_elements(hard, empty_pool(detector), detector, seed=(1,))])
    return next(flow_events(str(path))), path


def test_each_particle_has_its_element(separate):
    event, _ = separate
    truth = matched(event)
    kinds = event.elements["kind"][truth.element]
    assert len(event.particles["pt"]) == 5  # that beyond the calorimeter is not asked for
    assert kinds.tolist() == [
        ElementKind.TRACK, ElementKind.ECAL, ElementKind.HCAL, ElementKind.TRACK, ElementKind.HF,
    ]  # fmt: skip
    np.testing.assert_allclose(truth.pt_gev[truth.element], [20, 10, 15, 30, 25], rtol=1e-5)
    classes = ["CHARGED_HADRON", "PHOTON", "NEUTRAL_HADRON", "MUON", "NEUTRAL_HADRON"]
    assert truth.particle_class[truth.element].tolist() == [ParticleClass[c] for c in classes]
    assert event.gen_met_xy_gev == pytest.approx([3, 4], rel=1e-6)


def test_the_charged_hadron_s_clusters_belong_to_none(separate):
    event, _ = separate
    truth = matched(event)
    rest = np.setdiff1d(np.arange(len(truth.pt_gev)), truth.element)
    assert len(rest) == 2  # the hadron's, and the combined one around the photon's
    assert (truth.particle_class[rest] == ParticleClass.NONE).all()


def test_rules_give_separate_particles_back(separate):
    event, path = separate
    rules = event.candidates
    order = np.argsort(-rules["pt"])
    np.testing.assert_allclose(rules["pt"][order], [30, 25, 20, 15, 10], rtol=1e-5)
    np.testing.assert_allclose(rules["pt"], event.elements["pt"][rules["element"]], rtol=1e-5)
    store = path.with_name("separate.h5")
    counts = convert([str(path)], store, ConvertConfig(label="separate", format="elements"))
    assert counts["particles"] == 5
    assert counts["particles_without_element"] == 0
    assert not [
        one for one in inspect_file(str(store)).problems if "changed" in one or "default" in one
    ]
    with Store.open(store) as held:
        held.require_rows("element")
        with pytest.raises(DataError, match="one entry is one element, this task needs one event"):
            held.require_rows("event")
        n = held.n_events
        found = held.examples(
            np.arange(n), ("pt", "eta", "phi", "pid"), truths=(ELEMENT_CLASS, ELEMENT_PT),
            besides=(ELEMENT_PT_GEV, RULE_CLASS, RULE_PT_GEV),
        )  # fmt: skip
    np.testing.assert_array_equal(found.truth[ELEMENT_CLASS], found.besides[RULE_CLASS])
    pt = found.besides[ELEMENT_PT_GEV]
    np.testing.assert_allclose(found.truth[ELEMENT_PT] * pt, found.besides[RULE_PT_GEV], rtol=1e-5)
    first = found.row_splits[:-1]
    np.testing.assert_allclose(found.columns["pt"][first] * PT_LSB_GEV, pt, atol=PT_LSB_GEV / 2)
    assert (found.columns["eta"][first] == 0).all()
    assert (found.columns["phi"][first] == 0).all()


def pool(detector):
    rng = np.random.default_rng(5)
    lists = make_lists(random_collisions(60, rng), detector.tracks, detector.calorimeter, rng)
    return Pool(lists, np.array([0]), np.array([60]), np.array([30.0]), *ring_means(lists, 30.0))


def test_events_are_those_of_the_candidates_and_links_hold_what_was_deposited(tmp_path):
    detector = load_detector()
    overlaid, hard = pool(detector), random_collisions(2, np.random.default_rng(4))
    found = simulate_elements(hard, overlaid, detector, seed=(4,))
    seen = simulate_crossings(hard, overlaid, detector, seed=(4,))
    np.testing.assert_allclose(found[""][1]["L1Vertex_z0"], seen.vertex_z0_cm, rtol=1e-6)
    np.testing.assert_array_equal(found[""][1]["Pileup_nPU"], seen.n_pileup)
    path = tmp_path / "elements.root"
    write_elements(path, [found], compact=True)
    for event, n in zip(flow_events(str(path)), seen.counts, strict=True):
        weights = event.candidates["puppiWeight"]
        assert n <= int((weights > 0).sum())  # soft ones round to nothing
        links, elements = event.links, event.elements
        shared = np.bincount(links["element"], links["energy"], len(elements["pt"]))
        forward = elements["kind"] == ElementKind.HF  # no mean pile-up is taken off there
        assert 0.8 < shared[forward].sum() / elements["pt"][forward].sum() < 1.05
        tracks = np.flatnonzero(elements["kind"] == ElementKind.TRACK)
        linked = np.isin(links["element"], tracks)
        assert linked.sum() > 0.8 * len(tracks)  # the rest are fakes
        of, charge = links["element"][linked], event.particles["charge"]
        np.testing.assert_array_equal(elements["charge"][of], charge[links["particle"][linked]])
        neutral = charge[links["particle"]] == 0  # others bend
        own = event.particles["eta"][links["particle"]] - elements["eta"][links["element"]]
        assert np.abs(own[neutral]).max() < 3 * TOWER


def test_neighbours_are_the_nearest_and_cross_the_border_in_phi(tmp_path):
    detector = load_detector()
    path = tmp_path / "elements.root"
    hard = random_collisions(1, np.random.default_rng(6), mean_particles=2000, mean_pt_gev=5.0)
    write_elements(path, [simulate_elements(hard, empty_pool(detector), detector, seed=(6,))])
    convert([str(path)], tmp_path / "s.h5", ConvertConfig(label="s", format="elements"))
    event = next(flow_events(str(path)))
    eta, phi = event.elements["eta"].astype(float), event.elements["phi"].astype(float)
    with Store.open(tmp_path / "s.h5") as held:
        found = held.examples(np.arange(held.n_events), ("eta", "phi"), truths=(), besides=())
    assert found.counts.max() == MAX_NEIGHBOURS
    lsb = np.pi / 720
    for one in (int(np.argmax(phi)), int(np.argmin(phi)), 0):
        dphi = (phi - phi[one] + np.pi) % (2 * np.pi) - np.pi
        distance = np.sort(np.hypot(eta - eta[one], dphi))
        rows = slice(*found.row_splits[one : one + 2])
        got = np.hypot(found.columns["eta"][rows], found.columns["phi"][rows]) * lsb
        np.testing.assert_allclose(got, distance[: len(got)], atol=2 * lsb)


def test_a_link_to_nowhere_and_a_file_of_candidates_are_refused(separate, tmp_path):
    _, path = separate
    hard = ParticleEvents.concatenate([collision((20, centre(0), centre(0), HADRON, 1))])
    detector = perfect_detector()
    found = simulate_elements(hard, empty_pool(detector), detector, seed=(1,))
    found["Link"][1]["element"][0] = 99
    bad = tmp_path / "bad.root"
    write_elements(bad, [found])
    with pytest.raises(DataError, match=r"events 0 to 0: 1 links name elements .* \(first: 99 of"):
        next(flow_events(str(bad)))
    found["Link"][1]["element"][0] = 0
    found["Particle"][1]["class"][0] = 7
    write_elements(bad, [found])
    with pytest.raises(DataError, match=r"Particle_class holds 7 \(1 values .* allowed are 1 to 5"):
        next(flow_events(str(bad)))
    found["Particle"][1]["class"][0] = 1
    found["Element"][1]["eta"][0] = np.nan
    write_elements(bad, [found])
    with pytest.raises(DataError, match=r"Element_eta holds nan .* allowed are -10 to 10"):
        next(flow_events(str(bad)))
    with uproot.open(path) as file:
        assert file[TREE].num_entries == 1
    with uproot.recreate(bad) as file:
        file[TREE] = {"event": np.arange(2)}
    with pytest.raises(DataError, match=r"has no branch Element_pt.*l1met simulate"):
        next(flow_events(str(bad)))
