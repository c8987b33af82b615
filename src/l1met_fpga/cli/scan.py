"""``l1met scan``: search for widths, sizes and sparsity."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import Scheduler
from l1met_fpga.cli.run_choice import SAMPLE_HELP, load_typed_run
from l1met_fpga.files import require_folder
from l1met_fpga.tasks.registry import task_named

if TYPE_CHECKING:
    from l1met_fpga.models.network import Network
    from l1met_fpga.results.scan import Trial

__all__ = ["lane_luts", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scan")(_scan)


def lane_luts(network: "Network") -> float:
    """Return da4ml's LUT estimate of one lane of the streaming firmware."""
    from l1met_fpga.config.rtl import RtlConfig
    from l1met_fpga.firmware.rtl.design import build_design

    return float(build_design(network, RtlConfig(lanes=1)).phi.lut_estimate)


def _scan(
    config: Annotated[Path, typer.Argument(help="YAML file, such as models/deepset.yaml.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; scans/NAME if not given.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", "-n", min=1, help="Trials in all.")] = 20,
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", "-s", help=SAMPLE_HELP),
    ] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting, such as scan.epochs=5.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Trials at the same time, each on its own process.")
    ] = None,
    scheduler: Scheduler = None,
) -> None:
    """Search for kernel widths, activation widths, sizes and sparsity.

    Every trial trains a pruned network for a few epochs; it is scored on the validation part by its
    worst cell against the weight table (process, rate and range of the truth; scan.score=efficiency
    takes the mean efficiency) and by the LUTs of one lane. An interrupted scan goes on when
    it is started again. Writes scan.json and scan.png.

    For example:

        l1met scan models/deepset.yaml --trials 30 --set scan.epochs=8
    """
    run_config = load_typed_run(config, sample, assign)
    from l1met_fpga.training.scan import pareto, run_scan

    folder = output or Path("scans") / run_config.model.name
    require_folder(folder)
    console = terminal.console()

    def report(trial: "Trial") -> None:
        console.print(
            f"trial {trial.number}: efficiency {trial.efficiency:.3f}, worst cell against the table "
            f"{_worst(trial)}, {trial.luts:.0f} LUTs a lane"
        )

    task = task_named(run_config.task)
    done = run_scan(
        run_config, task, folder, trials=trials, cost=lane_luts, workers=workers, scheduler=scheduler,
        on_trial=report,
    )  # fmt: skip
    best = pareto(done)
    low, high, *_ = run_config.evaluation.efficiency_edges_gev
    truth = f"{task.words.truth} {low:g}-{high:g} {task.words.unit}"
    title = (
        f"Efficiency, {truth}, equal rate"
        if run_config.scan.score == "efficiency"
        else "Worst cell against the table, in standard errors"
    )
    _write(done, best, folder, title)
    table = Table(title=f"Best of {len(done)} trials for their size")
    for column in ("trial", "efficiency", "worst cell", "LUTs a lane", "parameters"):
        table.add_column(column, justify="left" if column == "parameters" else "right")
    for trial in best:
        found = ", ".join(
            f"{k} {v:.2f}" if isinstance(v, float) else f"{k} {v}"
            for k, v in trial.parameters.items()
        )
        table.add_row(
            str(trial.number), f"{trial.efficiency:.3f}", _worst(trial), f"{trial.luts:.0f}", found
        )
    console.print(table)
    console.print(f"written: {folder / 'scan.json'}, {folder / 'scan.png'}")


def _worst(trial: "Trial") -> str:
    return "-" if trial.worst is None else trial.worst.text


def _write(done: "list[Trial]", best: "list[Trial]", folder: Path, title: str) -> None:
    from matplotlib.figure import Figure

    from l1met_fpga.files import write_json
    from l1met_fpga.plots.figure import COLOURS, save_figure, styled
    from l1met_fpga.results.scan import Scan

    front = {trial.number for trial in best}
    trials = [one.model_copy(update={"pareto": one.number in front}) for one in done]
    write_json(folder / "scan.json", Scan(trials=trials).model_dump())
    with styled():
        figure = Figure(figsize=(8, 6))
        axis = figure.subplots()
        axis.plot([t.luts for t in done], [t.score for t in done], "o", color="0.6")
        axis.plot(
            [t.luts for t in best], [t.score for t in best], "o-", color=COLOURS[0],
            label="best for its size",
        )  # fmt: skip
        axis.set_xlabel("LUTs of one lane (da4ml)")
        axis.set_ylabel(title)
        axis.legend()
    save_figure(figure, folder, "scan")
