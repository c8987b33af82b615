"""``l1met show``: one event, as a network sees it."""

import math
from pathlib import Path
from typing import Annotated

import typer

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import networks_like
from l1met_fpga.cli.read_options import BranchMapOption, FormatOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show")(_show)


def _show(
    file: Annotated[str, typer.Argument(help="A store, or any input file of l1met convert.")],
    *,
    event: Annotated[int, typer.Option("--event", "-e", min=0, help="Counted from 0.")] = 0,
    network: Annotated[
        str,
        typer.Option(
            help="Run folder, network.json, or the name of a shipped network.",
            autocompletion=networks_like,
        ),
    ] = "deepset",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="An .html page, or a picture: .png or .pdf.")
    ] = Path("event.html"),
    file_format: FormatOption = None,
    branch_map: BranchMapOption = None,
) -> None:
    """Draw one event: candidates and jets in eta and phi, MET vectors, what each candidate does.

    The weight of a candidate is what leaving it out does to the network's MET or HT, exactly, in
    the integers of the firmware.

    For example:

        l1met show data/ttbar.root --event 3

        l1met show ttbar.h5 -e 3 --network runs/deepset -o event.png
    """
    from l1met_fpga.cli.event_vectors import event_vectors
    from l1met_fpga.cli.run_choice import with_typed
    from l1met_fpga.config.data import ConvertConfig
    from l1met_fpga.data.event_jets import event_jets
    from l1met_fpga.data.plots import plot_event
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.plots.figure import save_figure
    from l1met_fpga.prediction.blocks import read_event
    from l1met_fpga.prediction.effects import candidate_effects
    from l1met_fpga.prediction.loaded import load
    from l1met_fpga.report.event_page import event_table, write_event

    if output.suffix not in (".html", ".png", ".pdf"):
        raise ConfigError(f"--output {output} is no .html, .png or .pdf file")
    loaded = load(network)
    typed = {"format": file_format, "branch_map": branch_map}
    config = with_typed(ConvertConfig(), typed, where="command line")
    one = read_event(file, event, loaded.network.columns, loaded.units, config)
    vectors = event_vectors(one, loaded.network)
    effects = candidate_effects(loaded.network, one)
    jets = event_jets(one)
    identity = ":".join(str(part) for part in one.ids[0])
    title = f"{Path(file).name}, event {event} ({identity})"
    if len(effects.value) == 1:  # a number has no arrow
        title += f", network {effects.title} {effects.value[0]:.1f} GeV"
    if output.suffix == ".html":
        write_event(one, vectors, effects, output, title=title, jets=jets)
    else:
        drawn = plot_event(one, vectors, title=title, opacity=effects.opacity, jets=jets)
        save_figure(drawn, output.parent, output.stem)
    console = terminal.console()
    console.print(title)
    for name, vector in vectors.items():
        px, py = (float(part) for part in vector)
        console.print(f"{name}: {math.hypot(px, py):.1f} GeV, phi {math.atan2(py, px):+.2f}")
    table = event_table(one, effects)
    for row in table.rows[:3]:
        console.print(
            f"{row[0]} of {row[1]} GeV: weight {row[5]}, {row[6]} GeV of the network's {effects.title}"
        )
    console.print(f"wrote {output}")
