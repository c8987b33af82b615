"""``l1met config``: the reference of the settings."""

from typing import Annotated

import typer
from rich.table import Table

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("config")(_config)


def _config(
    key: Annotated[
        str | None,
        typer.Argument(
            help="Dotted key, such as training.loss or model.phi; all sections without."
        ),
    ] = None,
    *,
    architecture: Annotated[
        str, typer.Option(help="Network whose keys `model` shows.")
    ] = "deepset",
) -> None:
    """Print what a key of a model's YAML file means: type, limits, default, and the keys below it.

    Any of them can be typed as `--set KEY=VALUE`.

    For example:

        l1met config training.loss

        l1met config model.phi.units
    """
    from l1met_fpga.config.reference import look_up

    found = look_up(key or "", architecture)
    console = terminal.console()
    console.print(terminal.styled((found.title, "bold"), f"  {found.about}" if found.about else ""))
    if found.meaning:
        console.print(found.meaning)
    if found.keys:
        table = Table("key", "type", "default", "meaning", box=None)
        for row in found.keys:
            table.add_row(row.name, row.type, row.default, row.meaning)
        console.print(table)
