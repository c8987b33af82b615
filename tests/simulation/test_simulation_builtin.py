"""The samples that come with the repository."""

import json
from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml

from l1met_fpga.config.base import load_yaml, parse
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.simulation import SimulationConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.store import Store
from l1met_fpga.metrics.trigger import threshold_at_rate
from l1met_fpga.simulation.sample import fingerprint

DATA = Path(__file__).parents[2] / "data"
SAMPLES = yaml.safe_load((DATA / "builtin_sample.yaml").read_text())["samples"]
JETS = yaml.safe_load((DATA / "jets_sample.yaml").read_text())["samples"]


def _branches(name, *branches):
    with uproot.open(DATA / f"{name}.root") as file:
        return file["Events"].arrays(branches, library="np")


def test_samples_fit_in_twenty_megabytes():
    assert sum(path.stat().st_size for path in DATA.glob("*.root")) < 20_000_000


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_complete(name):
    events = _branches(name, "event", "nL1PuppiCands")
    np.testing.assert_array_equal(events["event"], np.arange(1, SAMPLES[name]["events"] + 1))
    assert events["nL1PuppiCands"].max() <= 128


@pytest.mark.parametrize(
    ("recipe", "name"),
    [("builtin_sample", name) for name in SAMPLES] + [("jets_sample", name) for name in JETS],
)
def test_sample_was_made_with_the_present_settings(recipe, name):
    config = parse(SimulationConfig, load_yaml(DATA / f"{recipe}.yaml"), where="test")
    known = json.loads((DATA / "simulation.json").read_text())["samples"][name]
    assert known["fingerprint"] == fingerprint(config, name), (
        "the detector, a card or the pool changed: make the samples again with `make data`"
    )


def test_jets_hold_hundreds_of_every_class(tmp_path):
    found = np.zeros(len(JET_CLASSES))
    for name in JETS:
        config = ConvertConfig(format="jets", label=name)
        counts = convert([str(DATA / f"{name}.root")], tmp_path / f"{name}.h5", config)
        assert not {"jets_outside", "jets_without_class"} & {k for k, n in counts.items() if n}
        with Store.open(tmp_path / f"{name}.h5") as store:
            found += np.bincount(store.truth("jet_class").astype(int), minlength=len(found))
    assert dict(zip(JET_CLASSES, found, strict=True)) == {
        k: n for k, n in zip(JET_CLASSES, found, strict=True) if n > 300
    }


def test_pileup_has_no_gen_met_and_supports_sixty_kilohertz():
    events = _branches("pileup", "genMet_pt", "L1PuppiMet_pt", "Pileup_nPU", "Pileup_nHard")
    assert (events["genMet_pt"] == 0).all()
    assert events["Pileup_nPU"].mean() == pytest.approx(200, abs=0.3)
    # 0.037 mb of 78.9 mb, 200 collisions: 0.097 hard ones per crossing.
    assert events["Pileup_nHard"].mean() == pytest.approx(0.097, abs=0.004)
    assert 50 < threshold_at_rate(events["L1PuppiMet_pt"], 60.0) < 150


def test_multiplicities_are_the_published_ones():
    pileup = _branches("pileup", "nL1PuppiCands")["nL1PuppiCands"]
    assert pileup.mean() == pytest.approx(33.4, abs=1.5)
    assert pileup.std() == pytest.approx(10.2, abs=1.5)


def test_signal_samples_have_the_ht_of_their_process():
    ttbar, znunu = (_branches(name, "genHT")["genHT"] for name in ("ttbar", "znunu"))
    assert (ttbar >= 0).all()
    assert (znunu >= 0).all()
    assert 150 < np.median(ttbar) < 300  # two b jets and what the W bosons give
    assert 60 < np.median(znunu) < 150  # the parton above 80 GeV


def test_signal_samples_have_large_gen_met():
    assert (_branches("ttbar", "genMet_pt")["genMet_pt"] > 150).sum() > 1000
    assert np.median(_branches("znunu", "genMet_pt")["genMet_pt"]) > 80
