"""Measure what each choice of the default network is worth.

Trains one network per row, all with the same number of steps unless they say otherwise, on the full
sample (`make data-full`), one per core. Row "base" is the network and the mixture that the
study started from; every other row changes one thing of it. Figures of the validation part, on
which choices are made, and of the test part, which is quoted, go to CHOICES/choices.md and
choices.json. Rows that are there are not trained again, so the script can be stopped and started.

    python benchmarks/choices.py build/choices ["row" ...]
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from l1met_fpga.cluster import run_tasks
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import RunConfig, load_run, save_run
from l1met_fpga.data.convert import convert
from l1met_fpga.data.splits import Part
from l1met_fpga.evaluation.evaluation import Estimate, evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.runs import fit_on_training_parts
from l1met_fpga.evaluation.sample import Sample, load_store
from l1met_fpga.evaluation.worst_cell import worst_cell
from l1met_fpga.files import atomic_path, write_json
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.tasks.task import Baseline

Overrides = dict[str, Any]
FULL: Final = Path("data/full")
BASE_SHARES: Final = {"ttbar": 0.44, "znunu": 0.06, "pileup": 0.50}
CHOSEN: Final = {"ttbar": 0.26, "znunu": 0.04, "pileup": 0.70}
STORES: Final = {label: FULL / f"{label}.h5" for label in BASE_SHARES}
PARTS: Final = (Part.VALIDATION, Part.TEST)
RATES_KHZ: Final = (18.0, 62.0)


def samples(shares: Mapping[str, float] = BASE_SHARES, folder: Path = FULL) -> Overrides:
    """Samples of the mixture and their shares."""
    return {"samples": [{"path": str(folder / f"{k}.h5"), "weight": v} for k, v in shares.items()]}


def dense(units: int, **types: Any) -> Overrides:
    """One dense layer."""
    return {"units": units, **types}


def hidden(*units: int, **types: Any) -> Overrides:
    """Hidden layers of phi."""
    return {"model.phi": [dense(n, **types) for n in units]}


def features(*, without: tuple[str, ...] = (), extra: tuple[str, ...] = ()) -> Overrides:
    """Default features, some left out or some more."""
    names = [
        "pt", "pt_low", "abs_eta", "puppi_weight",
        "neutral_hadron", "photon", "hadron", "electron", "muon",
    ]  # fmt: skip
    return {"model.features": [name for name in names if name not in without] + list(extra)}


def pools(k: int, m: int) -> Overrides:
    """K vector pools and M scalar pools."""
    return {
        "model.weights": dense(k, output="fixed<8,2>"),
        "model.scalars": dense(m, output="ufixed<6,2>"),
    }


TYPES: Final = ("neutral_hadron", "photon", "hadron", "electron", "muon")
RECIPE: Final[Overrides] = (
    hidden(32, 32)
    | pools(4, 4)
    | {
        "model.rho": [dense(8, prune=False)],
        "model.coefficients": {"output": "fixed<8,2>", "prune": False},
        "training.learning_rate": {"initial": 4.0e-3},
        "training.loss": {"kind": "huber", "delta_gev": 30},
        "training.stages": {},
        "training.start_from_float": False,
        "training.pruning": {"schedule": "polynomial", "sparsity": 0.82, "begin": 0.15, "end": 0.6},
    }
)
"""What the study started from; `models/deepset.yaml` is what came later."""
BASE: Final[Overrides] = (
    samples() | RECIPE | {"training.epochs": 5, "training.events_per_epoch": 200_000}
)
LONG: Final[Overrides] = {"training.epochs": 20}
FLOAT: Final[Overrides] = {"training.pruning.enabled": False, "variant": "float"}
LARGE: Final = FLOAT | hidden(128, 128) | pools(8, 16) | {"model.rho": [dense(32)]}
VERTEX: Final = samples(folder=FULL / "vertex")
ROWS: Final[dict[str, Overrides]] = {
    "base": {},
    "base, seed 2": {"training.seed": 2},
    "base, seed 3": {"training.seed": 3},
    "float": FLOAT,
    "not pruned": {"training.pruning.enabled": False},
    "float 128-128, K = 8, M = 16": LARGE | features(extra=("pt_high",)),
    "the same with vertex distance": LARGE | features(extra=("pt_high", "abs_z0")) | VERTEX,
    "pile-up 70 %, Z 4 %, large float with vertex distance": LARGE
    | features(extra=("pt_high", "abs_z0"))
    | samples(CHOSEN, FULL / "vertex")
    | {"training.epochs": 10},
    "pile-up 70 %, Z 4 %, large float": LARGE
    | features(extra=("pt_high",))
    | samples(CHOSEN)
    | {"training.epochs": 10},
    "four times the steps": LONG,
    "loss MSE": {"training.loss.kind": "mse"},
    "loss MAE": {"training.loss.kind": "mae"},
    "loss Huber + response": {"training.loss.response_weight": 30.0},
    "K = 1, no scalars": {"model.scalars": None, "model.weights": dense(1, output="fixed<8,2>")},
    "K = 2, M = 2": pools(2, 2),
    "K = 8, M = 8": pools(8, 8),
    "hidden 16-16": hidden(16, 16),
    "hidden 64-32": hidden(64, 32),
    "8 bit": hidden(32, 32, kernel="fixed<8,1>", output="ufixed<8,2>"),
    "4 bit": hidden(32, 32, kernel="fixed<4,1>", output="ufixed<4,2>"),
    "sparsity 0.6": {"training.pruning.sparsity": 0.6},
    "sparsity 0.9": {"training.pruning.sparsity": 0.9},
    "pile-up 28 %, Z 24 %": samples({"ttbar": 0.48, "znunu": 0.24, "pileup": 0.28}),
    "pile-up 50 %, Z 17 %": samples({"ttbar": 0.33, "znunu": 0.17, "pileup": 0.50}),
    "pile-up 60 %, Z 8 %": samples({"ttbar": 0.32, "znunu": 0.08, "pileup": 0.60}),
    "pile-up 70 %, Z 8 %": samples({"ttbar": 0.22, "znunu": 0.08, "pileup": 0.70}),
    "pile-up 70 %, Z 4 %": samples(CHOSEN),
    "without pt_low": features(without=("pt_low",)),
    "without puppi_weight": features(without=("puppi_weight",)),
    "without abs_eta": features(without=("abs_eta",)),
    "without type": features(without=TYPES),
}


def row_config(name: str) -> tuple[RunConfig, Any]:
    """Return the configuration of a row and the variant to train."""
    changes = BASE | ROWS[name]
    variant = changes.pop("variant", None)
    config = load_run(Path("models/deepset.yaml"), changes)
    return config, variant or ("pruned" if config.training.pruning.enabled else "quantized")


def row_folder(root: Path, name: str) -> RunFolder:
    """Folder of a row, a run folder without twins."""
    return RunFolder(root / re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-"))


def make_vertex_stores() -> None:
    """The same events with z0 counted from the vertex."""
    for label, plain in STORES.items():
        store = FULL / "vertex" / plain.name
        if not store.is_file() or store.stat().st_mtime < plain.stat().st_mtime:
            store.parent.mkdir(exist_ok=True)
            config = ConvertConfig(label=label, z0="vertex")
            convert([str(FULL / label / "*.root")], store, config, overwrite=True)


def train_row(task: tuple[Path, str]) -> str:
    """Train one network and keep its MET of the watched parts."""
    from l1met_fpga.data.samples import load_samples
    from l1met_fpga.models.storage import save_model
    from l1met_fpga.training.inputs import training_identity
    from l1met_fpga.training.loop import train_variant
    from l1met_fpga.training.mixture import TrainingMixture
    from l1met_fpga.training.monitor import Validation, packed_predictor

    root, name = task
    config, variant = row_config(name)
    truths = tuple(MET.truths.values())
    run = RunFolder.create(row_folder(root, name).root, clear=True)
    save_run(config, run.config)
    loaded = load_samples(config.samples, config.model, truths, reference=MET.reference)
    mixture = TrainingMixture(
        [s.train for s in loaded], [s.share for s in loaded], config.training, MET
    )
    validation = Validation(loaded, config.training.loss, MET, config.evaluation)
    identity = training_identity(config, loaded)
    result = train_variant(config, MET, variant, mixture, validation, run.root, identity=identity)
    save_model(result.model, run.model)
    predict = packed_predictor(result.packed, MET)
    for part in PARTS:
        watched = load_samples(
            config.samples, config.model, truths, reference=MET.reference, watch=part
        )
        met = {sample.label: predict(sample.validation)["met"] for sample in watched}
        path = run.root / f"{part.name.lower()}.npz"
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **met)
    about = {
        "zeros": result.zero_fractions.get("total"),
        "parameters": int(result.model.count_params()),
        "seconds": round(result.seconds, 1),
    }
    write_json(run.training, about)
    return name


def load_part(root: Path, names: list[str], table: Baseline, part: Part) -> list[Sample]:
    """PUPPI MET, the table and all rows on one part of the samples."""
    found = []
    for label, path in STORES.items():
        events = load_store(path, MET, part)
        given = {"puppi": MET.reference(events.examples), "table": table.estimate(events.examples)}
        for name in names:
            with np.load(row_folder(root, name).root / f"{part.name.lower()}.npz") as file:
                given[name] = {"met": file[label]}
        found.append(Sample(label, MET.truth(events.examples), given, events.is_background))
    return found


def figures(part: list[Sample], config: EvaluationConfig) -> Metrics:
    """Figures of all rows, with paired errors."""
    titles = {
        "puppi": Estimate("baseline", "PUPPI MET"),
        "table": Estimate("baseline", "table pt x |eta| x type"),
    }
    titles |= {name: Estimate("file", name) for name in part[0].estimates if name not in titles}
    return to_metrics(evaluate(part, MET, titles, config))


def table(metrics: Metrics, about: dict[str, Any]) -> list[str]:
    """Markdown rows: efficiencies with paired errors of the difference to the first row."""
    signal = list(metrics.trigger)
    points = metrics.working_points
    head = ["network", "parameters", "zeros"]
    head += [f"{label}, {point.title}" for label in signal for point in points]
    head += [f"{label} widths (GeV)" for label in signal]
    head += ["worst cell against the table, in errors"]
    lines = [head, ["---"] * len(head)]
    for name in metrics.estimates:
        kept = about.get(name, {})
        zeros = kept.get("zeros")
        cells = [name.replace("|", r"\|"), str(kept.get("parameters", ""))]
        cells.append("" if zeros is None else f"{zeros:.0%}")
        for label in signal:
            for point in points:
                cell = metrics.trigger[label].efficiency[point.key]["100_150"][name]
                base = cell.difference.get("base")
                error = None if base is None else base.error
                cells.append(
                    f"{cell.efficiency:.3f}" + ("" if error is None else f" ± {error:.3f}")
                )
        for label in signal:
            wide = metrics.resolution[label].inclusive.estimates[name]
            widths = (wide.parallel_over_slope_gev, wide.perpendicular_over_slope_gev)
            cells.append(", ".join(f"{width.value[0]:.1f}" for width in widths))
        worst = worst_cell(metrics, name)
        cells.append("" if worst is None else f"{worst.in_errors:+.1f}")
        lines.append(cells)
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def main() -> None:
    """Train what is missing, then write the tables of all rows that are there."""
    root, *wanted = sys.argv[1:]
    console, folder = Console(), Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    make_vertex_stores()
    missing = [n for n in wanted or ROWS if not row_folder(folder, n).training.is_file()]
    for index, name in run_tasks(train_row, [(folder, name) for name in missing]):
        console.print(f"{index + 1} of {len(missing)}: {name}", highlight=False)
    names = [name for name in ROWS if row_folder(folder, name).training.is_file()]
    about = {name: json.loads(row_folder(folder, name).training.read_text()) for name in names}
    config = EvaluationConfig(rates_khz=RATES_KHZ)
    weights = fit_on_training_parts([*STORES.values()], MET, config.max_train_events)["table"]
    found = {
        part.name.lower(): figures(load_part(folder, names, weights, part), config)
        for part in PARTS
    }
    write_json(folder / "choices.json", {"networks": about, **found})
    text = [f"{part}:\n\n" + "\n".join(table(found[part], about)) for part in found]
    (folder / "choices.md").write_text("\n\n".join(text) + "\n")
    console.print("\n\n".join(text), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
