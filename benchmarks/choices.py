"""Measure what each choice of the default network is worth.

Trains one network per row, all with the same seed, on the built-in sample and writes figures of the
validation part (on which choices are made) and of the test part (which is quoted). Rows that are in
the output already are skipped, so the script can be stopped and started again.

    python benchmarks/choices.py build/choices.json [row ...]
"""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.data.splits import Part
from l1met_fpga.run_folder import RunFolder, write_json
from l1met_fpga.training.loop import train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation, packed_predictor
from l1met_fpga.training.samples import load_samples

Overrides = dict[str, Any]


def dense(units: int, **types: Any) -> Overrides:
    """One dense layer."""
    return {"units": units, **types}


def hidden(*units: int, **types: Any) -> Overrides:
    """Hidden layers of phi."""
    return {"model.phi": [dense(n, **types) for n in units]}


def without(*names: str) -> Overrides:
    """All features but these."""
    features = [
        "pt", "pt_low", "abs_eta", "puppi_weight",
        "neutral_hadron", "photon", "hadron", "electron", "muon",
    ]  # fmt: skip
    return {"model.features": [name for name in features if name not in names]}


def pools(k: int, m: int) -> Overrides:
    """K vector pools and M scalar pools."""
    return {
        "model.weights": dense(k, output="fixed<8,2>"),
        "model.scalars": dense(m, output="ufixed<6,2>"),
    }


def background(share: float) -> Overrides:
    """Another share of pile-up-only events."""
    weights = {"ttbar": 2 / 3 * (1 - share), "znunu": 1 / 3 * (1 - share), "pileup": share}
    return {"samples": [{"path": f"data/{name}.root", "weight": w} for name, w in weights.items()]}


FLOAT: Overrides = {"training.pruning.enabled": False, "variant": "float"}
UNPRUNED: Overrides = {"training.pruning.enabled": False}
ROWS: dict[str, Overrides] = {
    "default": {},
    "float": FLOAT,
    "not pruned": UNPRUNED,
    "float, 128-128, K = 8, M = 16": FLOAT | hidden(128, 128) | pools(8, 16),
    "rate 2e-3": {"training.learning_rate.initial": 2e-3},
    "rate 8e-3": {"training.learning_rate.initial": 8e-3},
    "loss MSE": {"training.loss.kind": "mse"},
    "loss MAE": {"training.loss.kind": "mae"},
    "loss Huber + response": {"training.loss.response_weight": 30.0},
    "K = 1, no scalars": {"model.scalars": None, "model.weights": dense(1, output="fixed<8,2>")},
    "K = 2, M = 4": pools(2, 4),
    "K = 8, M = 8": pools(8, 8),
    "hidden 16-16": hidden(16, 16),
    "hidden 64-32": hidden(64, 32),
    "hidden 32": hidden(32),
    "8 bit": hidden(32, 32, kernel="fixed<8,1>", output="ufixed<8,2>"),
    "4 bit": hidden(32, 32, kernel="fixed<4,1>", output="ufixed<4,2>"),
    "sparsity 0.6": {"training.pruning.sparsity": 0.6},
    "sparsity 0.9": {"training.pruning.sparsity": 0.9},
    "background 28 %": background(0.28),
    "background 40 %": background(0.40),
    "background 70 %": background(0.70),
    "without pt_low": without("pt_low"),
    "without puppi_weight": without("puppi_weight"),
    "without abs_eta": without("abs_eta"),
    "without type": without("neutral_hadron", "photon", "hadron", "electron", "muon"),
    "batch 1024": {"training.batch_size": 1024},
    "40 epochs": {"training.epochs": 40},
}


def measure(config: RunConfig, variant: Any, folder: Path) -> dict[str, Any]:
    """Train one network and return its figures on both parts."""
    samples = load_samples(config.samples, config.model.columns)
    mixture = TrainingMixture(
        [s.train for s in samples], [s.share for s in samples], config.training
    )
    validation = Validation(samples, config.training.loss)
    test = Validation(
        load_samples(config.samples, config.model.columns, watch=Part.TEST), config.training.loss
    )
    result = train_variant(config, variant, mixture, validation, folder)
    figures = test.figures(packed_predictor(result.packed))
    return {
        "validation": result.validation,
        "validation_puppi": validation.puppi,
        "test": figures,
        "test_puppi": test.puppi,
        "zeros": result.zero_fractions.get("total"),
        "parameters": int(result.model.count_params()),
        "seconds": round(result.seconds, 1),
    }


def main() -> None:
    """Measure all rows, or those named."""
    output, *wanted = sys.argv[1:]
    path = Path(output)
    done = json.loads(path.read_text()) if path.exists() else {}
    for name in wanted or ROWS:
        if name in done:
            continue
        changes = dict(ROWS[name])
        variant = changes.pop("variant", None)
        config = load_run(Path("models/deepset.yaml"), changes)
        variant = variant or ("pruned" if config.training.pruning.enabled else "quantized")
        folder = RunFolder.create(path.parent / "choices" / name.replace(" ", "_"), clear=True)
        done[name] = measure(config, variant, folder.root)
        write_json(path, done)
        Console().print(name, done[name]["validation"])


if __name__ == "__main__":
    main()
