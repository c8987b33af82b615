"""The size of MET, corrected in the word for the global trigger: one line, every form of the firmware."""

import subprocess

import numpy as np
import pytest
from networks import MET
from plain_networks import plain_network
from pydantic import ValidationError
from rtl_designs import N_SLOTS, compile_sources, random_candidates

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.export.cmssw_form import CmsswForm
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.export.vectors import expected_words
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.cordic import Cordic, cordic_of, gt_words
from l1met_fpga.firmware.rtl.forms import SimulationForm
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.models.network import Network
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.gt_word import GT_PT_TYPE, unpack
from l1met_fpga.puppi.words import pack

RAISED = SizeCalibration.of(1.7, 12.5)
LOWERED = SizeCalibration.of(1.25, -20.0)
"""Brings small sizes to nothing."""
STEEP = SizeCalibration.of(3.0, -100.0)
"""Saturates large ones."""
LINES = {"raised": RAISED, "lowered": LOWERED, "steep": STEEP}


@pytest.fixture
def events(rng):
    """Events that words can carry: from no candidate to MET beyond what the word can hold."""
    found = random_candidates(rng, 300)
    found["pt"][-20:] = np.where(found["pt"][-20:] > 0, 16383, 0)
    return found


def network_of(line):
    return plain_network(n_candidates=N_SLOTS).calibrated("met", line)


def words_of(candidates):
    zeros = np.zeros_like(candidates["pt"])
    return pack({name: candidates.get(name, zeros) for name in COLUMNS})


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_size_follows_the_line_and_no_order_changes(line, rng):
    xy = np.concatenate([rng.integers(-9000, 9000, (20_000, 2)), rng.integers(-70, 70, (5000, 2))])
    xy = np.concatenate([xy, [[0, 0], [MET.max_code, MET.min_code]]])
    size, phi = Cordic(MET, line).run(xy)
    plain, plain_phi = Cordic(MET).run(xy)
    np.testing.assert_array_equal(phi, plain_phi)
    size_gev = np.hypot(*MET.decode(xy).T)
    told = np.clip(line.told_gev(size_gev) * 2**GT_PT_TYPE.frac_bits, 0, GT_PT_TYPE.max_code)
    assert np.abs(size - told).max() <= 1 + line.factor
    assert size[-2] == 0
    rising = size[np.argsort(plain, kind="stable")]
    steps = np.diff(rising)[np.diff(np.sort(plain)) > 0]
    assert steps.min() >= 0
    assert (size == 0).sum() > (plain == 0).sum() or line.offset > 0


def test_the_constants_fit_a_dsp_slice_and_say_when_a_size_is_nothing():
    for line in (*LINES.values(), None, SizeCalibration(slope=256, offset=-3200)):
        cordic = Cordic(MET, line)
        assert cordic.inverse_gain.bit_length() <= 17
        x = np.array([max(cordic.smallest - 1, 0), cordic.smallest])
        size = (x * cordic.inverse_gain + cordic.size_offset + (1 << cordic.size_shift - 1)) >> (
            cordic.size_shift
        )
        assert size[1] > 0
        assert size[0] <= 0 or cordic.smallest == 0
        assert cordic.smallest < 1 << cordic.width


@pytest.mark.parametrize(
    "line", [LOWERED, pytest.param(RAISED, marks=pytest.mark.slow)], ids=["lowered", "raised"]
)
def test_rtl(line, events, tmp_path):
    network = network_of(line)
    project = write_project(network, RtlConfig(), tmp_path / "rtl")
    model = compile_sources(project.sources, project.top, 3)
    codes, words = SimulationForm(project.design, model).results(events)
    want = evaluate(network, events)["met"]
    assert np.count_nonzero(codes["met"] != want) == 0, "x and y stay as they are"
    assert np.count_nonzero(words != gt_words(MET, want, line)) == 0
    assert np.count_nonzero(words != gt_words(MET, want)) > 100
    told = unpack(words)
    assert 0 < np.count_nonzero(told.vector_pt == 0) < 200
    assert told.vector_pt.max() == GT_PT_TYPE.max_code


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_header(line, events, tmp_path):
    network = network_of(line)
    codes, words = CppForm.compiled(network, tmp_path).predict(events)
    want = evaluate(network, events)["met"]
    assert np.count_nonzero(codes["met"] != want) == 0
    assert np.count_nonzero(words != gt_words(MET, want, line)) == 0
    assert np.count_nonzero(words != expected_words(network, words_of(events))) == 0


def test_cmssw(events, tmp_path):
    network = network_of(LOWERED)
    codes, words = CmsswForm.compiled(network, tmp_path).predict(events)
    want = evaluate(network, events)["met"]
    assert np.count_nonzero(codes["met"] != want) == 0
    assert np.count_nonzero(words != gt_words(MET, want, LOWERED)) == 0


def test_hls_words(events, tmp_path):
    config = HlsConfig(io_type="words", test_bench_events=len(events["pt"]))
    write_words_project(network_of(LOWERED), config, tmp_path / "hls", candidates=events)
    flags = ["-std=c++0x", "-w", "-O0", "-Ifirmware/ap_types", "-I."]
    subprocess.run(
        ["g++", *flags, "l1met_test.cpp", "firmware/l1met.cpp", "-o", "bench"],
        cwd=tmp_path / "hls", check=True, capture_output=True,
    )  # fmt: skip
    told = subprocess.run(
        ["./bench"], cwd=tmp_path / "hls", check=False, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert f"0 of {3 * len(events['pt'])} outputs differ" in told.stdout


def test_a_network_without_one_is_the_same_file_and_firmware(tmp_path):
    plain = plain_network(n_candidates=N_SLOTS)
    assert "calibration" not in plain.model_dump_json()
    assert cordic_of(plain) == Cordic(MET)
    raised = plain.calibrated("met", RAISED)
    assert raised.digest != plain.digest
    assert raised.calibrated("met", None).digest == plain.digest
    raised.save(tmp_path / "network.json")
    read = Network.load(tmp_path / "network.json")
    assert read == raised
    assert cordic_of(read) == Cordic(MET, RAISED)


def test_what_is_no_calibration_is_refused():
    assert SizeCalibration.of(9, 9000) == SizeCalibration(slope=3072, offset=3200)
    assert SizeCalibration.of(0, -9000) == SizeCalibration(slope=256, offset=-3200)
    with pytest.raises(ValidationError, match="slope"):
        SizeCalibration(slope=0, offset=0)
    head = plain_network().heads[0].model_dump() | {"unit": "", "calibration": dict(RAISED)}
    with pytest.raises(ValidationError, match=r"'met' has a calibration, .* in GeV per example"):
        type(plain_network().heads[0]).model_validate(head)
