import re
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from l1met_fpga.cli import watch
from l1met_fpga.cli.activity import Activity
from l1met_fpga.cli.app import app
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.run_folder import RunFolder

run = CliRunner()
EPOCHS = [(9.0, 8.25, 0.5), (7.0, 6.25, 0.75), (6.0, 6.5, 0.625)]


def write_epochs(path: Path, epochs):
    rows = [f"{i},{loss},{val},{eff},nan" for i, (loss, val, eff) in enumerate(epochs, start=1)]
    path.write_text(
        "\n".join(["epoch,loss,val_loss,val_efficiency,val_top_response", *rows]) + "\n"
    )


@pytest.fixture
def training(tmp_path):
    folder = RunFolder.create(tmp_path / "a run")
    puppi = {"val_loss": 20.0, "val_efficiency": 0.25, "val_rate_khz": 62.0,
             "val_top_efficiency": 0.25, "val_top_response": None}  # fmt: skip
    write_json(folder.started, {"networks": {"float": 3, "pruned": 4}, "puppi": puppi})
    return folder


def cells(text):
    lines = [line.replace("│", " ").split() for line in text.splitlines() if "│" in line]
    return {row[0]: row[1:] for row in lines}


def test_what_is_there_beside_puppi_and_the_best(training):
    write_epochs(training.root / "history_float.csv", EPOCHS)
    write_epochs(training.history, EPOCHS[:1])
    found = run.invoke(app, ["watch", str(training.root), "--once"])
    assert found.exit_code == 0, found.output
    assert "efficiency is the mean of top at 62 kHz" in found.output
    assert cells(found.output) == {
        "PUPPI": ["-", "-", "20.0", "-", "0.25", "-"],
        "float": ["3/3", "6.000", "6.500", "6.250", "0.62", "0.75"],
        "pruned": ["1/4", "9.000", "8.250", "8.250", "0.50", "0.50"],
    }


def test_an_interrupted_training_is_told_with_the_command_that_goes_on(training):
    found = run.invoke(app, ["watch", str(training.root)])
    root = f"'{training.root}'"
    again = f"l1met train '{training.config}' --output {root} --resume"
    assert found.output.endswith(f"the training was interrupted; go on with {again}\n")


def test_a_training_is_followed_until_it_ends(training, monkeypatch):
    steps = iter([1, 1, 2, 3, None])

    def train(_):
        done = next(steps)
        if done is None:
            training.training.write_text("{}")
        else:
            write_epochs(training.root / "history_float.csv", EPOCHS[:done])

    monkeypatch.setattr(watch.time, "sleep", train)
    with exclusive(training.root):
        found = run.invoke(app, ["watch", str(training.root)])
    shown = [line for line in found.output.splitlines() if "float" in line]
    assert [line.replace("│", " ").split()[1] for line in shown] == ["0/3", "1/3", "2/3", "3/3"]
    assert " left for all at this speed" in found.output
    assert "the training is complete; next: l1met evaluate" in found.output
    training.metrics.touch()
    again = run.invoke(app, ["watch", str(training.root), "--once"])
    assert "the training is complete; next: l1met synthesize" in again.output


def test_a_folder_without_a_training_is_told(tmp_path):
    folder = RunFolder.create(tmp_path / "run")
    found = run.invoke(app, ["watch", str(folder.root)])
    assert "has no started.json; it is made by `l1met train`" in str(found.exception)


def test_a_long_step_is_never_silent():
    written = StringIO()

    def wait_for(line):
        until = time.monotonic() + 60
        while not re.search(line, written.getvalue(), re.MULTILINE):
            assert time.monotonic() < until, written.getvalue()
            time.sleep(0.01)

    with Activity(Console(file=written), "counting", silence_s=0.02) as activity:
        wait_for(r"^counting: \d+ s$")
        activity.doing("drawing")
        activity.say("half")
        wait_for(r"^half$")
        wait_for(r"^drawing: \d+ s$")
    end = written.getvalue()
    time.sleep(0.1)
    assert written.getvalue() == end
