"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["CopiedRun", "LastRun", "Scheduler"]

LastRun = Annotated[Path | None, typer.Argument(help="Run folder; the newest if not given.")]

CopiedRun = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Copy the run there first, for a run that may not be written."
    ),
]

Scheduler = Annotated[
    str | None, typer.Option(help="Dask scheduler to use instead, as tcp://host:8786.")
]
