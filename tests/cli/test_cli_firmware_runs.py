"""Commands about firmware on runs that are not written, copied, or of another meaning."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_records import write_training
from test_cli_synthesize import trained

from l1met_fpga.cli import synthesize as command
from l1met_fpga.cli.app import main
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.run_folder import MARK, RunFolder

SCRIPT = Path(__file__).parents[2] / "synthesis" / "synthesize.py"


def stopped(arguments, capsys):
    """Exit code and error of a command that must fail."""
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return stop.value.code, " ".join(capsys.readouterr().err.split())


def works(arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    assert not stop.value.code


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A trained run whose sample lies elsewhere."""
    return trained(tmp_path_factory.mktemp("trained") / "run").root


@pytest.fixture
def run(template, tmp_path):
    shutil.copytree(template, tmp_path / "run")
    return RunFolder.open(tmp_path / "run")


@pytest.fixture
def shipped(run):
    (run.root / MARK).unlink()
    return run


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["check", "synthesize", "report", "evaluate", "explore"])
def test_a_shipped_network_is_not_written(name, shipped, capsys):
    before = content(shipped.root)
    code, said = stopped([name, shipped.root], capsys)
    assert code == 5
    assert "is a shipped network, which stays as it is; say where results go with --output" in said
    assert content(shipped.root) == before


def test_check_and_report_of_a_shipped_network_go_elsewhere(shipped, tmp_path):
    before = content(shipped.root)
    out = tmp_path / "out"
    works(["check", shipped.root, "--output", out, "--events", "20"])
    assert json.loads((out / "bit_exactness.json").read_text())["int64"]["differing"] == 0
    works(["report", shipped.root, "--output", out])
    report = json.loads((out / "report.json").read_text())
    assert report["bit_exactness"]["int64"]["differing"] == 0
    counted = report["saturation"]["met"]
    assert counted["outputs"] == 2 * 20
    assert counted["share"] == counted["saturated"] / 40
    assert content(shipped.root) == before


def reading_z0(network):
    """The same network with z0 in the place of eta."""

    def renamed(node):
        if node.op == "features":
            inputs = tuple("z0" if name == "eta" else name for name in node.inputs)
            features = tuple(
                one.model_copy(update={"column": "z0"}) if one.column == "eta" else one
                for one in node.features
            )
            return node.model_copy(update={"inputs": inputs, "features": features})
        if node.name == "eta":
            kind = COLUMNS["z0"].type
            return node.model_copy(update={"name": "z0", "column": "z0", "type": kind})
        return node

    return network.model_copy(update={"nodes": tuple(map(renamed, network.nodes))})


def test_a_column_of_another_meaning_stops_firmware_and_is_said(run, capsys):
    reading_z0(Network.load(run.network)).save(run.network)
    sample = {"units": {"z0": "0.05 cm from the vertex"}}
    write_training(run.training, {"ttbar": sample})
    code, said = stopped(["synthesize", run.root], capsys)
    assert code == 8
    assert "column z0 of sample 'ttbar' was in units of '0.05 cm from the vertex'" in said
    assert not run.hls.exists()
    with pytest.raises(SystemExit):
        main(["check", str(run.root), "--events", "5"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "no firmware can be built of this network: column z0" in shown


def test_the_copy_of_a_shipped_network_keeps_its_firmware(shipped, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    shipped.root.rename(tmp_path / "models" / "deepmet")
    monkeypatch.chdir(tmp_path)
    copy = command._reference_copy("deepmet")
    copy.hls.mkdir()
    (copy.hls / "vendor.log").write_text("hours of work")
    assert command._reference_copy("deepmet") == copy
    assert (copy.hls / "vendor.log").read_text() == "hours of work"


def test_the_run_that_was_trained_is_taken_not_the_newest(run, tmp_path, monkeypatch):
    def train(*, args, standalone_mode):
        assert not standalone_mode
        shutil.copytree(run.root, args[args.index("--output") + 1])
        shutil.copytree(run.root, tmp_path / "runs" / "of-somebody-else")

    (tmp_path / "models").mkdir()
    shutil.copy(SCRIPT.parents[1] / "models/deepmet.yaml", tmp_path / "models")
    (tmp_path / "data").symlink_to(SCRIPT.parents[1] / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("l1met_fpga.cli.app.app", train)
    from rich.console import Console

    found = command._train(Console(quiet=True), "deepmet", pruning=None)
    assert found.root.name.startswith("deepmet-")


def test_the_script_finds_the_environment_or_says_how_to_make_it(tmp_path):
    script = tmp_path / "synthesis" / "synthesize.py"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    bare = [sys.executable, "-I", "-S", script, "-m", "deepset"]  # a Python without packages
    done = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make its environment with `make env`" in done.stderr
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nshift\necho "went on with $@"\n')
    python.chmod(0o755)
    done = subprocess.run(bare, capture_output=True, text=True, check=True)
    assert done.stdout == "went on with -m deepset\n"
