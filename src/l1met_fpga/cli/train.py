"""``l1met train``: train a network and its twins, evaluate them, print the table."""

import math
import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.activity import Activity
from l1met_fpga.cli.loss_text import loss_text
from l1met_fpga.cli.run_choice import SAMPLE_HELP, load_typed_run
from l1met_fpga.cli.summary_tables import summary_tables
from l1met_fpga.errors import ConfigError
from l1met_fpga.results.run import VAL_EFFICIENCY
from l1met_fpga.tasks.registry import task_named

if TYPE_CHECKING:
    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.results.run import TrainingSummary
    from l1met_fpga.run_folder import RunFolder
    from l1met_fpga.tasks.task import Task
    from l1met_fpga.training.seeds import SeedResult

__all__ = ["register", "train"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    config: Annotated[Path, typer.Argument(help="YAML file, such as models/deepset.yaml.")],
    *,
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", "-s", help=SAMPLE_HELP),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder; runs/NAME-TIME if not given.")
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting, for example training.epochs=3."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Train with so many seeds, keep the best on the validation part, show all."
        ),
    ] = None,
    evaluate: Annotated[bool, typer.Option(help="Evaluate on the test part afterwards.")] = True,
) -> None:
    """Train a network: float twin, quantized twin, and quantized and pruned for firmware.

    The run folder then holds everything that `l1met evaluate` and `l1met synthesize` need.

    For example:

        l1met train models/deepset.yaml --set training.epochs=3

        l1met train models/garnet.yaml -s ttbar.h5:0.5 -s pileup.h5:0.5 -o runs/garnet

        l1met train models/deepset.yaml --seeds 3
    """
    run_config = load_typed_run(config, sample, assign)
    if resume and output is None:
        raise ConfigError("--resume needs --output, the folder of the interrupted run")
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    root = output or Path("runs") / f"{run_config.model.name}-{stamp}"
    task = task_named(run_config.task)
    from l1met_fpga.firmware.rtl.estimate import luts_of
    from l1met_fpga.run_folder import RunFolder
    from l1met_fpga.training.networks import planned
    from l1met_fpga.training.seeds import train_seeds
    from l1met_fpga.training.session import train_run

    command = _command(config, root, sample or [], assign or [], seeds)
    console = terminal.console()

    def train_one(settings: "RunConfig", folder: Path, go_on: bool) -> None:
        if seeds is not None:
            console.print(f"seed {settings.training.seed}: {folder}")
        wanted = {one.name: one.epochs for one in planned(settings)}
        with _Epochs(wanted, settings, task) as epochs:
            run = train_run(
                settings, task, folder, command=command, overwrite=overwrite and seeds is None,
                resume=go_on, report=epochs.report, on_start=epochs.start,
                cost=luts_of(settings.rtl),
            )  # fmt: skip
        _print_sizes(console, run.summary)

    if seeds is None:
        train_one(run_config, root, resume)
    else:
        found = train_seeds(
            run_config, root, seeds=seeds, train=train_one, overwrite=overwrite, resume=resume
        )
        _print_seeds(console, found)
    if evaluate:
        _evaluate(console, RunFolder.open(root), run_config, task)
    if run_config.model.no_firmware:
        console.print(f"run folder {root}; {run_config.model.name} is float and has no firmware")
        return
    console.print(f"run folder {root}; next: make hls, or")
    console.print(f"  {terminal.program()} synthesize {shlex.quote(str(root))}")


def _command(
    config: Path, root: Path, samples: list[str], assignments: list[str], seeds: int | None
) -> str:
    """Return the command that makes this run, with every flag that decides what is in it."""
    given = [word for text in samples for word in ("--sample", text)]
    given += [word for text in assignments for word in ("--set", text)]
    given += [] if seeds is None else ["--seeds", str(seeds)]
    return shlex.join(["l1met", "train", str(config), "--output", str(root), *given])


class _Lane:
    """Networks that train one after another, and when they will be done."""

    def __init__(self, names: Sequence[str], epochs: Mapping[str, int]) -> None:
        self.names, self._epochs, self._seen = names, epochs, 0
        self._started_s = self.ends_s = time.monotonic()

    def seen(self, variant: str, epochs_done: int) -> None:
        """Note an epoch; every one that is left takes as long as those so far did on average."""
        if variant not in self.names:
            return
        self._seen += 1
        after = self.names[self.names.index(variant) :]
        left = sum(self._epochs[name] for name in after) - epochs_done
        now = time.monotonic()
        self.ends_s = now + left * (now - self._started_s) / self._seen


class _Epochs:
    """One progress bar per variant on a terminal, one line per epoch elsewhere."""

    def __init__(self, epochs: dict[str, int], config: "RunConfig", task: "Task") -> None:
        self._console = terminal.console(stderr=True)
        self._epochs = epochs
        self._ranges, self._words = config.evaluation, task.words
        self._titles = {
            name: f"network {number} of {len(epochs)} ({name})"
            for number, name in enumerate(epochs, start=1)
        }
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[figures]}"),
            console=self._console, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._tasks = {
            name: self._progress.add_task(title, total=self._epochs[name], start=False, figures="")
            for name, title in self._titles.items()
        }
        self._lanes: list[_Lane] = []
        self._best: dict[tuple[str, str], float] = {}
        self._activity = Activity(terminal.console(), "reading the samples")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
            self._progress.start_task(next(iter(self._tasks.values())))
        else:
            self._activity.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._progress.stop()
        else:
            self._activity.stop()

    def start(self, reference: Mapping[str, float], lanes: Sequence[Sequence[str]]) -> None:
        """Say what the trigger gives today on the validation events, and what efficiency is of.

        Args:
            reference: Figures of it.
            lanes: Networks that train one after another, by process.
        """
        words = self._words
        found = (
            f"PUPPI {words.score} on the same events: validation {loss_text(reference['val_loss'])}"
        )
        signals = [f"{label} {value:.2f}" for label, value in _signals(reference).items()]
        if signals:
            low, high, *_ = self._ranges.efficiency_edges_gev
            found += (
                f"{_efficiency_at(reference)} ({words.truth} {low:g}-{high:g} {words.unit}; "
                f"{', '.join(signals)})"
            )
        self._say(found)
        self._lanes = [_Lane(names, self._epochs) for names in lanes]
        first = next(iter(self._titles))
        self._activity.doing(f"{self._titles[first]}, epoch 1/{self._epochs[first]}")

    def report(self, variant: str, epochs_done: int, figures: dict[str, float]) -> None:
        """Show the figures of an epoch and about how long the rest takes."""
        best = self._against_best(variant, "val_loss", figures, rises=False)
        found = (
            f"loss {loss_text(figures['loss'])}, validation {loss_text(figures['val_loss'])}{best}"
        )
        best = self._against_best(variant, VAL_EFFICIENCY, figures, rises=True)
        found += _efficiency_at(figures, best) + self._time_left(variant, epochs_done)
        name, epoch = self._after(variant, epochs_done)
        self._activity.doing(f"{self._titles[name]}, epoch {epoch}/{self._epochs[name]}")
        if self._console.is_terminal:
            self._progress.start_task(self._tasks[variant])
            self._progress.update(self._tasks[variant], completed=epochs_done, figures=found)
            self._progress.start_task(self._tasks[name])
        else:
            self._say(
                f"{self._titles[variant]}, epoch {epochs_done}/{self._epochs[variant]}: {found}"
            )

    def _after(self, variant: str, epochs_done: int) -> tuple[str, int]:
        """Return the network and the epoch that follow, the last ones after the last."""
        lane = next(lane.names for lane in self._lanes if variant in lane.names)
        later = lane[lane.index(variant) + 1 :]
        if epochs_done == self._epochs[variant] and later:
            return later[0], 1
        return variant, min(epochs_done + 1, self._epochs[variant])

    def _against_best(
        self, variant: str, name: str, figures: Mapping[str, float], *, rises: bool
    ) -> str:
        """Say the best value so far, where this one is none."""
        value = figures.get(name, math.nan)
        if math.isnan(value):
            return ""
        choose = max if rises else min
        best = self._best[variant, name] = choose(value, self._best.get((variant, name), value))
        return "" if best == value else f" (best {f'{best:.2f}' if rises else loss_text(best)})"

    def _time_left(self, variant: str, epochs_done: int) -> str:
        """Say how long all networks take if every process goes on at its speed."""
        for lane in self._lanes:
            lane.seen(variant, epochs_done)
        left_s = max(lane.ends_s for lane in self._lanes) - time.monotonic()
        if left_s <= 0:
            return ""
        told = f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s"
        return f"; {told} left for all at this speed"

    def _say(self, text: str) -> None:
        if self._console.is_terminal:
            self._progress.console.print(text)
        else:
            self._activity.say(text)


def _efficiency_at(figures: Mapping[str, float], best: str = "") -> str:
    """Say the efficiency, mean of the signals, and at which rate of which it is."""
    if VAL_EFFICIENCY not in figures:
        return ""
    signals = ", ".join(_signals(figures))
    return (
        f", efficiency for {signals} {figures[VAL_EFFICIENCY]:.2f}{best} "
        f"at {figures['val_rate_khz']:.0f} kHz"
    )


def _signals(figures: Mapping[str, float]) -> dict[str, float]:
    return {
        name.removeprefix("val_").removesuffix("_efficiency"): value
        for name, value in figures.items()
        if name.endswith("_efficiency") and name != VAL_EFFICIENCY
    }


def _evaluate(console: Console, folder: "RunFolder", config: "RunConfig", task: "Task") -> None:
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.evaluation.draw import draw_all, read_history
    from l1met_fpga.evaluation.metrics_content import to_metrics
    from l1met_fpga.evaluation.runs import NamedRun, evaluate_runs
    from l1met_fpga.report.write import write_report
    from l1met_fpga.results.metrics_file import save_metrics

    with Activity(console, "evaluating on the test part") as activity:
        activity.say("evaluating on the test part")
        found = evaluate_runs([NamedRun.open(str(folder.root))], task, config.evaluation)
        metrics = to_metrics(found)
        with folder.writing():
            save_metrics(metrics, folder.metrics)
            activity.doing("drawing the figures")
            activity.say("drawing the figures")
            draw_all(found, folder.plots, history=read_history(folder.history))
            written = write_report(folder)
    for table in summary_tables(metrics):
        console.print(table)
    for note in metrics.notes:
        console.print(note)
    print_answers(console, written.answers)
    console.print(f"plots in {folder.plots}, report {folder.report('html')}")


def _print_seeds(console: Console, found: "Sequence[SeedResult]") -> None:
    table = Table(title=f"{len(found)} seeds on the validation part, the best is kept")
    for column in ("seed", "validation loss", "efficiency", "zero weights", "LUTs (estimate)", ""):
        table.add_column(column, justify="right")

    def told(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    for one in found:
        table.add_row(
            str(one.seed), f"{one.val_loss:.1f}", told(one.val_efficiency, ".3f"),
            told(one.zero_fraction, ".1%"), told(one.luts, ".0f"), "kept" if one.chosen else "",
        )  # fmt: skip
    console.print(table)


def _per_kernel(zeros: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name.removesuffix('_dense')} {part:.0%}"
        for name, part in zeros.items()
        if name != "total"
    )


def _print_sizes(console: Console, summary: "TrainingSummary") -> None:
    table = Table(title=f"{summary.model}: {summary.training_events} training events")
    for column in ("network", "parameters", "zero weights", "epochs", "seconds"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for variant, found in summary.networks.items():
        zeros = found.zero_fraction
        table.add_row(
            "quantized, pruned" if variant == "pruned" else variant,
            str(found.parameters),
            "-" if zeros is None else f"{zeros:.1%} ({_per_kernel(found.zero_fractions)})",
            str(found.epochs),
            f"{found.seconds:.0f}",
        )
    console.print(table)
