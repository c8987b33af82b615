"""Speed of training on one and two cores: `make bench-train` prints the table of the docs."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

N_CANDIDATES_MEAN, N_CANDIDATES_SIGMA = 48, 17


def main() -> None:
    """Measure each case in a fresh process, because TensorFlow fixes its threads at start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40_960)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count seconds of the processor instead of the clock's, for a busy machine",
    )
    parser.add_argument("--case", nargs=2, metavar=("VARIANT", "CORES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    console = Console()
    if options.case:
        clock = time.process_time if options.processor_time else time.perf_counter
        found = measure(*options.case, options.events, options.epochs, clock)
        console.print_json(json.dumps(found))
        return
    console.print("| network | cores | events/s | outside TensorFlow | making batches |")
    console.print("|---|---|---|---|---|")
    for variant in ("float", "quantized", "pruned"):
        for cores in range(1, min(2, len(os.sched_getaffinity(0))) + 1):
            argv = [sys.executable, __file__, "--case", variant, str(cores)]
            argv += ["--events", str(options.events), "--epochs", str(options.epochs)]
            argv += ["--processor-time"] * options.processor_time
            done = subprocess.run(argv, check=True, capture_output=True, text=True)
            row = json.loads(done.stdout)
            console.print(
                f"| {variant} | {row['cores']} | {row['events_per_s']:,.0f} | "
                f"{row['outside']:.1%} | {row['batches']:.1%} |"
            )


def measure(
    variant: Any, cores: str, n_events: int, epochs: int, now: Callable[[], float]
) -> dict[str, float]:
    """Train some epochs on random events and return the speed of the best one."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(cores)]))
    from l1met_fpga.config.run import load_run
    from l1met_fpga.models.build import build
    from l1met_fpga.models.keras import keras, tf
    from l1met_fpga.tasks.met.task import TASK as MET
    from l1met_fpga.training.loop import _dataset
    from l1met_fpga.training.losses import head_losses
    from l1met_fpga.training.mixture import TrainingMixture
    from l1met_fpga.training.pruning import PruningSteps

    tf.config.experimental.enable_op_determinism()  # as the default training does
    keras.utils.set_random_seed(0)
    pruning = {"schedule": "polynomial", "sparsity": 0.82, "begin": 0.15, "end": 0.6}
    recipe = Path(__file__).parents[1] / "models" / "deepset.yaml"
    config = load_run(recipe, {"training.pruning": pruning})
    mixture = TrainingMixture(
        [random_events(n_events, config.model.columns)], [1], config.training, MET
    )
    steps = PruningSteps.of(config.training.pruning, mixture.steps_per_epoch * epochs)
    schedule = steps.schedule_for_library()
    model = build(config.model, MET.heads, variant=variant, packed=True, schedule=schedule)
    model.compile(
        keras.optimizers.Adam(1e-3, jit_compile=False),
        head_losses(MET, config.training.loss)["met"],
    )

    epoch_times: list[list[float]] = []
    step = [0.0]

    def step_ends() -> None:
        epoch_times[-1][1] += now() - step[0]

    def epoch_ends() -> None:
        epoch_times[-1][0] += now()

    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_, **__: epoch_times.append([-now(), 0.0]),
        on_batch_begin=lambda *_, **__: step.__setitem__(0, now()),
        on_batch_end=lambda *_, **__: step_ends(),
        on_epoch_end=lambda *_, **__: epoch_ends(),
    )
    callbacks: list[Any] = [clock]
    if variant == "pruned":
        from tensorflow_model_optimization.sparsity.keras import UpdatePruningStep

        callbacks.append(UpdatePruningStep())
    model.fit(
        _dataset(MET, model, mixture, 0, None), epochs=epochs + 1, callbacks=callbacks, verbose=0,
        steps_per_epoch=mixture.steps_per_epoch,
    )  # fmt: skip
    total, inside = min(epoch_times[1:])  # the first one traces the graph
    start = now()
    for _ in mixture.batches(0):
        pass
    batches = now() - start
    events = mixture.steps_per_epoch * config.training.batch_size
    return {
        "cores": int(cores), "events_per_s": events / total, "outside": 1 - inside / total,
        "batches": batches / total,
    }  # fmt: skip


def random_events(n_events: int, columns: Any) -> Any:
    """Return packed events with as many candidates as the built-in samples have."""
    from l1met_fpga.data.examples import Examples
    from l1met_fpga.data.truth import GEN_MET

    rng = np.random.default_rng(0)
    counts = np.clip(rng.normal(N_CANDIDATES_MEAN, N_CANDIDATES_SIGMA, n_events), 1, 128)
    splits = np.concatenate([[0], np.cumsum(counts.astype(np.int64))])
    highest = {"pt": 400, "eta": 2047, "phi": 719, "pid": 7, "puppi_weight": 256}
    candidates = {
        name: rng.integers(int(name == "pt"), highest[name] + 1, splits[-1]).astype(np.int16)
        for name in columns
    }
    met = rng.normal(0, 40, (n_events, 2))
    ids = np.zeros((n_events, 3), np.uint64)
    return Examples(candidates, splits, {GEN_MET: met}, ids, {"met": met})


if __name__ == "__main__":
    main()
