"""Speed of the exported C++ header beside the C simulation: `make bench-export` prints it.

A shipped network on events that look like 200 pile-up ttbar (about 55 candidates). Rates are given
per second of processor time, because that does not depend on what else the machine does, and so
are events per core.
"""

import argparse
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
from bench_hls import timed, ttbar_like
from rich.console import Console
from rich.table import Table

from l1met_fpga.config.run import load_run
from l1met_fpga.firmware.check import compare_all
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.forms import int64_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.models.network import Network


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("models/deepset"))
    parser.add_argument("--events", type=int, default=200_000, help="events of the header")
    parser.add_argument("--csim-events", type=int, default=8000, help="events of the C simulation")
    arguments = parser.parse_args()
    import_module("hls4ml")  # its import is not what is measured
    network = Network.load(arguments.run / "network.json")
    config = load_run(arguments.run / "config.yaml").hls
    events = ttbar_like(np.random.default_rng(1), arguments.events)
    some = {name: codes[: arguments.csim_events] for name, codes in events.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header, _, compile_header_s = timed(lambda: CppForm.compiled(network, folder / "cpp"))
        codes, _, header_s = timed(lambda: header(events))
        write_project(network, config, folder / "hls", candidates=some)
        library, _, compile_csim_s = timed(
            lambda: compile_csim(
                folder / "hls", top=config.top_function, flags=config.compiler_flags
            )
        )
        simulation = CSimulation(library, network, processes=config.csim_processes)
        simulated, _, csim_s = timed(lambda: simulation(some))
    n_events, n_some = len(events["pt"]), len(some["pt"])
    rates = {"C++ header": n_events / header_s, "C simulation": n_some / csim_s}
    table = Table(title=f"{network.name}: exported C++ header beside the C simulation")
    for column in ("form", "g++, s", "events", "events/s per core"):
        table.add_column(column, justify="left" if column == "form" else "right")
    table.add_row(
        "C++ header", f"{compile_header_s:.1f}", f"{n_events:,}", f"{rates['C++ header']:,.0f}"
    )
    table.add_row(
        "C simulation",
        f"{compile_csim_s:.1f}",
        f"{n_some:,}",
        f"{rates['C simulation']:,.0f}",
    )
    console = Console()
    console.print(table)
    reference = compare_all(int64_form(network)(events), codes)
    beside = compare_all(simulated, {name: array[:n_some] for name, array in codes.items()})
    console.print(
        f"{rates['C++ header'] / rates['C simulation']:.0f} times the C simulation; "
        f"{reference.differing} of {reference.outputs} outputs differ from the int64 reference, "
        f"{beside.differing} of {beside.outputs} from the C simulation"
    )


if __name__ == "__main__":
    main()
