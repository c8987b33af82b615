import csv
import json

import pytest
from keras_models import MODELS
from stores import SMALL, write_sample
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.cli.run_choice import load_task_run
from l1met_fpga.config.base import load_yaml, override
from l1met_fpga.config.distillation import load_distillation
from l1met_fpga.config.yaml_text import write_yaml
from l1met_fpga.distillation.plan import StudyPlan
from l1met_fpga.errors import ConfigError, DataError, RunFolderError

WEIGHT = {"training.teacher.weight": 2}
SET_BY_THE_COMPARISON = {
    "training.unpruned_twin",
    "training.teacher.twin",
    "training.teacher.train",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    stores = [
        write_sample(folder / "ttbar.h5", "ttbar", n_events=2500, seed=1),
        write_sample(folder / "pileup.h5", "pileup", n_events=900, seed=2),
    ]
    small = {key: SMALL[key] for key in SMALL if key != "training.unpruned_twin"} | {
        "training.epochs": 1, "training.float_twin": False,
        "training.pruning.enabled": False, "evaluation.bootstrap_samples": 20,
        "evaluation.efficiency_edges_gev": [20, 200, 400],
    }  # fmt: skip
    content = {
        "student": str(MODELS / "deepset.yaml"),
        "settings": small,
        "samples": [{"path": str(path)} for path in stores],
        "seeds": 2,
        "teachers": {"other": {"config": str(MODELS / "deepset.yaml"), "settings": small}},
        "arms": {
            "plain": {},
            "taught": {"teachers": ["other"], "settings": WEIGHT},
            "shuffled": {
                "teachers": ["other"], "settings": WEIGHT | {"training.teacher.shuffled": True},
            },
        },
    }  # fmt: skip
    path = folder / "study.yaml"
    path.write_text(write_yaml(content), encoding="utf-8")
    return path


def compare(study, output, *more):
    argv = ["distill", "compare", str(study), "-o", str(output), "--workers", "1", *more]
    return CliRunner().invoke(app, argv)


@pytest.mark.slow
def test_a_comparison_goes_on_and_says_one_sentence(study, tmp_path):
    """A teacher of another seed of the student knows nothing more: the gate may stop or not."""
    out = tmp_path / "out"
    done = compare(study, out, "--set", "gate=false")
    assert done.exit_code == 0, done.output
    assert "7 of 7: shuffled, seed 2" in done.output
    assert "no bound: the samples do not say" in done.output
    found = json.loads((out / "comparison.json").read_text())
    assert list(found["arms"]) == ["plain", "taught", "shuffled"]
    assert [arm["control"] for arm in found["arms"].values()] == [False, False, True]
    assert found["verdict"] in done.output
    key = found["points"][0]["key"]
    plain, taught = (
        found["arms"][name]["efficiency"][key]["value"] for name in ("plain", "taught")
    )
    effect = found["arms"]["taught"]["difference"][key]
    assert effect["value"] == pytest.approx(taught - plain)
    assert effect["error"] ** 2 == pytest.approx(
        effect["error_seeds"] ** 2 + effect["error_events"] ** 2
    )
    assert found["arms"]["taught"]["luts"] > 100
    assert {"PUPPI MET"} < {*found["baselines"]}
    with (out / "comparison.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * len(found["points"])
    assert "| taught | other | 2 |" in (out / "comparison.md").read_text()

    again = compare(study, out, "--set", "gate=false")  # nothing is trained again
    assert again.output.count(": was there, efficiency") == 7
    assert json.loads((out / "comparison.json").read_text()) == found
    other = compare(study, out, "--set", "settings.training.batch_size=32")
    assert isinstance(other.exception, RunFolderError)
    assert "other/seed1" not in str(other.exception)  # whose settings are its own
    assert "section training was" in str(other.exception)


def test_a_comparison_without_a_rate_is_an_error(study, tmp_path):
    ttbar = str(study.parent / "ttbar.h5")
    done = compare(study, tmp_path / "out", "-s", ttbar)
    assert isinstance(done.exception, DataError)
    assert "there are 0 pile-up-only and 1 signal samples" in str(done.exception)
    assert not (tmp_path / "out" / "arms").exists()


def test_a_setting_that_is_not_there_is_said_of_the_arm_that_has_it(study, tmp_path):
    done = compare(study, tmp_path / "out", "--set", "arms.taught.settings.training.epoch=3")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("taught, with its settings: ")
    assert "unknown key 'training.epoch'; did you mean 'epochs'?" in str(done.exception)
    assert not (tmp_path / "out").exists()


def student_with(teacher, folder):
    """A student whose own file has teachers."""
    recipe = override(load_yaml(MODELS / "deepset.yaml"), {"training.teacher": teacher})
    path = folder / "student.yaml"
    path.write_text(write_yaml(recipe))
    return {"student": str(path), "settings.training.float_twin": True}


def test_nobody_teaches_whom_no_arm_names(study, tmp_path):
    """A student's file may have teachers of its own; the baseline has none, others have theirs alone."""
    own = {"weight": 3.0, "twin": True, "train": 2, "runs": [str(MODELS / "deepset")]}
    plan = StudyPlan(load_distillation(study, student_with(own, tmp_path)), tmp_path, load_task_run)
    plain, taught = (plan.named(name, 1).config.training.teacher for name in ("plain", "taught"))
    assert (plain.weight, plain.runs) == (0, ())
    assert taught.runs == (tmp_path / "teachers/other/seed1",)
    assert (taught.twin, taught.train) == (False, 0)


def test_teachers_without_weight_are_refused_whichever_file_says_so(study, tmp_path):
    own = {"arms.taught.settings": {}, "settings.training.teacher.weight": 0}
    with pytest.raises(ConfigError, match=r"their weight is 0; set arms\.taught\.settings"):
        StudyPlan(load_distillation(study, own), tmp_path, load_task_run)
    own = {"arms.taught.settings": {}, **student_with({"weight": 0.5}, tmp_path)}
    plan = StudyPlan(load_distillation(study, own), tmp_path, load_task_run)
    assert plan.named("taught", 2).config.training.teacher.weight == 0.5


def test_teachers_of_another_task_are_refused(study, tmp_path):
    done = compare(study, tmp_path / "out", "--set", f"teachers.other.config={MODELS / 'ht.yaml'}")
    assert isinstance(done.exception, ConfigError)
    assert "other is of the task 'ht', the student of 'met'" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "seed", "message"),
    [
        (
            "pupil",
            "1",
            "there is no arm and no teacher 'pupil'; there are other, plain, taught, shuf",
        ),
        ("taught", "3", "taught has no seed 3; its seeds are 1, 2"),
    ],
)
def test_a_training_that_is_not_planned_is_refused(study, tmp_path, name, seed, message):
    argv = ["distill", "train", str(study), name, seed, "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, argv)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)
