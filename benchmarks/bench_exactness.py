"""Long check: no output of 100,000 simulated events and of the stress events may differ.

    make bench-exactness                                 # models/deepset, garnet and deepmet
    python benchmarks/bench_exactness.py runs/mine --samples data/full/*.h5 --events 100000

For each network the HLS project is built, and its C simulation and the int64 reference are compared
with the quantized Keras model. Samples are ROOT files or stores, about as many events of each. The
exit code is 1 when an output differs or the samples hold fewer events than asked for; without
--events it is 100,000 or all there are.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.store import Store
from l1met_fpga.firmware.check import Agreement, Form, compare_all
from l1met_fpga.firmware.forms import int64_form, keras_form
from l1met_fpga.firmware.hls.flow import build_project
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.run_folder import RunFolder

MOST = 100_000
BLOCK = 25_000
"""Events compared at once."""
STRESS = 5_000
"""Random events among the stress events."""


def stores(paths: Sequence[Path]) -> list[Path]:
    """Return a store for each sample, converting ROOT files the first time."""
    return [store_of(TrainingSample(path=path)) for path in paths]


def shares(sizes: Sequence[int], wanted: int) -> list[int]:
    """Divide a number of events among samples, evenly as far as each has as many."""
    taken = [0] * len(sizes)
    left = wanted
    for position, index in enumerate(np.argsort(sizes)):
        taken[index] = min(sizes[index], -(-left // (len(sizes) - position)))
        left -= taken[index]
    return taken


def blocks(
    paths: Sequence[Path], n_events: int, columns: Sequence[str]
) -> Iterator[tuple[str, Candidates]]:
    """Yield the label and the candidates of blocks of simulated events."""
    sizes = []
    for path in paths:
        with Store.open(path) as store:
            sizes.append(store.n_events)
    for path, n in zip(paths, shares(sizes, n_events), strict=True):
        with Store.open(path) as store:
            for first in range(0, n, BLOCK):
                part = slice(first, min(first + BLOCK, n))
                yield store.label, store.candidates(part, columns=columns)


def check(run: RunFolder, samples: Sequence[Path], asked: int | None, console: Console) -> bool:
    """Check one network and print what was found; return whether all agrees."""
    n_events = MOST if asked is None else asked
    network, config = Network.load(run.network), load_run(run.config)
    stress = stress_events(np.random.default_rng(1), n_random=STRESS, columns=network.columns)
    every = [*blocks(samples, n_events, network.columns), ("stress", stress)]
    reference = keras_form(run.model, network)
    found: dict[tuple[str, str], Agreement] = {}
    with tempfile.TemporaryDirectory() as folder:
        built = build_project(network, config.hls, Path(folder) / "hls", every[0][1])
        forms: dict[str, Form] = {"int64": int64_form(network), "hls_csim": built.simulation}
        with Progress(console=console) as progress:
            bar = progress.add_task(network.name, total=sum(len(c["pt"]) for _, c in every))
            for label, candidates in every:
                expected = reference(candidates)
                for name, form in forms.items():
                    agreement = compare_all(expected, form(candidates))
                    key = name, "stress" if label == "stress" else "simulated"
                    found[key] = found.get(key, Agreement(0, 0, 0, 0)) + agreement
                progress.advance(bar, len(candidates["pt"]))
    for (form_name, kind), total in found.items():
        console.print(
            f"{run.root}, {form_name}: {total.differing} of {total.outputs} outputs differ in "
            f"{total.events} {kind} events (largest difference {total.largest_lsb} LSB)"
        )
    simulated = found["hls_csim", "simulated"].events
    enough = asked is None or simulated == asked
    if not enough:
        console.print(f"the samples hold {simulated} events, not {asked}; give more with --samples")
    return enough and not any(total.differing for total in found.values())


def main() -> None:
    """Check every network given."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("l1met_fpga").setLevel(logging.INFO)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shipped = [Path("models") / name for name in ("deepset", "garnet", "deepmet")]
    parser.add_argument("runs", nargs="*", type=Path, default=shipped)
    built_in = [Path("data") / f"{name}.root" for name in ("ttbar", "znunu", "pileup")]
    parser.add_argument("--samples", nargs="+", type=Path, default=built_in)
    parser.add_argument("--events", type=int, help="simulated events")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    samples = stores(arguments.samples)
    agree = [check(RunFolder(run), samples, arguments.events, console) for run in arguments.runs]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
