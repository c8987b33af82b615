"""The exported CMSSW package, built with its Makefile and loaded through the public interface."""

import shutil
import subprocess
from pathlib import Path

import networks
import numpy as np
import pytest
from met_head import met_codes, met_words
from require import require
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.errors import ConversionError, ToolMissingError
from l1met_fpga.firmware.export import cmssw_form
from l1met_fpga.firmware.export.cmssw import export_cmssw, package_name
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.words import pack

MODELS = Path(__file__).parents[2] / "models"
EXTRAS = Path(__file__).with_name("emulator_extras")


@pytest.fixture(autouse=True)
def _tools():
    for name in ("g++", "make"):
        require(name, shutil.which(name) is not None, install=f"install {name}")


def run(command, folder):
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A program like a CMSSW plugin, linked against the interface library."""
    folder = tmp_path_factory.mktemp("plugin")
    include = f"-I{EXTRAS / 'include' / 'hls4ml'}"
    sources = [EXTRAS / "plugin.cpp", EXTRAS / "emulator.cc"]
    run(
        ["g++", "-std=c++17", "-Wall", "-Werror", include, *sources, "-ldl", "-o", "plugin"], folder
    )
    return folder / "plugin"


def play(plugin, folder, words, *models):
    """Rows of numbers, three per model."""
    words.astype("<u8").tofile(folder / "words.bin")
    done = run([plugin, "words.bin", str(words.shape[1]), *models], folder)
    rows = [[int(number) for number in line.split()] for line in done.stdout.splitlines()]
    return np.array(rows, dtype=object), done.stderr


def exported(network, folder, version="v1", package=None):
    package = package or package_name(network)
    return export_cmssw(network, folder, package=package, version=version)


def test_2000_events_through_the_public_interface(plugin, tmp_path, rng):
    network = Network.load(MODELS / "deepset" / "network.json")
    command = exported(network, tmp_path / "L1METDeepset")
    assert command.startswith("make EMULATOR_EXTRAS=")
    run(["make", f"EMULATOR_EXTRAS={EXTRAS}"], tmp_path / "L1METDeepset")
    run(["make", f"EMULATOR_EXTRAS={EXTRAS}", f"PREFIX={tmp_path}/cmssw", "install"],
        tmp_path / "L1METDeepset")  # fmt: skip
    assert [p.name for p in (tmp_path / "cmssw" / "lib64").iterdir()] == ["L1METDeepset_v1.so"]
    columns = random_candidates(rng, 2000)
    found, said = play(plugin, tmp_path, pack(columns), "cmssw/lib64/L1METDeepset_v1")
    expected = met_codes(network, columns)
    assert np.count_nonzero(found[:, :2] != expected) == 0
    assert np.count_nonzero(found[:, 2] != met_words(network, expected)) == 0
    assert "L1METDeepset_v1: prepare_input takes const std::vector<std::uint64_t>*" in said
    assert (
        "L1METDeepset_v1: read_result takes std::uint64_t* or std::array<std::int32_t, 2>*" in said
    )


def test_two_versions_of_one_package_live_side_by_side(plugin, tmp_path, rng):
    pair = [networks.random_deepmet(s, phi_units=(6,), n_candidates=N_SLOTS) for s in (1, 2)]
    for version, network in zip(("v1", "v2"), pair, strict=True):
        exported(network, tmp_path / "package", version)
    run(
        ["make", f"EMULATOR_EXTRAS={EXTRAS}", "CXXFLAGS=-O1 -fPIC -std=c++17"], tmp_path / "package"
    )
    columns = random_candidates(rng, 100)
    names = [f"package/L1METDeepmet_{version}" for version in ("v1", "v2")]
    found, _ = play(plugin, tmp_path, pack(columns), *(f"./{name}" for name in names))
    assert np.array_equal(found[:, :2], met_codes(pair[0], columns))
    assert np.array_equal(found[:, 3:5], met_codes(pair[1], columns))
    run(["make", "clean"], tmp_path / "package")
    assert not list((tmp_path / "package").rglob("*.so"))
    assert not list((tmp_path / "package").rglob("*.o"))


@pytest.mark.parametrize("name", [pytest.param("garnet", marks=pytest.mark.slow), "deepmet"])
def test_the_form_agrees_on_events_that_words_cannot_carry_too(name, tmp_path, rng, monkeypatch):
    """Wherever the package is installed and the run lies."""
    odd = tmp_path / "it's [x] $HOME é"
    shutil.copytree(cmssw_form.INTERFACE, odd / "interface")
    monkeypatch.setattr(cmssw_form, "INTERFACE", odd / "interface")
    network = small_network(name)
    events = stress_events(rng, n_random=40, n_slots=N_SLOTS)
    codes, words = CmsswForm.compiled(network, odd / "run").predict(events)
    expected = met_codes(network, events)
    assert np.count_nonzero(codes["met"] != expected) == 0
    assert np.count_nonzero(words != met_words(network, expected)) == 0


def test_a_released_version_is_never_another_network(tmp_path):
    first, second = (
        networks.random_deepmet(s, phi_units=(6,), n_candidates=N_SLOTS) for s in (1, 2)
    )
    exported(first, tmp_path / "package")
    before = {p: p.read_bytes() for p in (tmp_path / "package").rglob("*") if p.is_file()}
    with pytest.raises(ConversionError, match=r"L1METDeepmet_v1 is another network; .*--version"):
        exported(second, tmp_path / "package")
    with pytest.raises(ConversionError, match=r"not cmssw Other; refusing to add to it"):
        exported(second, tmp_path / "package", "v2", package="Other")
    exported(first, tmp_path / "package")
    after = {p: p.read_bytes() for p in (tmp_path / "package").rglob("*") if p.is_file()}
    assert after == before


def test_a_foreign_folder_and_bad_names_are_refused(tmp_path):
    network = small_network("deepmet")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConversionError, match=r"not empty and is no package of this tool"):
        exported(network, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    for bad in ({"package": "../x"}, {"package": "é"}, {"version": "1"}, {"version": "v1 2"}):
        with pytest.raises(ConversionError, match=r"package (name|version) '"):
            exported(network, tmp_path / "new", **bad)
    assert not (tmp_path / "new").exists()


def test_without_make_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match=r"'make' is not on PATH; install GCC"):
        CmsswForm.compiled(small_network("deepmet"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet"])
def test_100_000_events_through_the_package(name, tmp_path, rng):
    network = Network.load(MODELS / name / "network.json")
    form = CmsswForm.compiled(network, tmp_path)
    for _ in range(10):
        events = stress_events(rng, n_random=5000)
        codes, words = form.predict(events)
        expected = met_codes(network, events)
        assert np.count_nonzero(codes["met"] != expected) == 0
        assert np.count_nonzero(words != met_words(network, expected)) == 0
