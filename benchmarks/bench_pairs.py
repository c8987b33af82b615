"""Speed and memory of networks on pairs beside DeepSet's: prints the tables of the docs.

    python benchmarks/bench_pairs.py                   # one epoch of the built-in sample each
    python benchmarks/bench_pairs.py --events 15000    # shorter epochs
    python benchmarks/bench_pairs.py --widths RUN ...  # widths of trained networks, in two definitions

Seconds are those of the processor, all cores together, so that other work on the machine counts
little. Each network is measured in a process of its own, after one epoch that builds everything.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

CASES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "DeepSet, float": ("deepset", {}),
    "EdgeConv, radius 0.4": ("edgeconv", {}),
    "EdgeConv, 8 nearest": ("edgeconv", {"model.graph": "nearest"}),
    "attention, 32 hardest": ("attention", {}),
}


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--widths", nargs="+", type=Path, metavar="RUN", help="Run folders.")
    parser.add_argument("--events", type=int, help="Events of an epoch; all if not given.")
    options = parser.parse_args()
    console = Console(width=200)
    if options.widths:
        for line in width_table(options.widths):
            console.print(line, markup=False)
        return
    if options.case:
        console.print_json(json.dumps(measure(*CASES[options.case], options.events)))
        return
    console.print("| network | parameters | epoch (s) | times DeepSet | peak memory (MiB) |")
    console.print("|---|---|---|---|---|")
    first = None
    for name in CASES:
        argv = [sys.executable, __file__, "--case", name]
        argv += [] if options.events is None else ["--events", str(options.events)]
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout)
        first = first or row
        console.print(
            f"| {name} | {row['parameters']:,} | {row['epoch_s']:.1f} | "
            f"{row['epoch_s'] / first['epoch_s']:.1f} | {row['memory_mib']:,.0f} |"
        )
        if "edges_per_s" in row:
            console.print(f"{name}: graphs of {row['edges_per_s']:,.0f} events per second")


def measure(recipe: str, changes: dict[str, Any], events: int | None) -> dict[str, float]:
    """Train two epochs and return the figures of the second one."""
    from l1met_fpga.config.run import load_run
    from l1met_fpga.models.build import build
    from l1met_fpga.models.keras import keras
    from l1met_fpga.tasks.met.task import TASK as MET
    from l1met_fpga.training.loop import _dataset
    from l1met_fpga.training.losses import head_losses
    from l1met_fpga.training.session import load_training

    shorter = {} if events is None else {"training.events_per_epoch": events}
    config = load_run(Path(__file__).parents[1] / f"models/{recipe}.yaml", changes | shorter)
    _, mixture, _ = load_training(config, MET)
    model = build(config.model, MET.heads, variant="float", packed=True)
    model.compile(keras.optimizers.Adam(1e-3), head_losses(MET, config.training.loss)["met"])
    marks: list[float] = []
    mark = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: marks.append(time.process_time()))
    model.fit(
        _dataset(MET, model, mixture, 0, None), epochs=2, verbose=0, callbacks=[mark],
        steps_per_epoch=mixture.steps_per_epoch,
    )  # fmt: skip
    row = {
        "parameters": model.count_params(),
        "epoch_s": marks[1] - marks[0],
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if changes or recipe != "edgeconv":
        return row
    return row | {"edges_per_s": graph_speed(mixture, config.model.radius)}


def graph_speed(mixture: Any, radius: float) -> float:
    """Return events per second of processor time whose radius graph is built."""
    from l1met_fpga.models.keras import tf
    from l1met_fpga.models.pair_layers import RadiusEdges

    build_edges = tf.function(RadiusEdges(radius))
    inputs, *_ = next(iter(mixture.batches(0)))
    given = [tf.constant(inputs[name]) for name in ("eta", "phi", "row_splits")]
    build_edges(given)
    best = float("inf")
    for _ in range(50):
        start = time.process_time()
        build_edges(given)
        best = min(best, time.process_time() - start)
    return (len(inputs["row_splits"]) - 1) / best


WIDTHS_GEV: Final = (60.0, 80.0, 100.0, 120.0)
"""genMET for which the public networks' gain over PUPPI is known."""


def width_table(runs: list[Path]) -> list[str]:
    """Return widths of float networks and PUPPI MET on the signal test events of the first run."""
    from l1met_fpga.config.run import load_run
    from l1met_fpga.data.sample_store import store_of
    from l1met_fpga.data.splits import Part
    from l1met_fpga.evaluation.sample import load_store
    from l1met_fpga.run_folder import RunFolder
    from l1met_fpga.tasks.met.task import TASK as MET
    from l1met_fpga.training.teacher import network_of_run, taught

    lines = [
        "| sample | estimate | parallel, perpendicular (GeV) | gain over PUPPI | public (GeV) | gain |",
        "|---|---|---|---|---|---|",
    ]
    for sample in load_run(RunFolder.open(runs[0]).config).samples:
        events = load_store(store_of(sample), MET, Part.TEST)
        if events.is_background:
            continue
        examples, truth = events.examples, MET.truth(events.examples)["met"]
        puppi = MET.reference(examples)["met"]
        rows = {"PUPPI MET": puppi} | {
            str(run): taught([network_of_run(run, MET, examples)], MET, examples)["met"]
            for run in runs
        }
        base = _both_widths(puppi, truth)
        for name, met in rows.items():
            cells = [events.label, name]
            for of_puppi, of_met in zip(base, _both_widths(met, truth), strict=True):
                cells.append(", ".join(f"{width:.1f}" for width in of_met))
                gains = [1 - b / a for a, b in zip(of_puppi, of_met, strict=True)]
                cells.append(", ".join(f"{gain:+.1%}" for gain in gains))
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def _both_widths(met: Any, truth: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return (parallel, perpendicular): slope-corrected, and as L1DeepMETv2 defines them.

    The second is the mean of three bins of 20 GeV, in which the public figures are given.
    """
    from l1met_fpga.metrics.binning import Bins
    from l1met_fpga.metrics.public_widths import public_widths
    from l1met_fpga.metrics.resolution import binned_resolution

    ours = binned_resolution(met, truth, bins=Bins.of((WIDTHS_GEV[0], WIDTHS_GEV[-1])))
    public = public_widths(met, truth, bins=Bins.of(WIDTHS_GEV))
    return (
        (float(ours.parallel_over_slope_gev[0]), float(ours.perpendicular_over_slope_gev[0])),
        (float(public.parallel_gev.mean()), float(public.perpendicular_gev.mean())),
    )


if __name__ == "__main__":
    main()
