"""Speed of every stage from the integer network to the C simulation: `make bench-hls` prints it.

The network has the default architecture with random weights, half of them zero; events look like
200 pile-up ttbar (about 55 candidates). Rates are given per second of wall time and per second of
processor time, because the second does not depend on what else the machine does.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from l1met_fpga.config.run import load_run
from l1met_fpga.firmware.check import compare_all
from l1met_fpga.firmware.forms import int64_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.graph import expected_ii_cycles
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.models.network import Network
from l1met_fpga.tasks.met.task import MET

Columns = dict[str, npt.NDArray[np.int16]]
Result = TypeVar("Result")


def random_network(recipe: Path, rng: np.random.Generator) -> Network:
    """Build the model of a recipe with random weights, half of them zero."""
    from l1met_fpga.models.build import build, dense_layers
    from l1met_fpga.models.export import bake_weights, export_network

    model = build(load_run(recipe).model, (MET,), variant="quantized")
    for layer in dense_layers(model).values():
        kernel, bias = layer.get_weights()
        values = rng.normal(0, 0.35, kernel.shape) * (rng.random(kernel.shape) < 0.5)
        layer.set_weights([values, rng.normal(0.1, 0.3, bias.shape)])
    bake_weights(model)
    return export_network(model, (MET,))


def ttbar_like(rng: np.random.Generator, n_events: int) -> Columns:
    """Return events of about 55 candidates."""
    filled = np.arange(128) < np.clip(rng.normal(55, 19, n_events), 0, 128)[:, None]
    shape = filled.shape
    columns = {
        "pt": 8 + np.minimum(rng.exponential(25, shape), 16000),
        "eta": rng.integers(-550, 550, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": rng.integers(0, 8, shape),
        "puppi_weight": rng.integers(20, 257, shape),
    }
    return {name: np.where(filled, codes, 0).astype(np.int16) for name, codes in columns.items()}


def processor_s() -> float:
    """Processor time of this process and of its finished children."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return the result, wall time and processor time of some work."""
    wall, cpu = time.perf_counter(), processor_s()
    result = work()
    return result, time.perf_counter() - wall, processor_s() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, default=Path("models/deepset.yaml"))
    parser.add_argument("--events", type=int, default=20000, help="events of the reference")
    parser.add_argument("--csim-events", type=int, default=4000, help="events of the C simulation")
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    import_module("l1met_fpga.models.keras")
    import_module("hls4ml")  # its import is not what is measured
    network = random_network(arguments.recipe, rng)
    config = load_run(arguments.recipe).hls
    events = ttbar_like(rng, arguments.events)
    some = {name: codes[: arguments.csim_events] for name, codes in events.items()}
    table = Table(title=f"{network.name}, {os.cpu_count()} cores, {config.backend.value}")
    for column in ("stage", "wall s", "processor s", "events/s", "events/s of processor time"):
        table.add_column(column, justify="left" if column == "stage" else "right")

    def row(stage: str, wall: float, cpu: float, n_events: int | None = None) -> None:
        rates = ["", ""] if n_events is None else [f"{n_events / t:,.0f}" for t in (wall, cpu)]
        table.add_row(stage, f"{wall:.1f}", f"{cpu:.1f}", *rates)

    codes, wall, cpu = timed(lambda: int64_form(network)(events))
    row("int64 reference", wall, cpu, len(events["pt"]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "hls"
        _, wall, cpu = timed(lambda: write_project(network, config, folder, candidates=some))
        row("convert and write", wall, cpu)
        library, wall, cpu = timed(
            lambda: compile_csim(folder, top=config.top_function, flags=config.compiler_flags)
        )
        row("compile", wall, cpu)
        simulation = CSimulation(library, network, processes=config.csim_processes)
        got, wall, cpu = timed(lambda: simulation(some))
        row("C simulation", wall, cpu, len(some["pt"]))
    console = Console()
    console.print(table)
    agreement = compare_all({name: a[: len(some["pt"])] for name, a in codes.items()}, got)
    console.print(
        f"{agreement.differing} of {agreement.outputs} outputs differ; candidate loops take "
        f"{expected_ii_cycles(network, config)} clocks per event"
    )


if __name__ == "__main__":
    main()
