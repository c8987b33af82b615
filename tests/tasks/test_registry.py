"""Tasks by name."""

import pytest
from keras_models import MODELS
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.cli.run_choice import load_typed_run
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError
from l1met_fpga.tasks.ht import TASK as HT
from l1met_fpga.tasks.registry import DEFAULT_TASK, TASKS, task_named


def test_a_task_has_the_name_it_is_asked_for_by():
    assert [task_named(name).name for name in TASKS] == list(TASKS)
    assert DEFAULT_TASK in TASKS


@pytest.mark.parametrize(("asked", "near"), [("mett", "met"), ("HT", "ht"), ("", "")])
def test_an_unknown_task_names_the_nearest(asked, near):
    with pytest.raises(ConfigError) as caught:
        task_named(asked)
    said = str(caught.value)
    assert said.startswith(f"there is no task {asked!r}; ")
    assert not near or f"did you mean {near!r}?" in said
    assert f"Tasks are {', '.join(TASKS)} (`task:` in the model's YAML file)" in said


def test_the_task_of_a_model_is_met_unless_its_file_says_another():
    assert load_run(MODELS / "deepset.yaml").task == "met"
    assert load_run(MODELS / "deepset.yaml", {"task": "ht"}).task == "ht"


def test_bins_that_a_file_does_not_give_are_those_of_its_task():
    deepset = MODELS / "deepset.yaml"
    other = load_typed_run(deepset, None, ["task=ht", "evaluation.roc_above_gev=150"]).evaluation
    assert other == HT.evaluation.model_copy(update={"roc_above_gev": 150.0})
    assert load_typed_run(deepset, None, None).evaluation == EvaluationConfig()
    assert load_typed_run(MODELS / "ht.yaml", None, None).evaluation == HT.evaluation


def test_training_of_an_unknown_task_makes_nothing(tmp_path):
    arguments = ["train", str(MODELS / "deepset.yaml"), "--set", "task=mte", "-o"]
    result = CliRunner().invoke(app, [*arguments, str(tmp_path / "run")])
    assert "there is no task 'mte'; did you mean 'met'?" in str(result.exception)
    assert not (tmp_path / "run").exists()
