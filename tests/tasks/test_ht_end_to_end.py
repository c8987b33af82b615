"""HT from events to firmware: trained, pruned, converted, simulated, reported."""

import json
import shutil

import numpy as np
import pytest
from keras_models import MODELS, random_candidates
from require import require
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.data.store_writer import write_store

SMALL = {"model.phi": "[{units: 8}]", "training.epochs": "3", "training.batch_size": "64",
         "evaluation.bootstrap_samples": "3"}  # fmt: skip


def write_sample(path, label, n_events, seed):
    """Events in which only candidates above 10 GeV belong to jets."""
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n_events, n_slots=128)
    pt_gev = candidates["pt"] / 4
    truth = np.where(pt_gev > 10, pt_gev, 0).sum(axis=1) * (label != "pileup")
    write_store(path, candidates=candidates, truth={"gen_ht_gev": truth}, label=label)
    return str(path)


def run(*arguments):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.output


@pytest.mark.slow
def test_ht_from_events_to_rtl(tmp_path):
    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")
    stores = [
        write_sample(tmp_path / "ttbar.h5", "ttbar", 900, 1),
        write_sample(tmp_path / "pileup.h5", "pileup", 700, 2),
    ]
    samples = [word for store in stores for word in ("-s", store)]
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    folder = tmp_path / "run"
    told = run("train", MODELS / "ht.yaml", *samples, *settings, "-o", folder)
    assert "PUPPI HT on the same events: validation " in told
    assert "genHT 200-400 GeV" in told
    assert "met" not in {path.stem.split("_")[0] for path in (folder / "plots").iterdir()}
    told = run("synthesize", folder, "--build", "-n", "100")
    assert "0 of " in told
    report = json.loads((folder / "report.json").read_text())
    forms = report["bit_exactness"]
    assert {"int64", "hls_csim", "hls_words", "rtl_interpreter", "rtl_verilator"} <= set(forms)
    assert all(form["differing"] == 0 for form in forms.values() if form)
    assert report["rtl"]["lut"] > 0
    assert report["physics"]["gain_vs_puppi"]["width"]["value"] is not None
    assert report["physics"]["gain_vs_puppi"]["u_par"] is None
    assert "genHT" in (folder / "report.html").read_text()
    assert "genMET" not in (folder / "report.md").read_text()
