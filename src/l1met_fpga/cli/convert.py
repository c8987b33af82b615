"""``l1met convert``: files of the field to one store."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import Scheduler
from l1met_fpga.cli.read_options import BranchMapOption, FormatOption
from l1met_fpga.config.base import load_yaml, override, parse
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.counts import COUNT_MEANINGS

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("convert")(_convert)


def _convert(
    sources: Annotated[list[str], typer.Argument(help="Files, globs or root:// URLs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Store to make (HDF5).")],
    *,
    label: Annotated[
        str | None, typer.Option(help="Name of the sample; that of the store if not given.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            help="signal or background (pile-up-only events); labels pileup, minbias and "
            "single_neutrino are background if not given."
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="Order of the candidates: as_is, pt or region.")
    ] = None,
    file_format: FormatOption = None,
    z0: Annotated[
        str | None,
        typer.Option(help="z0 along the beam line (beam) or from the primary vertex (vertex)."),
    ] = None,
    branch_map: BranchMapOption = None,
    split_seed: Annotated[
        int | None, typer.Option(help="Seed of the training, validation and test parts.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file with these options; typed flags win.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one per processor if not given.")
    ] = None,
    scheduler: Scheduler = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
) -> None:
    """Convert ROOT ntuples, PUPPI words or files of other projects to a store.

    An interrupted conversion goes on with the next unfinished input file when it is started
    again.

    For example:

        l1met convert 'perfNano_TTbar_*.root' -o ttbar.h5

        l1met convert events.dump --order region -o words.h5

        l1met convert 'job*/perfNano.root' --scheduler tcp://10.0.0.5:8786 -o all.h5
    """
    from l1met_fpga.data.convert import convert, role_of

    typed = {
        "label": label,
        "role": role,
        "order": order,
        "z0": z0,
        "format": file_format,
        "branch_map": branch_map,
        "splits.seed": split_seed,
    }
    raw = {"label": output.stem, **(load_yaml(config) if config else {})}
    raw = override(raw, {key: value for key, value in typed.items() if value is not None})
    settings = parse(ConvertConfig, raw, where=str(config or "command line"))
    console = terminal.console()
    with Progress(
        TextColumn("converting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[events]} events"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=None, events=0)
        n_events = 0

        def on_file(n_files: int, events: int) -> None:
            nonlocal n_events
            n_events += events
            progress.update(bar, total=n_files, advance=1, events=n_events)

        counts = convert(
            sources,
            output,
            settings,
            overwrite=overwrite,
            workers=workers,
            scheduler=scheduler,
            on_file=on_file,
        )
    console.print(
        terminal.styled(
            (output, "bold"),
            f": {n_events} {settings.rows}s, label {settings.label!r}, {role_of(settings)}",
        )
    )
    table = Table(show_header=False, box=None)
    for name, count in counts.items():
        if count:
            table.add_row(str(count), COUNT_MEANINGS.get(name, name))
    console.print(table)
