"""The page on adding a task does what it says."""

import re
from pathlib import Path

import numpy as np
import test_contract

from l1met_fpga.config.run import load_run
from l1met_fpga.tasks.registry import TASKS

PAGE = Path(__file__).parents[2] / "docs/add-a-task.md"


def test_the_smallest_example_keeps_the_contract(tmp_path, monkeypatch):
    ((language, code), (other, yaml)) = re.findall(
        r"```(python|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert (language, other) == ("python", "yaml")
    here = {}
    exec(code, here)
    task = here["TASK"]
    path = tmp_path / "sum_pt.yaml"
    path.write_text(yaml)
    assert load_run(path).task == task.name not in TASKS
    monkeypatch.setattr(test_contract, "shipped", lambda task: load_run(path))
    examples = test_contract.events(task, 40)
    test_contract.test_every_head_has_a_truth_and_a_loss(task)
    test_contract.test_a_network_starts_from_what_the_trigger_gives_today(task, examples)
    test_contract.test_each_loss_is_least_at_the_truth(task, examples)
    test_contract.test_baselines_estimate_every_head_and_the_fitted_ones_are_closer(task)
    test_contract.test_figures_and_tables_render(task, tmp_path)
    np.savez(tmp_path / "a.npz", sum_pt=[1.0, 2.0])
    assert task.files.read(tmp_path / "a.npz")[0]["sum_pt"].shape == (2, 1)
