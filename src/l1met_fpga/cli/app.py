"""The ``l1met`` program: collects the commands and maps errors to exit codes."""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import typer
from rich.logging import RichHandler
from yaml import YAMLError

from l1met_fpga.cli.terminal import (
    console,
    print_error,
    readable_os_error,
    styled,
    tolerant_streams,
)
from l1met_fpga.errors import ConfigError, FileAccessError, L1MetError

__all__ = ["app", "main"]

COMMANDS: Final = {
    "Begin": ("init", "doctor", "config"),
    "Events": ("simulate", "validate_simulation", "convert", "inspect", "show"),
    "Train": ("train", "watch", "scan", "distill"),
    "Judge and use": ("evaluate", "report", "compare", "predict"),
    "Firmware": ("synthesize", "check", "explore", "export", "compare_vectors"),
    "Models of others": ("import_", "lint"),
}
"""One module of this package per command (or family of commands), in the order and under the headings
of ``--help``; a name that Python keeps for itself ends in an underscore."""

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the signal's number."""

app = typer.Typer(
    name="l1met",
    help="Train, verify and build quantized set networks (MET, HT, jets) for the L1 trigger.",
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
        handler: logging.Handler = RichHandler(console=console(stderr=True), show_path=False)
        form = "%(message)s"
    else:
        handler, form = logging.StreamHandler(), "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form, handlers=[handler], force=True)
    logging.getLogger("l1met_fpga").setLevel(level)


def _register() -> None:
    for heading, names in COMMANDS.items():
        own = typer.Typer()
        for name in names:
            import_module(f"l1met_fpga.cli.{name}").register(own)
        for command in own.registered_commands:
            command.rich_help_panel = heading
        for family in own.registered_groups:
            family.rich_help_panel = heading
        app.registered_commands += own.registered_commands
        app.registered_groups += own.registered_groups


_register()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error becomes one sentence and its exit code.

    An error that nobody expected keeps its traceback, and a sentence says where to report it.
    """
    tolerant_streams()
    os.environ["MPLBACKEND"] = "agg"  # figures go to files, also from a notebook's shell
    try:
        app(args=argv)
    except L1MetError as err:
        _stop(str(err), err.exit_code, kind=type(err).__name__)
    except YAMLError as err:
        _stop(f"not valid YAML: {' '.join(str(err).split())}", ConfigError.exit_code)
    except OSError as err:
        _stop(readable_os_error(err), FileAccessError.exit_code)
    except SystemExit as stopped:
        if stopped.code == INTERRUPTED:
            print_error("interrupted; what was finished stays, nothing is left half written")
        raise
    except Exception:
        print_error("this should not happen; please report it with the command and the text below")
        raise


def _stop(sentence: str, exit_code: int, *, kind: str | None = None) -> NoReturn:
    print_error(sentence)
    if kind is not None and sys.stderr.isatty():
        note = styled((f"exit code {exit_code}, {kind}: cause and cure in docs/errors.md", "dim"))
        console(stderr=True).print(note)
    raise SystemExit(exit_code) from None
