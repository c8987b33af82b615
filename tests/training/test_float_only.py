"""A network without firmware is trained and evaluated; what needs integers says why there are none."""

import shutil

import pytest
from keras_models import MODELS
from stores import write_samples

from l1met_fpga.cli.app import main
from l1met_fpga.results.metrics import Metrics

COMMANDS = (
    "synthesize {run}",
    "check {run}",
    "export cpp {run} -o {out}",
    "predict {run} {store} -o {out}.h5",
)
QUICK = {
    "training.epochs": 1, "training.batch_size": 64, "evaluation.bootstrap_samples": 2, "model.units": 4,
}  # fmt: skip


def run(*argv: str) -> int:
    """Return the exit code."""
    try:
        main(list(argv))
    except SystemExit as err:
        return int(err.code or 0)
    return 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("float_only")
    settings = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    samples = [word for path in write_samples(folder, 150) for word in ("-s", str(path))]
    root = folder / "run"
    recipe = str(MODELS / "edgeconv.yaml")
    assert run("train", recipe, *samples, *settings, "-o", str(root), "--no-evaluate") == 0
    return root


def test_one_float_network_is_trained_and_evaluated(trained, capsys):
    assert (trained / "model.keras").is_file()
    assert not (trained / "network.json").exists()
    assert not (trained / "model_float.keras").exists()
    assert run("evaluate", str(trained), "--no-plots") == 0
    metrics = Metrics.model_validate_json((trained / "metrics.json").read_bytes())
    assert metrics.estimates["edgeconv"].form == "float"
    assert run("report", str(trained)) == 0
    assert "edgeconv" in (trained / "report.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_needs_integers_says_why_there_are_none(command, trained, tmp_path, capsys):
    store = trained.parent / "ttbar.h5"
    assert run(*command.format(run=trained, out=tmp_path / "out", store=store).split()) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "edgeconv is a float network (edgeconv) without firmware: messages between" in said
    assert "be the teacher of a network that has firmware, such as models/deepset.yaml" in said


def test_synthesize_does_not_train_what_it_cannot_use(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    shutil.copy(MODELS / "edgeconv.yaml", tmp_path / "models")
    assert run("synthesize", "-m", "edgeconv") == 2
    assert "without firmware" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()
