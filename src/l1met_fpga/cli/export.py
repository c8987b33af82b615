"""``l1met export``: a network as what others build with."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["register"]

Source = Annotated[
    Path | None,
    typer.Argument(help="Run folder, or a network.json; the newest run if not given."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    exports = typer.Typer(
        help="Export a network: into C++, CMSSW, onto a board.", no_args_is_help=True
    )
    exports.command("cpp")(_cpp)
    exports.command("cmssw")(_cmssw)
    app.add_typer(exports, name="export")


def _cpp(run: Source = None, *, output: Output = Path("l1met_cpp")) -> None:
    """Write one C++17 header that computes the network in integers, GT word included.

    For example:

        l1met export cpp runs/deepset -o deepset_cpp
    """
    from l1met_fpga.cli.network_choice import chosen_network
    from l1met_fpga.firmware.export.cpp import export_cpp

    command = export_cpp(chosen_network(run), output)
    _tell(output, output, command)


def _cmssw(
    run: Source = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write; the package's name.")
    ] = None,
    package: Annotated[
        str | None, typer.Option("--name", help="Name of the package, L1MET and the network's.")
    ] = None,
    version: Annotated[str, typer.Option("--version", help="Version of this network.")] = "v1",
) -> None:
    """Write an emulator package for CMSSW, or add a version to one.

    For example:

        l1met export cmssw runs/deepset -o L1METDeepset --version v2
    """
    from l1met_fpga.cli.network_choice import chosen_network
    from l1met_fpga.firmware.export.cmssw import export_cmssw, package_name

    network = chosen_network(run)
    name = package or package_name(network)
    folder = output or Path(name)
    _tell(folder, folder, export_cmssw(network, folder, package=name, version=version))


def _tell(written: Path, folder: Path, command: str) -> None:
    """Say what was written and the command that builds it."""
    console = Console(soft_wrap=True)
    console.print(f"wrote {written}; build it with", highlight=False, markup=False)
    command = f"cd {shlex.quote(str(folder))} && {command}"
    console.print(f"  {command}", highlight=False, markup=False)
