"""Speed of the integer jets and sums on one core: `make bench-jets` prints the table of the docs."""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from bench_puppi import best_seconds
from rich.console import Console

from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES
from l1met_fpga.puppi.emulator import emulate_puppi_met
from l1met_fpga.puppi.jet_constituents import constituents
from l1met_fpga.puppi.jet_corrections import JetCorrections
from l1met_fpga.puppi.jet_matching import nearest_generated
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.puppi.jets import WIDE_RADIUS, seeded_cone_jets
from l1met_fpga.puppi.jump import emulate_jump


def make_events(n_events: int, rng: np.random.Generator) -> dict[str, npt.NDArray[np.int16]]:
    """Return events of about 55 candidates in 128 slots, anywhere in the detector."""
    shape = n_events, N_CANDIDATES
    filled = np.arange(N_CANDIDATES) < rng.normal(55, 19, (n_events, 1))
    pt = np.minimum(1 + rng.exponential(16, shape), COLUMNS["pt"].high)
    codes = {"pt": pt, "eta": rng.integers(-1100, 1101, shape)}
    codes |= {"phi": rng.integers(-720, 721, shape), "pid": rng.integers(0, 8, shape)}
    return {name: np.where(filled, code, 0).astype(np.int16) for name, code in codes.items()}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=200)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    events = make_events(options.events, rng)
    jets, met = seeded_cone_jets(events), emulate_puppi_met(events)
    table = JetCorrections.none()
    generated = (
        rng.exponential(40, (options.events, 12)),
        *rng.uniform(-3, 3, (2, options.events, 12)),
    )
    steps: dict[str, Callable[[], object]] = {
        "jets, cone 0.4": lambda: seeded_cone_jets(events),
        "jets, cone 0.8": lambda: seeded_cone_jets(events, WIDE_RADIUS),
        "corrections": lambda: table.corrected(jets),
        "HT and MHT": lambda: emulate_ht_mht(jets),
        "JUMP": lambda: emulate_jump(met.pt, met.phi, jets),
        "16 constituents of each jet, four columns": lambda: constituents(events, jets),
        "generated partners, 12 per event": lambda: nearest_generated(jets, *generated),
    }
    console = Console(width=120)
    console.print("| what | events per second, one core |\n|---|---|")
    for what, step in steps.items():
        rate = options.events / best_seconds(step, options.repeats)
        console.print(f"| {what} | {rate:,.0f} |", highlight=False)


if __name__ == "__main__":
    main()
