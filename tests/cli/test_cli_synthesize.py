"""``l1met synthesize`` and ``l1met check`` as a user types them."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from stores import SMALL, write_samples
from typer.testing import CliRunner

from l1met_fpga.cli.app import app, main
from l1met_fpga.cli.run_choice import last_run, with_typed
from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import MET

MODELS = Path(__file__).parents[2] / "models"


def store(path):
    """Events with filled slots first, as a store demands."""
    rng = np.random.default_rng(4)
    events = stress_events(rng, n_random=60)
    order = np.argsort(events["pt"] == 0, axis=1, kind="stable")
    candidates = {k: np.take_along_axis(v, order, axis=1) for k, v in events.items()}
    candidates["puppi_weight"] = np.minimum(candidates["puppi_weight"], 256)
    candidates["phi"] = np.clip(candidates["phi"], -720, 720)
    filled = candidates["pt"] > 0
    candidates = {k: np.where(filled, v, 0).astype(np.int16) for k, v in candidates.items()}
    gen = rng.normal(0, 50, (len(filled), 2))
    write_store(path, candidates=candidates, truth={GEN_MET: gen}, label="ttbar")
    return path


def trained(root, name="deepmet", **overrides):
    """A run folder with everything that training leaves, from a network with random weights."""
    from keras_models import scrambled

    from l1met_fpga.models.export import export_network
    from l1met_fpga.models.storage import save_model

    run = RunFolder.create(root)
    sample = store(root / "sample.h5")
    typed = {"samples": [{"path": str(sample)}], "hls.compiler_flags": ["-O0"], **overrides}
    save_run(load_run(MODELS / f"{name}.yaml", typed), run.config)
    model = scrambled(name, "quantized")
    save_model(model, run.model)
    export_network(model, (MET,)).save(run.network)
    return run


def test_without_a_run_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in ("synthesize", "check"):
        with pytest.raises(SystemExit) as stop:
            main([command])
        assert stop.value.code == 5
        assert "make train" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["synthesize", "check"])
def test_help_has_an_example(command):
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"l1met {command} runs/deepset" in shown.output


def test_run_and_model_exclude_each_other(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["synthesize", str(tmp_path), "-m", "deepset"])
    assert stop.value.code == 2
    assert "either a run folder, or -m MODEL" in capsys.readouterr().err


def test_unknown_reference_names_those_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["synthesize", "-m", "transformer", "--reference"])
    assert stop.value.code == 5
    assert "no shipped network models/transformer" in capsys.readouterr().err


def test_newest_matching_run_is_taken(tmp_path):
    old = trained(tmp_path / "runs" / "old", **{"training.pruning.enabled": False})
    new = trained(tmp_path / "runs" / "new")
    (tmp_path / "runs" / "unfinished").mkdir()
    runs = tmp_path / "runs"
    assert last_run(runs=runs) == new
    assert last_run("deepmet", pruning=False, runs=runs) == old
    assert last_run("garnet", runs=runs) is None


def test_a_typed_flag_goes_before_the_file():
    section = HlsConfig(part="xcvu9p-flga2577-2-e")
    assert with_typed(section, {"part": None, "strategy": None}, where="hls") is section
    changed = with_typed(section, {"clock_period_ns": 4.0, "part": None}, where="hls")
    assert (changed.clock_period_ns, changed.part) == (4.0, "xcvu9p-flga2577-2-e")
    with pytest.raises(ConfigError, match=r"hls.*backend.*'Quartus'"):
        with_typed(section, {"backend": "Quartus"}, where="hls")


def test_missing_vendor_tool_is_an_error_only_when_required(tmp_path, monkeypatch, capsys):
    run = trained(tmp_path / "run")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        main(["synthesize", str(run.root), "--require-vendor"])
    assert stop.value.code == 11
    assert "none of vitis-run, vitis_hls is on PATH" in capsys.readouterr().err


@pytest.mark.slow
def test_synthesize_then_check_then_layers(tmp_path, monkeypatch, capsys):
    run = trained(tmp_path / "runs" / "deepmet")
    monkeypatch.chdir(tmp_path)
    main_ok(["synthesize", "--events", "50"])
    result = json.loads(run.bit_exactness.read_text())
    assert result["hls_csim"]["differing"] == 0
    assert result["hls_csim"]["against"] == "keras"
    report = json.loads(run.report("json").read_text())
    assert report["hls"] is None, "no vendor tool ran, so there are no vendor figures"
    assert report["bit_exactness"]["hls_csim"]["differing"] == 0
    text = capsys.readouterr().out
    assert "\nbit-exact: " in text
    assert re.search(r"\nLUTs, clocks, MHz: about [\d,]+ LUT;.*`make rtl`", text)
    main_ok(["check", "--events", "50"])
    main_ok(["check", "--events", "20", "--layers"])
    assert "every layer of the C simulation agrees" in capsys.readouterr().out


@pytest.mark.slow
def test_build_without_a_vendor_tool_says_so_and_succeeds(tmp_path, capsys):
    run = trained(tmp_path / "run", **{"rtl.synthesize": False, "rtl.parallel": False})
    main_ok(["synthesize", str(run.root), "-B", "--events", "20"])
    text = capsys.readouterr().out
    assert "vendor synthesis was NOT run" in text
    assert "\nstreaming RTL: LUTs not known" in text
    assert " from the last word to the result; an event every " in text
    result = json.loads(run.bit_exactness.read_text())
    assert {"int64", "hls_csim", "hls_words", "rtl_interpreter", "rtl_verilator"} <= set(result)
    assert all(form["differing"] == 0 for form in result.values())


@pytest.mark.slow
@pytest.mark.parametrize("output", [[], ["--output", "elsewhere/project"]], ids=["run", "output"])
def test_build_with_a_stand_in_vendor_tool(output, tmp_path, monkeypatch):
    sys.path.insert(0, str(Path(__file__).parents[1] / "firmware"))
    from stand_in_vendor import install_stand_in

    run = trained(tmp_path / "run", **{"rtl.synthesize": False, "rtl.parallel": False})
    install_stand_in(tmp_path / "bin", "vitis-run")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.chdir(tmp_path)
    main_ok(["synthesize", str(run.root), "-B", "--require-vendor", "--events", "20", *output])
    assert (tmp_path / "elsewhere" / "project").is_dir() == bool(output)
    report = json.loads(run.report("json").read_text())
    assert report["hls"]["lut"] == 43200
    assert report["hls"]["bram"] == 2, "four memories of 18 kbit are two block RAM tiles"
    assert report["hls"]["stage"] == "C synthesis"


@pytest.mark.slow
def test_a_missing_run_is_trained_first(tmp_path, monkeypatch, capsys):
    """The recipe is found by the model's name; the second time its run is taken."""
    samples = [{"path": str(path)} for path in write_samples(tmp_path)]
    typed = {**SMALL, "training.epochs": 1, "samples": samples, "hls.compiler_flags": ["-O0"]}
    (tmp_path / "models").mkdir()
    save_run(load_run(MODELS / "deepmet.yaml", typed), tmp_path / "models" / "deepmet.yaml")
    monkeypatch.chdir(tmp_path)
    command = ["synthesize", "-m", "deepmet", "--no-pruning", "--events", "30"]
    main_ok(command)
    text = capsys.readouterr().out
    assert "no trained run of 'deepmet'; training one from models/deepmet.yaml first" in text
    run = last_run("deepmet", pruning=False)
    assert run is not None
    assert json.loads(run.bit_exactness.read_text())["hls_csim"]["differing"] == 0
    assert run.report("html").is_file()
    main_ok(command)
    assert "no trained run" not in capsys.readouterr().out
    assert len(list(Path("runs").iterdir())) == 1


def main_ok(arguments):
    """Run a command that must succeed."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert not stop.value.code
