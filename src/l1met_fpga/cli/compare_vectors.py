"""``l1met compare-vectors``: hold a file captured on a board against the network."""

from pathlib import Path
from typing import Annotated

import typer

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare-vectors")(_compare)


def _compare(
    file: Annotated[Path, typer.Argument(help="Captured output: EMP version 1 or 2, or APx.")],
    run: Annotated[
        Path | None,
        typer.Argument(help="Run folder, or a network.json; the newest run if not given."),
    ] = None,
    *,
    vectors: Annotated[
        Path | None,
        typer.Option(help="Vectors that were played; `vectors` in the run folder if not given."),
    ] = None,
) -> None:
    """Compare the frames that a board gave with what the network says, bit by bit.

    The first output frame may come after any number of idle ones. Missing frames and marks are
    errors; a difference names the first event, frame and bit, and the exit code is 9.

    For example:

        l1met compare-vectors captured.txt runs/deepset
    """
    from l1met_fpga.cli.network_choice import chosen_network, chosen_run
    from l1met_fpga.firmware.export.vectors import compare_capture

    network, folder = chosen_network(run), chosen_run(run)
    played = vectors or (folder.root / "vectors" if folder is not None else Path("vectors"))
    found = compare_capture(network, file, played)
    terminal.console().print(
        f"{file}: 0 of {found.events} events differ; the first result is in frame "
        f"{found.latency_frames}",
    )
