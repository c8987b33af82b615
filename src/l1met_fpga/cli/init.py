"""``l1met init``: a folder to begin in."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(_init)


def _init(
    folder: Annotated[
        Path, typer.Argument(help="Folder to fill; made if it is not there.")
    ] = Path(),
) -> None:
    """Copy the recipes, trained networks and simulated samples that come with the package.

    They are what a checkout has in models/ and data/ (about 20 MB); the examples of the other
    commands work beside them. Files that are there already are never changed.

    For example:

        l1met init my-study
    """
    from l1met_fpga.shipped import copy_shipped

    copied = copy_shipped(folder)
    console = terminal.console()
    console.print(f"{len(copied)} files copied to {folder / 'models'}, {folder / 'data'}")
    enter = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    console.print(f"next: {enter}l1met train models/deepset.yaml")
