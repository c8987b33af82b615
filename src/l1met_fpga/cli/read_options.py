"""Options of the commands that read files of events."""

from typing import Annotated

import typer

__all__ = ["BranchMapOption", "FormatOption"]

FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="auto, root, words, l1metml, l1deepmet, jets or elements."),
]
BranchMapOption = Annotated[
    str | None,
    typer.Option(help="ROOT branch names: perfnano, l1nano, scouting, a YAML file, or auto."),
]
