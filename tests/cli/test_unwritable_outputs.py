"""Every command that writes, told to write where nothing can be written.

It says so in one sentence, before long work, and what was there stays as it was. A file in the way
of a folder and the file system of processes stop every user, root too.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from evaluation_samples import background, signal
from ntuples import make_events, write_perfnano
from stores import write_samples

from l1met_fpga.cli.app import main
from l1met_fpga.files import require_folder
from l1met_fpga.run_folder import MARK

ROOT = Path(__file__).parents[2]
RECIPE, RUN = str(ROOT / "models/deepset.yaml"), str(ROOT / "models/deepset")
SAMPLES = "-s stores/ttbar.h5 -s stores/pileup.h5"
ARRAYS = " ".join(f"-a {s}:{n}={s}_{n}.npz" for s in ("ttbar", "pileup") for n in ("puppi", "net"))
NEEDED = "is no folder, and a folder is needed there; choose another place"
COMMANDS = {
    "train": f"train {RECIPE} {SAMPLES} -o OUT",
    "scan": f"scan {RECIPE} {SAMPLES} -n 1 --workers 1 -o OUT",
    "evaluate": f"evaluate {ARRAYS} -o OUT",
    "compare": f"compare {RUN} {ROOT / 'models/garnet'} {SAMPLES} -o OUT",
    "report": f"report {RUN} -o OUT",
    "check": f"check {RUN} -n 5 -o OUT",
    "synthesize": f"synthesize {RUN} --events 5 -o OUT",
    "explore": f"explore {RUN} -o OUT",
    "export cpp": f"export cpp {RUN} -o OUT",
    "export cmssw": f"export cmssw {RUN} -o OUT",
    "export vectors": f"export vectors {RUN} --generated -n 2 -o OUT",
    "export emp": f"export emp {RUN} -o OUT",
    "export ip": f"export ip {RUN} -o OUT",
    "predict npz": f"predict {RUN} stores/ttbar.h5 -o OUT/met.npz",
    "predict root": f"predict {RUN} stores/ttbar.h5 -o OUT/met.root",
    "convert": "convert a.root -o OUT/a.h5 --workers 1",
    "simulate": "simulate --process pileup --events 2 --seed 1 --workers 1 -o OUT",
    "simulate, cache": "simulate --process pileup --events 2 --seed 1 -o made --cache OUT",
    "validate-simulation": "validate-simulation stores -o OUT",
    "inspect": "inspect a.root --plots OUT",
    "import": f"import {RUN}/model.keras -o OUT/network.json",
    "import, events": f"import {RUN}/model.keras -o made.json --expected OUT/events.npz",
    "init": "init OUT",
}
INSIDE = {  # what lies in a run folder where a result belongs, and the command that makes the result
    "report.json": "report RUN",
    "report.md": "report RUN",
    "report.html": "report RUN",
    "metrics.json": f"evaluate {ARRAYS} -o RUN --no-plots --set bootstrap_samples=2",
    "vectors": "export vectors RUN --generated -n 2",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_samples(folder / "stores")
    write_perfnano(folder / "a.root", make_events(20))
    for sample in (signal(300), background(200)):
        for name in ("puppi", "net"):
            met, gen = sample.estimates[name]["met"], sample.truth["met"]
            truth = {} if sample.is_background else {"gen_px": gen[:, 0], "gen_py": gen[:, 1]}
            label = "pileup" if sample.is_background else "ttbar"
            np.savez(folder / f"{label}_{name}.npz", px=met[:, 0], py=met[:, 1], **truth)
    (folder / "mine").write_text("mine")
    (folder / "link").symlink_to("mine/nowhere")
    return folder


def says(capsys, command):
    """Run a command that must fail; return its exit code and its one sentence."""
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, lines
    assert not any("Traceback" in line for line in lines)
    return stopped.value.code, errors[0]


def everything(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_where_nothing_can_be_written(name, inputs, monkeypatch, capsys):
    monkeypatch.chdir(inputs)
    before = everything(inputs)
    for place, reason in (
        ("mine/below", f"mine {NEEDED}"),
        ("/proc/new", "/proc/new: No such file or directory"),
        ("n" * 256, f"{'n' * 256}"),
    ):
        code, sentence = says(capsys, COMMANDS[name].replace("OUT", place))
        assert code == 74
        assert reason in sentence
    assert everything(inputs) == before


@pytest.mark.parametrize("name", INSIDE)
def test_something_else_where_a_result_belongs(name, inputs, tmp_path, monkeypatch, capsys):
    """Of a run that can be written one result cannot: the earlier ones stay."""
    monkeypatch.chdir(inputs)
    run = tmp_path / "run"
    shutil.copytree(RUN, run)
    (run / MARK).touch()
    if Path(name).suffix:
        (run / name).mkdir()
        (run / name / "mine").write_text("mine")
    else:
        (run / name).write_text("mine")
    before = everything(run)
    code, sentence = says(capsys, INSIDE[name].replace("RUN", str(run)))
    assert code in {8, 74}
    assert f"run/{name}" in sentence
    after = everything(run)
    assert {path: after[path] for path in before} == before
    made = {path.name for path in after.keys() - before.keys()}
    assert made <= {"report.json", "report.md"}


def test_a_folder_is_required_before_it_is_made(tmp_path):
    require_folder(tmp_path)
    require_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for inside in ("file", "file/a/b"):
        with pytest.raises(NotADirectoryError):
            require_folder(tmp_path / inside)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    """Root may write everywhere, so the answer of the system is given here."""

    def forbidden(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(PermissionError) as caught:
        require_folder(tmp_path / "new" / "below")
    assert caught.value.filename == str(tmp_path / "new" / "below")
