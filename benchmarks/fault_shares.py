"""What training against faults of the detector costs and gives, by the share of events that have one.

    python benchmarks/fault_shares.py build/fault_shares --seeds 3 --set training.epochs=8

trains the default network with each share of `training.faults` and each seed (the same seeds, so the same first weights
and events), evaluates all of them on bad days, and prints a table: growth of the rate at the threshold that gives 62 kHz
without a fault, and efficiency without a fault, mean and standard error over the seeds. Differences to a share of 0 are
taken seed by seed. Runs that are there are not trained again.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from l1met_fpga.cluster import run_tasks
from l1met_fpga.results.faults import FaultedEstimate, Faults

SHARES: Final = (0.0, 0.01, 0.02, 0.05)
BIN: Final = "100_150"
Figure = Callable[[Faults, str], float]


def main() -> None:
    """Train and evaluate what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", type=Path, default=Path("models/deepset.yaml"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--show", action="store_true", help="train nothing, show what is there")
    options = parser.parse_args()
    runs = [
        (options.folder / f"{share:g}" / str(seed), options.recipe, share, seed, options.settings)
        for seed in range(1, options.seeds + 1)
        for share in SHARES
    ]
    for _ in run_tasks(measure, [] if options.show else runs, workers=options.workers):
        pass
    found: dict[float, dict[int, Faults]] = {share: {} for share in SHARES}
    for run, _, share, seed, _ in runs:
        if (run / "metrics.json").is_file():
            found[share][seed] = read(run)
    Console().print("\n".join(table(found)), highlight=False, soft_wrap=True)


def measure(task: tuple[Path, Path, float, int, list[str]]) -> None:
    """Train one network and try it on bad days, unless that was done."""
    from l1met_fpga.cli.train import train
    from l1met_fpga.steps import evaluate

    run, recipe, share, seed, settings = task
    fixed = [f"training.seed={seed}", f"training.faults.share={share}"]
    if not (run / "training.json").is_file():
        train(recipe, output=run, assign=[*settings, *fixed], evaluate=False, resume=run.is_dir())
    if not (run / "metrics.json").is_file():
        evaluate(run, faults=True, plots=False)


def read(run: Path) -> Faults:
    """Return what bad days did to the network of a run and to what it is compared with."""
    return Faults.model_validate(json.loads((run / "metrics.json").read_text())["faults"])


def table(found: dict[float, dict[int, Faults]]) -> list[str]:
    """Markdown rows: one per share, and what is not trained."""
    without = found[0.0]
    nominal = next(iter(without.values()))
    signals = list(nominal.none["puppi"].efficiency)
    figures: dict[str, Figure] = {
        "hot cell: growth of the rate": lambda day, name: growth(day.days["hot_cell"][name]),
        "dead sector: growth": lambda day, name: growth(day.days["dead_sector"][name]),
        **{f"efficiency, {signal}": efficiency_of(signal) for signal in signals},
        "mean efficiency": mean_efficiency,
    }
    network = next(name for name in nominal.none if name not in ("puppi", "table"))
    head = ["events with a fault", "seeds", *figures, "minus 0 %"]
    lines = [head, ["---"] * len(head)]
    for share, days in found.items():
        cells = [
            with_error([figure(day, network) for day in days.values()])
            for figure in figures.values()
        ]
        change = [
            mean_efficiency(day, network) - mean_efficiency(without[seed], network)
            for seed, day in days.items()
        ]
        lines.append([f"{share:.0%}", str(len(days)), *cells, with_error(change) if share else ""])
    for name, title in (("puppi", "PUPPI MET"), ("table", "table pt x \\|eta\\| x type")):
        cells = [f"{figure(nominal, name):.3f}" for figure in figures.values()]
        lines.append([title, "", *cells, ""])
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def growth(estimate: FaultedEstimate) -> float:
    """Rate with the fault over that without."""
    return math.nan if estimate.growth is None else estimate.growth.value


def efficiency_of(signal: str) -> Figure:
    """Efficiency without a fault in one signal sample."""
    return lambda day, name: day.none[name].efficiency[signal][BIN].efficiency.value


def mean_efficiency(day: Faults, name: str) -> float:
    """Efficiency without a fault, mean of the signal samples."""
    cells = day.none[name].efficiency.values()
    return float(np.mean([bins[BIN].efficiency.value for bins in cells]))


def with_error(values: Sequence[float]) -> str:
    """Mean and its standard error."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    return f"{mean:.3f} ± {np.std(values, ddof=1) / math.sqrt(len(values)):.3f}"


if __name__ == "__main__":
    main()
