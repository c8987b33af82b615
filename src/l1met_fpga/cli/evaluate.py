"""``l1met evaluate``: physics figures and plots."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l1met_fpga.cli import terminal
from l1met_fpga.cli.run_choice import assignments
from l1met_fpga.errors import ConfigError
from l1met_fpga.tasks.registry import DEFAULT_TASK, task_named

if TYPE_CHECKING:
    from l1met_fpga.config.evaluation import EvaluationConfig
    from l1met_fpga.config.faults import FaultsConfig
    from l1met_fpga.evaluation.evaluation import Evaluation
    from l1met_fpga.evaluation.runs import NamedRun
    from l1met_fpga.evaluation.sample import Estimator, Events
    from l1met_fpga.firmware.check import Form
    from l1met_fpga.tasks.task import Heads

__all__ = ["evaluate", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    run: Annotated[str | None, typer.Argument(help="Run folder, or RUN:NAME.")] = None,
    *,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="More networks, as RUN:NAME.")
    ] = None,
    sample: Annotated[
        list[Path] | None,
        typer.Option("--sample", "-s", help="Stores or ROOT files instead of the run's own."),
    ] = None,
    arrays: Annotated[
        list[str] | None,
        typer.Option(
            "--arrays",
            "-a",
            help="Other people's estimates, SAMPLE:NAME=FILE.npz (MET: pt, phi or px, py).",
        ),
    ] = None,
    background: Annotated[
        list[str] | None,
        typer.Option(
            help="Samples of --arrays alone that are pile-up only (pileup, minbias and "
            "single_neutrino if not given); the role of a store is in the store."
        ),
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change a setting of evaluation, or of faults: rates_khz=[18,30], faults.seed=2.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; the run's own if not given.")
    ] = None,
    forms: Annotated[
        bool, typer.Option("--forms", help="Also the int64, C-simulated and RTL forms (slow).")
    ] = False,
    then: Annotated[
        list[str] | None,
        typer.Option(
            help="Each network with this behind it as well; MET: jump (the trigger's own), "
            "turning_jump (a form of it that turns with the event)."
        ),
    ] = None,
    allow_training_events: Annotated[
        bool,
        typer.Option(
            "--allow-training-events",
            help="Evaluate on events that the network was trained on too; the report says so.",
        ),
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults",
            help="Also on bad days of the detector (section faults of the configuration).",
        ),
    ] = False,
    task: Annotated[
        str | None,
        typer.Option("--task", help="What --arrays without a run folder estimate (met)."),
    ] = None,
    plots: Annotated[bool, typer.Option(help="Draw the plots.")] = True,
) -> None:
    """Evaluate networks, baselines and other people's estimates.

    Writes `metrics.json` and `plots/` into the run folder and prints what is gained.

    For example:

        l1met evaluate runs/deepset

        l1met evaluate runs/deepset -m runs/garnet:GarNet -o compare/

        l1met evaluate -a ttbar:PUPPI=puppi.npz -a ttbar:mine=mine.npz -o out/
    """
    from l1met_fpga.config.faults import FaultsConfig
    from l1met_fpga.evaluation.runs import ArrayFile, NamedRun, evaluate_arrays, evaluate_runs
    from l1met_fpga.files import require_folder

    if background and (run or model):
        raise ConfigError(
            f"--background {background[0]} is for --arrays without a run folder; a store knows its "
            "role, which `l1met convert --role background` gives it"
        )
    runs = NamedRun.open_all([*([run] if run else []), *(model or [])])
    files = [ArrayFile.parse(text) for text in arrays or []]
    if not runs and not files:
        raise ConfigError("nothing to evaluate: give a run folder, or --arrays SAMPLE:NAME=FILE")
    if not runs and output is None:
        raise ConfigError("--arrays without a run folder needs --output FOLDER")
    if output is None:
        runs[0].run.writable()
    else:
        require_folder(output)
    if faults and not runs:
        raise ConfigError("--faults needs a run folder: --arrays hold no candidates to change")
    if then and not runs:
        raise ConfigError(f"--then {then[0]} follows a network; give a run folder")
    if runs and task is not None:
        raise ConfigError(f"--task {task} is for --arrays without a run folder; a run has its task")
    chosen = task_named(runs[0].config.task if runs else task or DEFAULT_TASK)
    config = runs[0].config if runs else None
    section, held = (
        (chosen.evaluation, FaultsConfig())
        if config is None
        else (config.evaluation, config.faults)
    )
    settings, days = _settings(section, held, assign or [])
    if runs:
        more = {one.name: _built_forms(one) for one in runs} if forms else None
        found = evaluate_runs(
            runs,
            chosen,
            settings,
            stores=sample,
            arrays=files,
            forms=more,
            steps=then or (),
            allow_training_events=allow_training_events,
            faults=days if faults else None,
        )
    else:
        backgrounds = frozenset(background) if background else None
        found = evaluate_arrays(files, chosen, settings, backgrounds=backgrounds)
    folder = output or runs[0].run.root
    history = runs[0].run.history if runs and runs[0].run.history.is_file() else None
    _write(found, folder, history=history, plots=plots)


def _built_forms(named: "NamedRun") -> "dict[str, Estimator]":
    """Return the integer forms that this run folder holds, in the units of the heads."""
    from l1met_fpga.cli.check import built_forms
    from l1met_fpga.data.slots import all_slots, first_slots
    from l1met_fpga.firmware.forms import int64_form
    from l1met_fpga.models.network_of_run import network_of

    run = named.run
    network = network_of(run)
    every = {"int64": int64_form(network), **built_forms(run, named.config, network, rtl=True)}

    def in_units(form: "Form") -> "Estimator":
        def run(events: "Events") -> "Heads":
            return network.values(
                form(first_slots(all_slots(events.examples), network.n_candidates))
            )

        return run

    return {name: in_units(form) for name, form in every.items()}


def _settings(
    section: "EvaluationConfig", days: "FaultsConfig", assign: list[str]
) -> "tuple[EvaluationConfig, FaultsConfig]":
    """Return sections ``evaluation`` and ``faults`` with the assignments typed."""
    from l1met_fpga.config.base import override, parse

    typed = assignments(assign)
    of_days = {key: typed.pop(key) for key in list(typed) if key.split(".")[0] == "faults"}
    changed = override({"faults": days.model_dump()}, of_days)["faults"]
    return (
        parse(type(section), override(section.model_dump(), typed), where="--set"),
        parse(type(days), changed, where="--set"),
    )


def _write(found: "Evaluation", folder: Path, *, history: Path | None, plots: bool) -> None:
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.cli.summary_tables import summary_tables
    from l1met_fpga.evaluation.metrics_content import to_metrics
    from l1met_fpga.evaluation.summary import summary_lines
    from l1met_fpga.report.headline_physics import physics_answers
    from l1met_fpga.results.metrics_file import save_metrics
    from l1met_fpga.run_folder import RunFolder

    console = terminal.console()
    metrics = to_metrics(found)
    with RunFolder(folder).writing():
        save_metrics(metrics, folder / "metrics.json")
        if plots:
            from l1met_fpga.evaluation.draw import draw_all, read_history

            drawn = draw_all(
                found, folder / "plots", history=None if history is None else read_history(history)
            )
            console.print(f"{len(drawn)} plots in {folder / 'plots'} (PDF and PNG)")
    for table in summary_tables(metrics):
        console.print(table)
    # of a network the answers; every difference, in sentences, where there is none
    for line in (*(() if metrics.primary else summary_lines(metrics)), *metrics.notes):
        console.print(line)
    print_answers(console, physics_answers(metrics))
    console.print(f"figures in {folder / 'metrics.json'}; `l1met report` makes the report")
