"""``l1met evaluate`` and ``l1met report`` as a user types them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from evaluation_samples import background, signal
from keras_models import MODELS

from l1met_fpga.cli.app import main
from l1met_fpga.results.metrics_file import load_metrics


def run(*argv: str) -> int:
    """Return the exit code."""
    try:
        main(list(argv))
    except SystemExit as err:
        return int(err.code or 0)
    return 0


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[str]:
    """Arguments that name MET of two estimates in two samples."""
    folder = tmp_path_factory.mktemp("arrays")
    arguments = []
    for sample in (signal(1500), background(600)):
        for name in ("puppi", "net"):
            path = folder / f"{sample.label}_{name}.npz"
            met, gen = sample.estimates[name]["met"], sample.truth["met"]
            truth = {} if sample.is_background else {"gen_px": gen[:, 0], "gen_py": gen[:, 1]}
            np.savez(path, px=met[:, 0], py=met[:, 1], **truth)
            arguments += ["-a", f"{sample.label}:{name}={path}"]
    return arguments


def test_other_peoples_arrays(files, tmp_path, capsys):
    code = run(
        "evaluate", *files, "-o", str(tmp_path), "--no-plots", "--set", "bootstrap_samples=5"
    )
    assert code == 0
    metrics = load_metrics(tmp_path / "metrics.json")
    assert metrics.config.root["bootstrap_samples"] == 5
    assert metrics.rates.events == 600
    out = capsys.readouterr().out
    assert "against puppi: parallel +" in out
    assert "18 kHz" in out
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ([], 2, "nothing to evaluate"),
        (["-a", "ttbar=x.npz", "-o", "out"], 2, "SAMPLE:NAME=FILE"),
        (["-a", "ttbar:a=none.npz"], 2, "needs --output"),
        (
            ["-a", "ttbar:a=none.npz", "-o", "out", "--then", "jump"],
            2,
            "--then jump follows a network; give a run folder",
        ),
        (["-a", "ttbar:a=none.npz", "-o", "out"], 3, "no file none.npz"),
        (["no_run"], 5, "does not exist"),
        (
            ["-a", "ttbar:a=none.npz", "-o", "out", "--faults"],
            2,
            "--faults needs a run folder: --arrays hold no candidates to change",
        ),
        (["-a", "../x:a=a.npz", "-o", "out"], 2, "a label must have one character or more, none"),
        (["-a", "a\nb:a=a.npz", "-o", "out"], 2, "got 'a\\nb'"),
        (["-a", "ttbar:a=x.npz", "-a", "ttbar:a=y.npz", "-o", "out"], 2, "given twice"),
        (
            ["-a", "ttbar:a=x.npz", "--background", "SingleNu", "-o", "out"],
            2,
            "--background SingleNu: --arrays have no such sample, they have ttbar",
        ),
        (
            ["no_run", "--background", "ttbar"],
            2,
            "a store knows its role, which `l1met convert --role background` gives it",
        ),
    ],
)
def test_wrong_use_of_evaluate(argv, code, message, capsys):
    assert run("evaluate", *argv) == code
    assert message in capsys.readouterr().err


def test_unknown_setting_names_the_neighbour(files, tmp_path, capsys):
    assert run("evaluate", *files, "-o", str(tmp_path), "--set", "rates_kHz=[18]") == 2
    assert "did you mean 'rates_khz'" in capsys.readouterr().err


@pytest.mark.parametrize("rates", ["[62,62]", "[62,18,62.0]", "[62.00000001,62]"])
def test_a_working_point_that_stands_twice(rates, files, tmp_path, capsys):
    assert run("evaluate", *files, "-o", str(tmp_path), "--set", f"rates_khz={rates}") == 2
    assert "working points must differ, and 62 kHz stands twice" in capsys.readouterr().err


def test_estimate_without_pileup_wrong(files, tmp_path, capsys):
    assert run("evaluate", *files[:6], "-o", str(tmp_path), "--no-plots") == 3
    assert "every estimate is needed for every sample" in capsys.readouterr().err


def report(lut: int) -> dict:
    rtl = dict.fromkeys(
        ("lanes", "ii_cycles", "latency_first_word_cycles", "latency_last_word_cycles",
         "clock_period_ns", "ff", "dsp", "bram", "lut_estimate", "tool", "tool_version", "part")
    )  # fmt: skip
    stages = dict.fromkeys(("physics", "pruning", "bit_exactness", "rtl_parallel", "hls"))
    about = dict.fromkeys(("sample", "training_events", "seed", "software"))
    lists = {"violations": [], "unchecked": []}
    budget = {"passed": None, "limits": 0, "checked": 0, "summary": "no limits", **lists}
    return {"model": "m", **about, **stages, "rtl": {**rtl, "lut": lut}, "budget": budget}


def write(path: Path, content: dict) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def test_report_compare_exits_with_13_when_worse(tmp_path, capsys):
    old, new = write(tmp_path / "a.json", report(1000)), write(tmp_path / "b.json", report(1040))
    assert run("report", "--compare", old, new) == 0
    assert run("report", "--compare", old, new, "--threshold", "rtl.lut=0.01") == 13
    assert "1 figures are worse than their thresholds: rtl.lut" in capsys.readouterr().err


def test_wrong_use_of_report_and_compare(tmp_path, capsys):
    assert run("report") == 2
    assert run("report", str(tmp_path)) == 5
    assert run("compare", "only_one", "-o", str(tmp_path)) == 2
    assert "two or more runs, got 1" in capsys.readouterr().err


def test_a_comparison_never_replaces_the_figures_of_a_run(tmp_path, capsys):
    taken = tmp_path / "run"
    shutil.copytree(MODELS / "deepset", taken)
    before = sorted(path.name for path in taken.iterdir())
    networks = (str(MODELS / "deepset"), str(MODELS / "garnet"))
    assert run("compare", *networks, "-o", str(taken)) == 5
    assert "is a run, whose figures a comparison would replace" in capsys.readouterr().err
    assert sorted(path.name for path in taken.iterdir()) == before
