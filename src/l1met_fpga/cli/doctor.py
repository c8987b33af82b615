"""``l1met doctor``: what is here, and what will not work without the rest."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(_doctor)


def _doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False
) -> None:
    """Say what is on this machine: versions, tools, cores, memory, disk; and what will not work.

    For example:

        l1met doctor
    """
    from l1met_fpga.doctor import examine

    found = examine(Path.cwd())
    console = terminal.console()
    if as_json:
        content = {title: [asdict(one) for one in some] for title, some in found.items()}
        console.print_json(json.dumps(content))
        return
    table = Table(show_header=False, box=None)
    for title, some in found.items():
        table.add_row(terminal.styled((title, "bold")))
        for one in some:
            style = "yellow" if one.without else "green"
            table.add_row(f"  {one.name}", terminal.styled((one.found or "missing", style)))
    console.print(table)
    lacking = [one for some in found.values() for one in some if one.without]
    console.print("")
    if not lacking:
        console.print("everything is here")
    for one in lacking:
        console.print(f"{one.name}: {one.without}")
