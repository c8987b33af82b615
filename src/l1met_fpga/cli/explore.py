"""``l1met explore``: what lanes, pipeline depth, kernel width and sparsity cost and gain."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import CopiedRun, LastRun

if TYPE_CHECKING:
    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.firmware.rtl.explore import Point
    from l1met_fpga.models.network import Network

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explore")(_explore)


def _numbers(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return tuple(kind(part) for part in text.split(","))
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a list such as 1,2,3") from None

    return parse


def _explore(
    run: LastRun = None,
    *,
    lanes: Annotated[str | None, typer.Option(help="Candidates per clock, e.g. 1,2,3,6.")] = None,
    adders: Annotated[
        str | None, typer.Option(help="Longest adder chain between registers, e.g. 1,2,3.")
    ] = None,
    bits: Annotated[str | None, typer.Option(help="Kernel bits to take off, e.g. 0,1.")] = None,
    zeros: Annotated[
        str | None, typer.Option(help="Least fraction of zero weights, e.g. 0,0.7,0.8.")
    ] = None,
    events: Annotated[
        int, typer.Option("--events", "-n", min=0, help="Test events for physics; 0 for none.")
    ] = 3000,
    output: CopiedRun = None,
) -> None:
    """Explore designs of a trained network without training again.

    Every combination is traced and its LUTs, latency and interval are estimated; the physics of
    changed kernels is measured on test events. Writes rtl_explore.json and plots/rtl_explore in
    the run folder.

    For example:

        l1met explore runs/deepset --lanes 2,3,4 --zeros 0,0.7,0.8
    """
    from dataclasses import asdict

    from l1met_fpga.cli.run_choice import open_run, with_typed
    from l1met_fpga.config.rtl import ExploreConfig
    from l1met_fpga.config.run import load_run
    from l1met_fpga.files import write_json
    from l1met_fpga.firmware.rtl.explore import explore, pareto, plot
    from l1met_fpga.models.network_of_run import network_of
    from l1met_fpga.plots.figure import save_figure

    typed = {
        "lanes": _numbers(int)(lanes) if lanes else None,
        "adders_per_stage": _numbers(float)(adders) if adders else None,
        "kernel_frac_bits_removed": _numbers(int)(bits) if bits else None,
        "zero_fraction": _numbers(float)(zeros) if zeros else None,
    }
    grid = with_typed(ExploreConfig(), typed, where="explore")
    folder = open_run(run, output)
    config = load_run(folder.need(folder.config, made_by="l1met train"))
    network = network_of(folder)
    console = terminal.console()
    physics = _resolution(network, config, events) if events else None
    points = list(
        track(
            explore(network, config.rtl, grid, physics),
            total=grid.n_points,
            description="designs",
            console=console,
        )
    )
    front = pareto(points)
    _print(console, points, front, config.rtl.clock_period_ns)
    rows = [
        {**asdict(p), "resolution_gev": p.resolution_gev if events else None, "pareto": on_front}
        for p, on_front in zip(points, front, strict=True)
    ]
    figure = plot(
        points,
        clock_period_ns=config.rtl.clock_period_ns,
        resolution_of=_measured_on(config) if events else "not measured",
    )
    with folder.writing():
        write_json(folder.root / "rtl_explore.json", {"network": network.name, "points": rows})
        save_figure(figure, folder.plots, "rtl_explore")
    console.print(
        f"written: {folder.root / 'rtl_explore.json'}, {folder.plots / 'rtl_explore.png'}"
    )


def _measured_on(config: "RunConfig") -> str:
    from l1met_fpga.tasks.registry import task_named

    low, high = config.evaluation.gain_range_gev
    words = task_named(config.task).words
    return f"{words.truth} {low:g} to {high:g} {words.unit}, not retrained"


def _resolution(
    network: "Network", config: "RunConfig", events: int
) -> "Callable[[Network], float]":
    """Slope-corrected resolution (mean of the task's widths) on the first sample."""
    import numpy as np

    from l1met_fpga.data.sample_store import store_of
    from l1met_fpga.data.slots import all_slots, first_slots
    from l1met_fpga.data.splits import Part
    from l1met_fpga.evaluation.sample import load_store
    from l1met_fpga.firmware.reference import evaluate
    from l1met_fpga.metrics.binning import Bins
    from l1met_fpga.metrics.resolution import binned_resolution
    from l1met_fpga.tasks.registry import task_named

    task, path = task_named(config.task), store_of(config.samples[0])
    found = load_store(path, task, Part.TEST, columns=network.columns, max_events=events)
    seen = all_slots(found.examples)
    candidates = first_slots(seen, network.n_candidates, of=f"test events of {path}")
    truth = task.vector(task.measured(found.examples, task.truth(found.examples)))
    bins = Bins.of(config.evaluation.gain_range_gev)

    def resolution(changed: "Network") -> float:
        values = changed.values(evaluate(changed, candidates))
        given = task.vector(task.measured(found.examples, values))
        figures = binned_resolution(given, truth, bins=bins)
        widths = [getattr(figures, width.figure)[0] for width in task.words.widths.values()]
        return float(np.mean(widths))

    return resolution


def _print(
    console: Console, points: "list[Point]", front: list[bool], clock_period_ns: float
) -> None:
    table = Table(title="Pareto front: LUTs, time to the result, resolution")
    for name in ("lanes", "adders", "bits off", "zeros", "LUT (est.)", "DSP", "II",
                 "last to result", "total ns", "sigma GeV"):  # fmt: skip
        table.add_column(name, justify="right")
    chosen = [p for p, on_front in zip(points, front, strict=True) if on_front]
    for p in sorted(chosen, key=lambda p: p.lut):
        total = (p.ii_cycles - 1 + p.latency_cycles) * clock_period_ns
        table.add_row(
            str(p.lanes), f"{p.adders_per_stage:g}", str(p.kernel_bits_removed),
            f"{p.zero_fraction:.0%}", f"{p.lut:,}", str(p.dsp), str(p.ii_cycles),
            str(p.latency_cycles), f"{total:.0f}", f"{p.resolution_gev:.2f}",
        )  # fmt: skip
    console.print(table)
