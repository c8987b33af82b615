"""Keep a run as reference model: its small files and a model card go to ``models/NAME/``.

python benchmarks/reference_model.py runs/deepset-... "l1met train models/deepset.yaml"
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from l1met_fpga.config.run import RunConfig, load_run, save_run
from l1met_fpga.files import write_json
from l1met_fpga.results.base import read_result
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_file import load_metrics
from l1met_fpga.results.run import Environment, TrainingSummary, read_training
from l1met_fpga.run_folder import RunFolder

KEPT = (
    "environment.json",
    "history.csv",
    "model.keras",
    "model_float.keras",
    "network.json",
)
FULL = Path("data/full")
ARCHITECTURES = {
    "deepset": "DeepSet: pooled vectors and scalars, a small event network.",
    "deepmet": "One weight per candidate (DeepMET): the DeepSet with one vector pool and no scalars.",
    "garnet": "GarNet: aggregators at learned distances.",
}
VARIANTS = {
    "float": "float",
    "quantized": "quantized, not pruned",
    "pruned": "quantized and pruned",
}
LIMITS = """
`config.yaml` names the built-in samples, so that the network can be evaluated and built in every clone.

Limits: trained on a fast simulation, not on CMS simulation or data. MET is not calibrated: its mean response is below 1, only
its ordering of events matters for a threshold.
"""


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def validation_row(name: str, figures: Mapping[str, float | None]) -> list[str]:
    """One row of the validation table."""
    return [
        name,
        f"{figures['val_threshold_gev']:.1f}",
        *(f"{figures[f'val_{label}_efficiency']:.3f}" for label in ("ttbar", "znunu")),
        *(
            f"{figures[f'val_{label}_u_par_gev']:.1f}, {figures[f'val_{label}_u_perp_gev']:.1f}"
            for label in ("ttbar", "znunu")
        ),
    ]


def test_table(metrics: Metrics) -> list[str]:
    """Efficiency of every estimate at every working point, genMET 100-150 GeV."""
    points = metrics.working_points
    samples = list(metrics.trigger)
    rows = [
        [about.title.replace("|", r"\|")]
        + [
            f"{metrics.trigger[label].efficiency[point.key]['100_150'][name].efficiency:.3f}"
            for label in samples
            for point in points
        ]
        for name, about in metrics.estimates.items()
    ]
    return table(["MET", *(f"{s}, {p.title}" for s in samples for p in points)], rows)


def card(name: str, command: str, training: TrainingSummary, metrics: Metrics) -> str:
    """Return the model card."""
    kept, zeros = training.kept, training.kept.zero_fractions
    full = all(Path(s.path or "").parent == FULL for s in training.samples)
    source = "full samples (`make data-full`)" if full else "built-in samples (`data/*.root`)"
    data = ", ".join(
        f"{sample.training_events} {sample.label} ({sample.share:g} of an epoch)"
        for sample in training.samples
    )
    per_layer = ", ".join(
        f"{layer.removesuffix('_dense')} {zero:.0%}"
        for layer, zero in zeros.items()
        if layer != "total"
    )
    facts = [
        ["data", f"{source}, see `docs/simulation.md`; training events: {data}"],
        ["command", f"`{command}`"],
        ["seed, epochs", f"{training.seed}, {kept.epochs}"],
        ["parameters", f"{kept.parameters}, {zeros['total']:.0%} of kernel weights are zero"],
        ["zeros per layer", per_layer],
    ]
    head = [
        "",
        "threshold (GeV)",
        "ttbar",
        "Z to neutrinos",
        "ttbar widths (GeV)",
        "Z widths (GeV)",
    ]
    rows = [validation_row("PUPPI MET", training.puppi)]
    rows += [
        validation_row(VARIANTS[variant], figures.validation)
        for variant, figures in training.networks.items()
    ]
    rate = kept.validation["val_rate_khz"]
    lines = [
        f"# {name}",
        "",
        (
            f"{ARCHITECTURES[name]} Quantized and pruned: `model.keras`, and the same as integers, "
            "`network.json`."
        ),
        "",
        *table(["", ""], facts),
        "",
        (
            f"Validation part, efficiency for genMET 100-150 GeV at {rate:.0f} kHz, slope-corrected "
            "widths for 20-150 GeV:"
        ),
        "",
        *table(head, rows),
        "",
        "Test part, efficiency for genMET 100-150 GeV; baselines fitted on the training part:",
        "",
        *test_table(metrics),
    ]
    return "\n".join(lines) + "\n" + LIMITS


def with_builtin_samples(config: RunConfig) -> RunConfig:
    """Name the samples that every clone has, so that the model can be used without the full ones."""
    samples = tuple(
        sample.model_copy(update={"path": Path("data") / f"{sample.path.stem}.root"})
        for sample in config.samples
    )
    return config.model_copy(update={"samples": samples})


def main() -> None:
    """Copy the files of a run and write the card."""
    source, command = sys.argv[1:]
    run = RunFolder.open(Path(source))
    config = load_run(run.config)
    name = config.model.name
    folder = Path("models") / name
    folder.mkdir(exist_ok=True)
    save_run(with_builtin_samples(config), folder / "config.yaml")
    for file in KEPT:
        if (run.root / file).is_file():
            shutil.copy(run.root / file, folder / file)
    training = read_training(run.training)
    write_json(folder / "training.json", training.model_dump())
    made = read_result(Environment, run.environment, made_by="l1met train")
    write_json(folder / "environment.json", made.model_dump() | {"command": command})
    metrics = load_metrics(run.metrics)
    (folder / "README.md").write_text(card(name, command, training, metrics))


if __name__ == "__main__":
    main()
