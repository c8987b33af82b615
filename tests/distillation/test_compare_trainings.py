import json

import pytest
from keras_models import MODELS
from stores import SMALL, write_sample
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.config.yaml_text import write_yaml


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    stores = [
        write_sample(folder / "ttbar.h5", "ttbar", n_events=2500, seed=1),
        write_sample(folder / "pileup.h5", "pileup", n_events=900, seed=2),
    ]
    small = SMALL | {
        "training.epochs": 2, "training.float_twin": False, "training.teacher.twin": False,
        "training.pruning.enabled": False, "evaluation.bootstrap_samples": 20,
        "evaluation.efficiency_edges_gev": [20, 200, 400],
    }  # fmt: skip
    weight = {"training.teacher.weight": 2}
    content = {
        "student": str(MODELS / "deepset.yaml"),
        "settings": small,
        "samples": [{"path": str(path)} for path in stores],
        "seeds": 2,
        "gate": False,
        "teachers": {"large": {"config": str(MODELS / "deepset.yaml"), "settings": small}},
        "arms": {
            "plain": {},
            "taught": {"teachers": ["large"], "settings": weight},
            "itself": {"teachers": ["plain"], "settings": weight},
            "shuffled": {
                "teachers": ["large"], "settings": weight | {"training.teacher.shuffled": True},
            },
        },
    }  # fmt: skip
    path = folder / "study.yaml"
    path.write_text(write_yaml(content), encoding="utf-8")
    return path


def compare(study, output, *more):
    argv = ["distill", "compare", str(study), "-o", str(output), "--workers", "1", *more]
    return CliRunner().invoke(app, argv, catch_exceptions=False)


@pytest.mark.slow
def test_a_comparison_goes_on_and_says_one_sentence(study, tmp_path):
    done = compare(study, tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out/comparison.json").read_text())
    assert list(found["arms"]) == ["plain", "taught", "itself", "shuffled"]
