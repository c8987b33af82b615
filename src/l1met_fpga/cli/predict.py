"""``l1met predict``: what a network gives for every event of files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import networks_like
from l1met_fpga.cli.read_options import BranchMapOption, FormatOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("predict")(_predict)


def _predict(
    model: Annotated[
        str,
        typer.Argument(
            help="Run folder, network.json, or a shipped network (deepset).",
            autocompletion=networks_like,
        ),
    ],
    inputs: Annotated[
        list[str], typer.Argument(help="Stores, ROOT files, word streams: names, globs, URLs.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: .npz, .parquet or .root.")
    ],
    *,
    form: Annotated[
        str,
        typer.Option(
            "--form",
            "--engine",
            help="int64, keras or cpp (fastest; needs g++); all give the same bits.",
        ),
    ] = "int64",
    rntuple: Annotated[
        bool, typer.Option("--rntuple", help="Write an RNTuple into the ROOT file, not a TTree.")
    ] = False,
    order: Annotated[
        str | None,
        typer.Option(
            help="Order of the candidates of inputs that are no stores: as_is, pt, region."
        ),
    ] = None,
    file_format: FormatOption = None,
    branch_map: BranchMapOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Write what a network gives for every event of files, beside PUPPI's and the generator's.

    One row per event, in the order of the input: run, lumi, event; px, py, pt, phi of the network;
    the same of PUPPI MET (puppi_px, ...) and of generator MET (gen_px, ...; NaN where it is not
    known). GeV and rad. Another head than MET has a column of its own name; HT stands beside
    puppi_ht and gen_ht. The file appears when all of it is written.

    For example:

        l1met predict runs/deepset 'perfNano_*.root' -o met.root

        l1met predict deepset data/ttbar.root -o met.npz --form cpp
    """
    from l1met_fpga.cli.run_choice import with_typed
    from l1met_fpga.config.data import ConvertConfig
    from l1met_fpga.data.counts import COUNT_MEANINGS
    from l1met_fpga.prediction.files import predict_files
    from l1met_fpga.prediction.loaded import load

    network = load(model)
    typed = {"order": order, "format": file_format, "branch_map": branch_map}
    config = with_typed(ConvertConfig(), typed, where="command line")
    console = terminal.console()
    with Progress(
        TextColumn("predicting"),
        BarColumn(),
        TextColumn("{task.fields[events]} events"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=1.0, events="0")

        def on_block(n_events: int, done: float) -> None:
            progress.update(bar, completed=done, events=f"{n_events:,}")

        written = predict_files(
            network,
            inputs,
            output,
            form=form,
            config=config,
            rntuple=rntuple,
            overwrite=overwrite,
            on_block=on_block,
        )
    console.print(terminal.styled((output, "bold"), f": {written.n_events:,} events, form {form}"))
    table = Table(show_header=False, box=None)
    for name, count in written.counts.items():
        if count:
            table.add_row(str(count), COUNT_MEANINGS.get(name, name))
    if table.row_count:
        console.print(table)
    console.print(network.response)
