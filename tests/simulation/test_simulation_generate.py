import sys

import numpy as np
import pytest
from require import require_module

from l1met_fpga.errors import ConfigError, DataError, SimulationError
from l1met_fpga.simulation.generate import (
    Card,
    _places,
    _start,
    card_names,
    generate,
    generated,
    load_card,
)
from l1met_fpga.simulation.particles import ParticleEvents, Species

needs_pythia = pytest.mark.usefixtures("pythia")


@pytest.fixture
def pythia():
    require_module("pythia8mc", extra="simulation")
    import pythia8mc

    return pythia8mc


def test_every_card_loads():
    wanted = {"ttbar", "znunu", "vbf_hinv", "wlnu", "minimum_bias", "qcd_45_80", "qcd_200_inf"}
    assert wanted <= set(card_names())
    for name in card_names():
        assert load_card(name).settings


def test_fractions_must_add_to_one(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("description: x\nsettings: []\nvariants: [{fraction: 0.5}]\n")
    with pytest.raises(ConfigError, match=r"add to 0\.5, not to 1"):
        load_card(str(path))


@needs_pythia
def test_znunu_has_its_met_and_the_same_seed_gives_the_same_events(tmp_path):
    events, facts = generated(load_card("znunu"), events=30, seed=11, cache=tmp_path)
    again, _ = generate(load_card("znunu"), events=30, seed=11)
    np.testing.assert_array_equal(events.pt_gev, again.pt_gev)
    np.testing.assert_array_equal(events.gen_met_xy_gev, again.gen_met_xy_gev)
    assert facts["cross_section_mb"] > 0
    met = np.hypot(*events.gen_met_xy_gev.T)
    assert np.median(met) > 60
    # Momentum balance: what is seen within acceptance recoils against the neutrinos.
    event = np.repeat(np.arange(30), np.diff(events.offsets))
    recoil = np.bincount(event, events.pt_gev * np.cos(events.phi_rad), 30)
    assert np.corrcoef(recoil, events.gen_met_xy_gev[:, 0])[0, 1] < -0.9
    assert set(np.unique(events.species)) <= set(Species)
    neutral = np.isin(events.species, [Species.PHOTON, Species.NEUTRAL_HADRON])
    assert (events.charge[neutral] == 0).all()
    assert (np.abs(events.charge[~neutral]) == 1).all()


@needs_pythia
def test_refused_setting_and_failed_start_are_errors(capfd):
    with pytest.raises(SimulationError, match="refuses the setting 'NoSuch:thing = on'"):
        generate(Card(description="", settings=("NoSuch:thing = on",)), events=1, seed=1)
    impossible = ("HardQCD:all = on", "PhaseSpace:pTHatMin = 9000.")
    with pytest.raises(SimulationError, match="cannot start"):
        generate(Card(description="", settings=impossible), events=1, seed=1)


def test_missing_pythia_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(SimulationError, match=r"l1met_fpga\[simulation\]"):
        generate(load_card("znunu"), events=1, seed=1)


def test_damaged_cache_file_is_named(tmp_path):
    path = tmp_path / "broken.npz"
    path.write_bytes(b"not a file")
    with pytest.raises(DataError, match="broken"):
        ParticleEvents.load(path)


def test_select_and_concatenate_keep_particles_with_their_events():
    from simulation_events import collision

    first = collision((1, 0, 0, 0, 1), (2, 0, 0, 0, 1), gen_met=(1, 0))
    second = collision((3, 0, 0, 3, 0), gen_met=(2, 0))
    both = ParticleEvents.concatenate([first, second, ParticleEvents.empty(1)])
    chosen = both.select(np.array([2, 1, 0]))
    assert chosen.offsets.tolist() == [0, 0, 1, 3]
    assert chosen.pt_gev.tolist() == [3, 1, 2]
    assert chosen.gen_met_xy_gev[:, 0].tolist() == [0, 2, 1]


@needs_pythia
def test_places_are_those_of_the_event_record():
    """A batch's own vertices belong to other particles (Pythia 8.317); flights give the right ones."""
    settings = ["Top:gg2ttbar = on"]
    places = _places(_start(settings, 11).nextBatch(3))
    one_by_one, expected = _start(settings, 11), []
    for _ in range(3):
        one_by_one.next()
        final = [particle for particle in one_by_one.event if particle.isFinal()]
        expected += [(particle.xProd(), particle.yProd()) for particle in final]
    np.testing.assert_allclose(np.stack(places, axis=1), expected, atol=1e-9)
    assert np.abs(expected).max() > 1  # mm
