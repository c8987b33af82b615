"""What finding the neighbours and running the network costs against the number of elements of an event.

    python benchmarks/flow_scaling.py runs/flow-... docs/images

Elements lie at random within |eta| < 5. Times are processor time, the shortest of five.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from l1met_fpga.data.element_examples import element_examples
from l1met_fpga.data.element_kinds import ElementKind, ParticleClass
from l1met_fpga.data.flow_event import FlowEvent
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.truth_matching import Matched
from l1met_fpga.plots.curves import figure, legend, look
from l1met_fpga.plots.figure import save_figure, styled
from l1met_fpga.prediction.loaded import load

SIZES: Final = (100, 200, 500, 1000, 2000, 5000)
TRIES: Final = 5
FORMS: Final = ("int64", "cpp")
"""The exact reference and the compiled header."""


def random_event(n: int, rng: np.random.Generator) -> FlowEvent:
    """Return an event of so many clusters."""
    kind = rng.choice([ElementKind.ECAL, ElementKind.HCAL], n)
    elements = {
        "pt": 0.5 + rng.exponential(1.5, n),
        "eta": rng.uniform(-5, 5, n),
        "phi": rng.uniform(-np.pi, np.pi, n),
        "kind": kind,
        "charge": np.zeros(n),
        "emShare": rng.random(n),
        "looks": np.full(n, ParticleClass.PHOTON),
    }
    none = {name: np.zeros(0, int) for name in ("pt", "class", "element")}
    return FlowEvent(1, elements, {}, {}, none, np.zeros(2))


def shortest(run: Callable[[], object]) -> float:
    """Return processor milliseconds."""
    times = []
    for _ in range(TRIES):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def main() -> None:
    """Measure, print and draw."""
    run, folder = (Path(given) for given in sys.argv[1:3])
    network, rng, console = load(run), np.random.default_rng(1), Console(soft_wrap=True)
    found = []
    console.print("| elements | neighbours (ms) | network, int64 (ms) | network, compiled (ms) |")
    console.print("|---|---|---|---|")
    for n in SIZES:
        event = random_event(n, rng)
        truth = Matched(np.zeros(0, np.int64), np.zeros(n, np.int64), np.zeros(n), np.zeros(n))
        slots = all_slots(element_examples(event, truth))
        runs: list[Callable[[], object]] = [partial(element_examples, event, truth)]
        runs += [partial(network.predict_heads, slots, form=form) for form in FORMS]
        times = [shortest(run) for run in runs]
        found.append(times)
        console.print(f"| {n} | {' | '.join(f'{one:.1f}' for one in times)} |")
    with styled():
        made, axis = figure()
        for k, (title, values) in enumerate(
            zip(
                ("neighbours", *(f"network, {form}" for form in FORMS)),
                np.array(found).T,
                strict=True,
            ),
            start=2,
        ):
            axis.plot(SIZES, values, label=title, **look(k))
            axis.plot(SIZES, values[-1] * np.array(SIZES) / SIZES[-1], **look(k, line=True))
        axis.set(xscale="log", yscale="log", xlabel="elements", ylabel="processor time [ms]")
        legend(axis, found)
        save_figure(made, folder, "flow_scaling")


if __name__ == "__main__":
    main()
