"""The ``l1met`` program: collects the commands and maps errors to exit codes."""

import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import typer
from rich.console import Console
from rich.logging import RichHandler

from l1met_fpga.errors import L1MetError

__all__ = ["app", "main"]

COMMANDS: Final[tuple[str, ...]] = (
    "simulate",
    "validate_simulation",
    "convert",
    "inspect",
    "train",
    "scan",
    "check",
    "synthesize",
    "explore",
    "export",
    "compare_vectors",
    "import_",
    "evaluate",
    "report",
    "compare",
)
"""One module of this package per command (or family of commands), in the order of ``--help``; a name
that Python keeps for itself ends in an underscore."""

app = typer.Typer(
    name="l1met",
    help="Train, verify and build quantized missing-transverse-energy networks for the L1 trigger.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def _common(
    *, verbose: bool = typer.Option(False, "--verbose", "-v", help="Show debug messages.")
) -> None:
    level = logging.DEBUG if verbose else logging.INFO
    if sys.stderr.isatty():
        handler: logging.Handler = RichHandler(console=Console(stderr=True), show_path=False)
        form = "%(message)s"
    else:
        handler, form = logging.StreamHandler(), "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form, handlers=[handler], force=True)
    logging.getLogger("l1met_fpga").setLevel(level)


for _name in COMMANDS:
    import_module(f"l1met_fpga.cli.{_name}").register(app)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error becomes one sentence and its exit code."""
    try:
        app(args=argv)
    except L1MetError as err:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {err}", highlight=False)
        raise SystemExit(err.exit_code) from None
