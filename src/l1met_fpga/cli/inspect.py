"""``l1met inspect``: what a file of events holds."""

import json
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.read_options import BranchMapOption, FormatOption
from l1met_fpga.cli.run_choice import with_typed
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.errors import ConfigError

if TYPE_CHECKING:
    from l1met_fpga.data.inspect import Inspection

__all__ = ["register"]

_BAR_WIDTH = 50


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect")(_inspect)


def _inspect(
    file: Annotated[str, typer.Argument(help="A store, or any input file of l1met convert.")],
    *,
    plots: Annotated[
        Path | None, typer.Option(help="Draw the distributions and one event into this folder.")
    ] = None,
    event: Annotated[
        int | None, typer.Option(min=0, help="Event to draw (with --plots), counted from 0.")
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(help="Run folder or network.json whose MET joins the event display."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    file_format: FormatOption = None,
    branch_map: BranchMapOption = None,
) -> None:
    """Print counts, ranges, composition, multiplicity and problems of a file.

    For example:

        l1met inspect ttbar.h5 --plots ttbar-plots --event 7 --network runs/deepset

        l1met inspect events.dump

        l1met inspect perfNano_TTbar.root --json
    """
    from l1met_fpga.data.inspect import inspect_file
    from l1met_fpga.files import require_folder

    if plots is None and (event is not None or network is not None):
        raise ConfigError("--event and --network say what to draw; add --plots with a folder")
    if plots is not None:
        require_folder(plots)
    typed = {"format": file_format, "branch_map": branch_map}
    config = with_typed(ConvertConfig(), typed, where="command line")
    with terminal.console(stderr=True).status(terminal.styled(f"reading {file}")):
        inspection = inspect_file(file, config)
    console = terminal.console()
    if as_json:
        console.print_json(json.dumps(inspection.to_dict(), allow_nan=False))
    else:
        _print(console, inspection)
    if plots is not None:
        paths = _draw(inspection, plots, event or 0, network, config)
        if not as_json:
            console.print(terminal.styled(f"{len(paths)} figures in ", (plots, "bold")))


def _print(console: Console, inspection: "Inspection") -> None:
    from l1met_fpga.data.truth import CANDIDATE_SUMS, Quantity

    totals = inspection.totals
    console.print(terminal.styled((inspection.path, "bold")))
    head = Table(show_header=False, box=None)
    head.add_row("format", inspection.format)
    for name, about in inspection.about.items():
        head.add_row(name.replace("_", " "), about)
    head.add_row("events", f"{inspection.n_events}")
    for part, n in inspection.parts.items():
        head.add_row(f"  {part}", f"{n}")
    for name, sizes in totals.truths.items():
        truth = Quantity.named(name)
        head.add_row(f"with {truth.title}", f"{sizes.n}")
        if sizes.n and truth.unit == "gev":
            head.add_row(f"mean {truth.title}", f"{sizes.mean_gev:.1f} GeV")
    if inspection.n_events:
        for kind, sizes in totals.sums.items():
            head.add_row(f"mean {CANDIDATE_SUMS[kind]}", f"{sizes.mean_gev:.1f} GeV")
    head.add_row("candidates", f"{int(totals.pt_by_pid.sum())}")
    console.print(head, "")
    if inspection.n_events:
        console.print(_ranges(inspection), "", _composition(inspection), "")
        console.print(_multiplicity(inspection), "")
    _print_problems(console, inspection)


def _ranges(inspection: "Inspection") -> Table:
    table = Table("column", "lowest", "median", "highest", "unit", title="Ranges")
    for name, row in inspection.ranges().items():
        values = (row.lowest, row.median, row.highest)
        cells = ["-" if isnan(value) else f"{value:.4g}" for value in values]
        table.add_row(name, *cells, row.unit)
    return table


def _composition(inspection: "Inspection") -> Table:
    table = Table("type", "per event", "candidates", "sum of pt", "median pt", title="Composition")
    for pid, row in inspection.composition().items():
        table.add_row(
            pid.name.lower().replace("_", " "),
            f"{row.per_event:.2f}",
            f"{row.fraction:.1%}",
            f"{row.pt_fraction:.1%}",
            "-" if row.fraction == 0 else f"{row.median_pt_gev:.2f} GeV",
        )
    return table


def _multiplicity(inspection: "Inspection") -> Table:
    counts = inspection.totals.multiplicity
    last = int(counts.nonzero()[0][-1])
    width = 8 if last <= 160 else 16
    bins = [int(counts[start : start + width].sum()) for start in range(0, last + 1, width)]
    table = Table("candidates", "events", "", title="Candidates per event", box=None)
    block = "█" if terminal.stream_prints("█") else "#"
    for index, n in enumerate(bins):
        bar = block * round(_BAR_WIDTH * n / max(bins))
        table.add_row(f"{index * width} to {index * width + width - 1}", str(n), bar)
    return table


def _print_problems(console: Console, inspection: "Inspection") -> None:
    if not inspection.problems:
        console.print(terminal.styled(("no problems found", "green")))
    for problem in inspection.problems:
        console.print(terminal.styled(("problem:", "yellow"), f" {problem}"))


def _draw(
    inspection: "Inspection", folder: Path, event: int, network: Path | None, config: ConvertConfig
) -> list[Path]:
    from l1met_fpga.cli.event_vectors import event_vectors
    from l1met_fpga.data import plots
    from l1met_fpga.plots.figure import save_figure
    from l1met_fpga.prediction.blocks import read_event
    from l1met_fpga.prediction.loaded import load

    totals = inspection.totals
    figures: dict[str, Any] = {
        "multiplicity": plots.plot_multiplicity(totals),
        "pt": plots.plot_pt(totals),
        "columns": plots.plot_columns(totals),
        **{f"{kind}_sums": plots.plot_sums(totals, kind) for kind in totals.sums},
    }
    loaded = load(network) if network else None
    columns, units = (loaded.network.columns, loaded.units) if loaded else ((), {})
    one = read_event(inspection.path, event, columns, units, config)
    name = Path(inspection.path).name
    identity = ":".join(str(part) for part in one.ids[0])
    title = f"{name}, event {event} ({identity})"
    vectors = event_vectors(one, loaded.network if loaded else None)
    figures[f"event_{event}"] = plots.plot_event(one, vectors, title=title)
    return [path for key, figure in figures.items() for path in save_figure(figure, folder, key)]
