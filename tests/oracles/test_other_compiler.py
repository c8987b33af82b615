"""The C++ forms under another compiler, and HLS on the open ``ap_types`` as they are published.

Everything was developed with GCC; here clang takes its place under GCC's name. The headers in an HLS
project have one function more than the published ones (see ``firmware/hls/mends.py``); here they
have not.
"""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
from rtl_designs import small_network

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.firmware.check import compare_forms
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.forms import int64_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network

pytestmark = pytest.mark.oracle("clang++", "make")

MODELS = Path(__file__).parents[2] / "models"
N_RANDOM = 5000
"""Random events of each of the two random kinds."""


@pytest.fixture(autouse=True)
def _clang_in_place_of_gcc(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "g++").symlink_to(shutil.which("clang++"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}", prepend=":")


def hls_form(network, folder):
    config = HlsConfig()
    few = stress_events(np.random.default_rng(0), n_random=1, n_slots=network.n_candidates)
    write_project(network, config, folder, candidates=few)
    published = files("da4ml") / "codegen" / "hls" / "source" / "ap_types" / "include"
    with as_file(published) as headers:
        shutil.copytree(headers, folder / "firmware" / "ap_types", dirs_exist_ok=True)
    assert "Added to the original" not in "".join(
        path.read_text() for path in (folder / "firmware" / "ap_types").rglob("*.h")
    )
    library = compile_csim(folder, top=config.top_function, flags=("-O1",))
    return CSimulation(library, network)


FORMS = {
    "hls_csim": hls_form,
    "cpp": CppForm.compiled,
    "cmssw": CmsswForm.compiled,
}


def assert_forms_agree(network, folder, forms, n_random):
    made = {name: FORMS[name](network, folder / name) for name in forms}
    events = stress_events(
        np.random.default_rng(11), n_random=n_random, n_slots=network.n_candidates
    )
    found = compare_forms("int64", int64_form(network), made, {"stress": events})
    for name, check in found.items():
        assert check.events >= 2 * n_random, name
        assert check.differing == 0, name


def test_the_header_of_a_small_network(tmp_path):
    assert_forms_agree(small_network("deepmet"), tmp_path, ["cpp"], 50)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet"])
def test_10_000_events_of_the_shipped_networks_through_the_exports(name, tmp_path):
    network = Network.load(MODELS / name / "network.json")
    assert_forms_agree(network, tmp_path, ["cpp", "cmssw"], N_RANDOM)


@pytest.mark.slow
def test_10_000_events_of_the_default_network_through_hls(tmp_path):
    network = Network.load(MODELS / "deepset" / "network.json")
    assert_forms_agree(network, tmp_path, ["hls_csim"], N_RANDOM)
