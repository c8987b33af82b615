"""Cost and speed of the streaming RTL: `make bench-rtl` prints the table of the docs.

Takes the shipped networks (`models/NAME/network.json`) or the network files given.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.check import compare_all
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.forms import SimulationForm
from l1met_fpga.firmware.rtl.project import build_rtl, write_project
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import Candidates

SHIPPED = Path("models")
ROWS = {
    "lut": "LUT (Yosys)",
    "lut_estimate": "LUT (counted)",
    "lut_estimate_traced": "of which traced logic",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM36",
    "lut_percent": "LUT, % of VU13P",
    "lut_percent_of_slr": "LUT, % of one SLR",
    "ii_cycles": "interval, clocks",
    "latency_first_word_cycles": "first word to px, py, clocks",
    "latency_last_word_cycles": "last word to px, py, clocks",
    "latency_gt_word_cycles": "last word to global-trigger word, clocks",
    "timing.tight_mhz": "open static timing, tight nets, MHz",
    "timing.typical_mhz": "typical nets, MHz",
    "timing.congested_mhz": "congested nets, MHz",
}


def typical_events(rng: np.random.Generator, n_events: int, network: Network) -> Candidates:
    """Events of about 55 candidates with random fields, as top-quark events have."""
    shape = (n_events, network.n_candidates)
    counts = np.clip(rng.normal(55, 19, n_events), 0, network.n_candidates).astype(int)
    pid = rng.integers(0, 8, shape)
    codes = {
        "pt": np.minimum(16383, np.rint(rng.exponential(20, shape)) + 1),
        "eta": rng.integers(-1200, 1201, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": pid,
        "puppi_weight": np.where(pid >= 2, 256, rng.integers(0, 257, shape)),
    }
    filled = np.arange(network.n_candidates) < counts[:, None]
    return {name: np.where(filled, c, 0).astype(np.int16) for name, c in codes.items()}


def measure(network: Network, n_events: int, folder: Path) -> dict[str, Any]:
    """Build everything once and time the parts."""
    config = RtlConfig(vivado="off")
    start = time.perf_counter()
    project = write_project(network, config, folder)
    written = time.perf_counter()
    form = SimulationForm(project.design, project.compile())
    compiled = time.perf_counter()
    rng = np.random.default_rng(7)
    form(typical_events(rng, 1000, network))
    simulated = time.perf_counter()
    result = build_rtl(network, config, folder)
    done = time.perf_counter()

    events = typical_events(rng, n_events, network)
    before = time.perf_counter()
    codes = form(events)
    rate = n_events / (time.perf_counter() - before)
    agreement = compare_all(evaluate(network, events), codes)
    stress = stress_events(rng, n_slots=network.n_candidates)
    agreement += compare_all(evaluate(network, stress), form(stress))
    return {
        "figures": result,
        "seconds": {
            "trace and write": written - start,
            "compile the simulation": compiled - written,
            "simulate 1,000 events": simulated - compiled,
            "Yosys": done - simulated,
            "together": done - start,
        },
        "rate": rate,
        "agreement": agreement,
    }


def figure(figures: dict[str, Any], key: str) -> str:
    """Text of the figure at a dotted key; a stage that was not run has none."""
    found: Any = figures
    for part in key.split("."):
        found = None if found is None else found[part]
    if found is None:
        return "-"
    return f"{found:,.2f}" if isinstance(found, float) else f"{found:,}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path, nargs="*", help="network.json files")
    parser.add_argument("--events", type=int, default=20_000)
    args = parser.parse_args()
    paths = args.networks or sorted(SHIPPED.glob("*/network.json"))
    if not paths:
        parser.error(f"no networks in {SHIPPED}/*/network.json; name some")
    console = Console(width=110)
    for path in paths:
        network = Network.load(path)
        with tempfile.TemporaryDirectory() as scratch:
            found = measure(network, args.events, Path(scratch))
        table = Table("", "streaming, 3 lanes", "parallel, 128 lanes", title=f"{path}")
        for key, label in ROWS.items():
            cells = [figure(found["figures"][part], key) for part in ("streaming", "parallel")]
            table.add_row(label, *cells)
        console.print(table)
        for label, seconds in found["seconds"].items():
            console.print(f"{label}: {seconds:.1f} s")
        console.print(f"simulation: {found['rate']:,.0f} events/s on all cores")
        agreement = found["agreement"]
        console.print(
            f"{agreement.differing} of {agreement.outputs:,} outputs of {agreement.events:,} events "
            "(typical and stress) differ from the int64 reference"
        )


if __name__ == "__main__":
    main()
