"""``l1met check``: prove that every form of a network gives the same bits."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import CopiedRun, LastRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.firmware.check import Form
    from l1met_fpga.models.network import Network
    from l1met_fpga.results.exactness import FormCheck
    from l1met_fpga.run_folder import RunFolder

__all__ = ["built_forms", "print_agreement", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(_check)


def _check(
    run: LastRun = None,
    *,
    events: Annotated[
        int | None, typer.Option("--events", "-n", min=1, help="Test events; all if not given.")
    ] = None,
    random: Annotated[
        int, typer.Option(min=0, help="So many events of random candidates besides.")
    ] = 0,
    layers: Annotated[
        bool, typer.Option("--layers", help="C simulation layer by layer (builds it again).")
    ] = False,
    rtl: Annotated[bool, typer.Option(help="Include the RTL, when it was built.")] = True,
    output: CopiedRun = None,
) -> None:
    """Compare quantized Keras, the int64 reference, the C simulation, the RTL and exports, bit by bit.

    Test events and generated stress events are compared output by output. The result goes to
    bit_exactness.json in the run folder; the exit code is 9 if one output differs. What was built
    is simulated as it lies there, with the settings it was built with.

    For example:

        l1met check runs/deepset --events 2000

        l1met check runs/deepset --random 100000

        l1met check runs/deepset --layers

        l1met check models/deepset --output checked/
    """
    from l1met_fpga.cli.run_choice import open_run
    from l1met_fpga.config.run import load_run
    from l1met_fpga.firmware.hls.flow import check_run
    from l1met_fpga.firmware.meaning import other_meanings
    from l1met_fpga.models.network_of_run import network_of

    folder = open_run(run, output)
    config = load_run(folder.need(folder.config, made_by="l1met train"))
    network = network_of(folder)
    console = terminal.console()
    for sentence in other_meanings(network, folder):
        console.print(f"no firmware can be built of this network: {sentence}")
    with folder.writing():
        if layers:
            _check_layers(console, folder, config, network, events)
            return
        forms = built_forms(folder, config, network, rtl)
        result = check_run(folder, config, forms, n_events=events, n_random=random)
    print_agreement(console, result)


def built_forms(
    folder: "RunFolder", config: "RunConfig", network: "Network", rtl: bool
) -> "dict[str, Form]":
    """Forms that were built from this network, as they lie there, and exports where g++ is."""
    from l1met_fpga.config.firmware import IoType
    from l1met_fpga.errors import ConversionError
    from l1met_fpga.firmware.export.forms import exported_forms
    from l1met_fpga.firmware.hls.csim import CSimulation, compiled_csim
    from l1met_fpga.firmware.hls.location import (
        recorded_project,
        require_project_of,
        used_settings,
    )

    forms: dict[str, Form] = {}
    projects = [recorded_project(folder, config.hls)]
    if folder.hls_words.is_dir():
        projects.append((folder.hls_words, used_settings(folder.hls_words, config.hls)))
    for project, hls in projects:
        library = compiled_csim(project, top=hls.top_function, flags=hls.compiler_flags)
        if library is not None:
            require_project_of(folder, project, error=ConversionError)
            forms[hls.io_type.form] = CSimulation(
                library, network, processes=hls.csim_processes,
                takes_words=hls.io_type is IoType.WORDS,
            )  # fmt: skip
    if rtl and folder.rtl.is_dir():
        from l1met_fpga.firmware.rtl.project import open_project, rtl_forms

        forms |= rtl_forms(open_project(network, folder.rtl))
    return forms | exported_forms(network, folder.exported)


def _check_layers(
    console: Console,
    folder: "RunFolder",
    config: "RunConfig",
    network: "Network",
    events: int | None,
) -> None:
    from l1met_fpga.errors import BitExactnessError
    from l1met_fpga.firmware.forms import check_samples
    from l1met_fpga.firmware.hls.layerwise import compare_layers
    from l1met_fpga.firmware.hls.location import recorded_project

    _, hls = recorded_project(folder, config.hls)
    for name, candidates in check_samples(network, config, n_events=events or 200).items():
        found = compare_layers(network, hls, folder.root / "hls_layers", candidates)
        if found is not None:
            raise BitExactnessError(f"C simulation, {name} events: {found}")
        console.print(f"{name}: every layer of the C simulation agrees with the int64 reference")


def print_agreement(console: Console, result: "Mapping[str, FormCheck]") -> None:
    """Print one row per form and head."""
    table = Table(title="Integer outputs")
    left = ("form", "against", "head")
    for column in (*left, "events", "outputs", "differing", "largest LSB", "events/s"):
        table.add_column(column, justify="left" if column in left else "right")
    for form, check in result.items():
        for head, row in (check.heads or {"all": check}).items():
            table.add_row(
                form,
                check.against,
                head,
                f"{row.events:,}",
                f"{row.outputs:,}",
                terminal.styled((f"{row.differing:,}", "red" if row.differing else "green")),
                str(row.largest_lsb),
                f"{check.events_per_second or 0:,.0f}",
            )
    console.print(table)
