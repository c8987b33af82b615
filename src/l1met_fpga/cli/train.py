"""``l1met train``: train a network and its twins, evaluate them, print the table."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.run_choice import SAMPLE_HELP, load_typed_run
from l1met_fpga.errors import ConfigError

if TYPE_CHECKING:
    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.results.metrics import Efficiency, Metrics, Resolution
    from l1met_fpga.run_folder import RunFolder
    from l1met_fpga.training.callbacks import EpochReport

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(_train)


def _train(
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
    evaluate: Annotated[bool, typer.Option(help="Evaluate on the test part afterwards.")] = True,
) -> None:
    """Train a network: float twin, quantized twin, and quantized and pruned for firmware.

    The run folder then holds everything that `l1met evaluate` and `l1met synthesize` need.

    For example:

        l1met train models/deepset.yaml --set training.epochs=3

        l1met train models/garnet.yaml -s ttbar.h5:0.5 -s pileup.h5:0.5 -o runs/garnet
    """
    run_config = load_typed_run(config, sample, assign)
    if resume and output is None:
        raise ConfigError("--resume needs --output, the folder of the interrupted run")
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    root = output or Path("runs") / f"{run_config.model.name}-{stamp}"
    from l1met_fpga.training.session import train_run, variants

    names = [str(variant) for variant in variants(run_config)]
    with _Epochs(names, run_config.training.epochs) as report:
        command = _command(config, root, sample or [], assign or [])
        run = train_run(
            run_config, root, command=command, overwrite=overwrite, resume=resume, report=report
        )
    console = terminal.console()
    if evaluate:
        _evaluate(console, run.folder, run_config)
    _print_sizes(console, run.summary)
    console.print(f"run folder {root}; next: `l1met synthesize {root}`")


def _command(config: Path, root: Path, samples: list[str], assignments: list[str]) -> str:
    """Return the command that makes this run, with every flag that decides what is in it."""
    given = [word for text in samples for word in ("--sample", text)]
    given += [word for text in assignments for word in ("--set", text)]
    return shlex.join(["l1met", "train", str(config), "--output", str(root), *given])


class _Epochs:
    """One progress bar per variant on a terminal, one line per epoch elsewhere."""

    def __init__(self, names: list[str], epochs: int) -> None:
        self._console = terminal.console(stderr=True)
        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[figures]}"),
            console=self._console, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._tasks = {
            name: self._progress.add_task(name, total=epochs, start=False, figures="")
            for name in names
        }

    def __enter__(self) -> "EpochReport":
        self._progress.start()
        return self._report

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _report(self, variant: str, epochs_done: int, figures: dict[str, float]) -> None:
        found = f"loss {figures['loss']:.1f}, validation {figures['val_loss']:.1f}"
        if "val_efficiency" in figures:
            found += (
                f", efficiency {figures['val_efficiency']:.3f} at {figures['val_rate_khz']:.0f} kHz"
            )
        if self._console.is_terminal:
            task = self._tasks[variant]
            self._progress.start_task(task)
            self._progress.update(task, completed=epochs_done, figures=found)
        else:
            print(f"{variant} epoch {epochs_done}/{self._epochs}: {found}", flush=True)


def _evaluate(console: Console, folder: "RunFolder", config: "RunConfig") -> None:
    from l1met_fpga.evaluation.draw import draw_all, read_history
    from l1met_fpga.evaluation.metrics_file import save_metrics, to_metrics
    from l1met_fpga.evaluation.runs import NamedRun, evaluate_runs

    found = evaluate_runs([NamedRun.open(str(folder.root))], config.evaluation)
    metrics = to_metrics(found)
    save_metrics(metrics, folder.metrics)
    draw_all(found, folder.plots, history=read_history(folder.history))
    console.print(_table(metrics))
    for note in metrics.notes:
        console.print(note)
    console.print(f"plots in {folder.plots}")


def _table(metrics: "Metrics") -> Table:
    """Resolution, and efficiency at the lowest rate in bins of genMET, of all estimates."""
    low, high = metrics.config.gain_range_gev
    title = f"Test part: slope-corrected widths for genMET {low:g}-{high:g} GeV"
    point = metrics.working_points[0] if metrics.working_points else None
    if point is not None:
        title += f"; efficiency at {point.title}"
    table = Table(title=title)
    table.add_column("MET", no_wrap=True)
    for label in metrics.resolution:
        table.add_column(f"{label}\nu_par, u_perp", justify="right", no_wrap=True)
    for label, found in metrics.trigger.items():
        for key in found.efficiency[point.key] if point else ():
            bins = key.replace("_", "-").replace("above-", "> ")
            table.add_column(f"{label}\n{bins} GeV", justify="right", no_wrap=True)
    for name, about in metrics.estimates.items():
        cells = [_widths(found, name) for found in metrics.resolution.values()]
        for trigger in metrics.trigger.values():
            rows = trigger.efficiency[point.key].values() if point else ()
            cells += [_efficiency(row[name]) for row in rows]
        table.add_row(about.title, *cells)
    return table


def _widths(found: "Resolution", name: str) -> str:
    figures = found.inclusive.estimates[name]
    widths = (figures.parallel_over_slope_gev, figures.perpendicular_over_slope_gev)
    return ", ".join("-" if w.value[0] is None else f"{w.value[0]:.1f}" for w in widths)


def _efficiency(cell: "Efficiency") -> str:
    if cell.efficiency is None or cell.low is None or cell.high is None:
        return "-"
    return f"{cell.efficiency:.3f} ±{(cell.high - cell.low) / 2:.3f}"


def _print_sizes(console: Console, summary: dict[str, Any]) -> None:
    table = Table(title=f"{summary['model']}: {summary['training_events']} training events")
    for column in ("network", "parameters", "zero weights", "epochs", "seconds"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for variant, found in summary["networks"].items():
        zeros = found["zero_fractions"].get("total")
        table.add_row(
            "quantized, pruned" if variant == "pruned" else variant,
            str(found["parameters"]),
            "-" if zeros is None else f"{zeros:.1%}",
            str(found["epochs"]),
            f"{found['seconds']:.0f}",
        )
    console.print(table)
