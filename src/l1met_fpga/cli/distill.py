"""``l1met distill``: whether a student gains by teachers."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.activity import Activity
from l1met_fpga.cli.options import Scheduler
from l1met_fpga.cli.run_choice import SAMPLE_HELP, load_task_run, typed_settings
from l1met_fpga.tasks.registry import task_named

if TYPE_CHECKING:
    from l1met_fpga.distillation.plan import StudyPlan
    from l1met_fpga.distillation.runs import FinishedRun
    from l1met_fpga.results.distillation import Comparison

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    distill = typer.Typer(
        help="Teachers and students: whether a network gains by others.", no_args_is_help=True
    )
    distill.command("compare")(_compare)
    distill.command("train")(_train)
    app.add_typer(distill, name="distill")


Study = Annotated[Path, typer.Argument(help="YAML file, such as models/distillation/met.yaml.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for the runs and the result.")]
Samples = Annotated[list[str] | None, typer.Option("--sample", "-s", help=SAMPLE_HELP)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a setting, such as seeds=8 or settings.training.epochs=5."),
]


def _plan(
    config: Path, output: Path, sample: list[str] | None, assign: list[str] | None
) -> "StudyPlan":
    from l1met_fpga.config.distillation import load_distillation
    from l1met_fpga.distillation.plan import StudyPlan
    from l1met_fpga.files import require_folder

    study = load_distillation(config, typed_settings(sample, assign))
    plan = StudyPlan(study, output, load_task_run)
    require_folder(output)
    return plan


def _train(
    config: Study,
    name: Annotated[str, typer.Argument(help="Name of an arm or of a teacher.")],
    seed: Annotated[int, typer.Argument(help="Its seed.")],
    *,
    output: Output,
    sample: Samples = None,
    assign: Settings = None,
) -> None:
    """Train one network of a comparison, whose teachers are complete; for batch systems and workflows.

    `l1met distill compare` into the same folder uses it.

    For example:

        l1met distill train models/distillation/met.yaml taught 3 -o build/distillation
    """
    from l1met_fpga.distillation.runs import Trainings
    from l1met_fpga.firmware.rtl.estimate import luts_of

    plan = _plan(config, output, sample, assign)
    run, console = plan.named(name, seed), terminal.console()
    command = shlex.join(["l1met", "distill", "train", str(config), name, str(seed)])
    trainings = Trainings(task_named(plan.student.task), luts_of, command, workers=1)
    with Activity(console, f"{name}, seed {seed}"):
        for finished in trainings.finish([run]):
            console.print(_sentence(finished, 1, 1))


def _compare(
    config: Study,
    *,
    output: Output,
    sample: Samples = None,
    assign: Settings = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Trainings at the same time, each on its own process.")
    ] = None,
    scheduler: Scheduler = None,
) -> None:
    """Train a student in several ways and compare them at equal rate, seed by seed.

    Teachers and students without teachers are trained first. Teachers that are not better than the
    student by more than the error, on the validation part, have nothing to teach: their arms are not
    trained. The others are judged on the test part, with paired errors, and one sentence is said about
    it. Trainings that are complete are used again; an interrupted comparison goes on when it is
    started again. Writes comparison.json, comparison.md and comparison.csv.

    For example:

        l1met distill compare models/distillation/met.yaml -o build/distillation
    """
    from l1met_fpga.distillation.compare import compare
    from l1met_fpga.distillation.runs import Trainings
    from l1met_fpga.firmware.rtl.estimate import luts_of

    plan = _plan(config, output, sample, assign)
    task, console = task_named(plan.student.task), terminal.console()
    command = shlex.join(["l1met", "distill", "compare", str(config), "--output", str(output)])
    trainings = Trainings(task, luts_of, command, workers=workers, scheduler=scheduler)
    with Activity(console, "comparing trainings") as activity:

        def report(finished: "FinishedRun", done: int, of: int) -> None:
            activity.say(_sentence(finished, done, of))

        found = compare(plan, task, output, trainings, luts_of, on_run=report, say=activity.say)
    _write(found, output)
    _print(console, found)
    console.print(f"written: {output / 'comparison.md'}, .csv and .json")


def _sentence(finished: "FinishedRun", done: int, of: int) -> str:
    run, efficiency = finished.run, finished.val_efficiency
    told = "was there" if finished.seconds is None else f"{finished.seconds:.0f} s"
    seen = "" if efficiency is None else f", efficiency {efficiency:.3f} on the validation part"
    return f"{done} of {of}: {run.name}, seed {run.seed}: {told}{seen}"


def _write(found: "Comparison", folder: Path) -> None:
    from l1met_fpga.distillation.text import table_csv, table_markdown
    from l1met_fpga.files import atomic_path, write_json

    write_json(folder / "comparison.json", found.model_dump(mode="json"))
    texts: Mapping[str, str] = {"md": table_markdown(found), "csv": table_csv(found)}
    for suffix, text in texts.items():
        with atomic_path(folder / f"comparison.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")


def _print(console: Console, found: "Comparison") -> None:
    from l1met_fpga.distillation.text import header, table_rows

    table = Table(title=f"Test part, {found.truth}, mean of the signal samples")
    for title in header(found):
        table.add_column(title, justify="left" if title in ("arm", "teachers") else "right")
    for row in table_rows(found):
        table.add_row(*row)
    console.print(table)
    if found.stopped is not None:
        console.print(f"Not all arms were trained: {found.stopped}.")
    console.print(found.verdict)
