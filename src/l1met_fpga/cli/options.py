"""Arguments and options that several commands take."""

import glob
from pathlib import Path
from typing import Annotated

import typer

from l1met_fpga.run_folder import RunFolder
from l1met_fpga.shipped import shipped_networks

__all__ = ["CopiedRun", "LastRun", "Scheduler", "networks_like"]


def networks_like(incomplete: str) -> list[str]:
    """Complete the name of a network: shipped ones, run folders, files, and folders on the way."""
    shipped = [name for name in shipped_networks() if name.startswith(incomplete)]
    there = [Path(name) for name in sorted(glob.glob(f"{glob.escape(incomplete)}*"))]  # noqa: PTH207
    runs = [str(path) for path in there if path.suffix == ".json" or RunFolder.is_run(path)]
    others = [f"{path}/" for path in there if path.is_dir() and str(path) not in runs]
    return [*shipped, *runs, *others]


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
