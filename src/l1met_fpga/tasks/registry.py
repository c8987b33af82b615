"""The tasks by name; the only place (with ``cli/``, which asks it) that knows which there are."""

import difflib
import importlib
from typing import TYPE_CHECKING, Final

from l1met_fpga.errors import ConfigError

if TYPE_CHECKING:
    from l1met_fpga.tasks.task import Task

__all__ = ["DEFAULT_TASK", "TASKS", "task_named"]

DEFAULT_TASK: Final = "met"

TASKS: Final = {
    "met": "l1met_fpga.tasks.met.task",
    "ht": "l1met_fpga.tasks.ht",
    "jets": "l1met_fpga.tasks.jets.task",
    "candidate_weight": "l1met_fpga.tasks.candidate_weight",
    "flow": "l1met_fpga.tasks.flow.task",
}
"""Module of each task; it holds a value ``TASK``."""


def task_named(name: str) -> "Task":
    """Return a task.

    Raises:
        ConfigError: If there is none of this name; names the nearest.
    """
    if name not in TASKS:
        near = difflib.get_close_matches(name.lower(), TASKS, n=1, cutoff=0.0)
        raise ConfigError(
            f"there is no task {name!r}; did you mean {near[0]!r}? Tasks are {', '.join(TASKS)} "
            "(`task:` in the model's YAML file)"
        )
    task: Task = importlib.import_module(TASKS[name]).TASK
    return task
