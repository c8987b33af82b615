"""``l1met lint``: what hls4ml would do to a Keras model of your own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from l1met_fpga.cli import terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lint")(_lint)


def _lint(
    model: Annotated[Path, typer.Argument(help="Keras 2 model with QKeras layers, .keras or .h5.")],
    *,
    io_type: Annotated[str, typer.Option(help="io_parallel or io_stream.")] = "io_parallel",
    reuse_factor: Annotated[int, typer.Option(min=1, help="hls4ml's reuse factor.")] = 1,
    convert: Annotated[
        Path | None,
        typer.Option(help="Also convert it, compare with Keras, and write the project there."),
    ] = None,
) -> None:
    """Check a Keras model of your own for what hls4ml would convert into other numbers.

    Every layer and argument must stand on the list of what converts exactly. With --convert the
    model is converted too, and its C simulation is compared with Keras before anything is written.
    The exit code is 8 if something is refused.

    For example:

        l1met lint model.h5

        l1met lint model.h5 --convert hls_model
    """
    from l1met_fpga.cli.run_choice import with_typed
    from l1met_fpga.config.firmware import HlsConfig
    from l1met_fpga.errors import ConversionError
    from l1met_fpga.firmware.hls.keras_front_end import convert_keras
    from l1met_fpga.firmware.hls.lint import Outcome, lint
    from l1met_fpga.firmware.hls.project import fresh_folder, require_replaceable
    from l1met_fpga.models.importing.foreign import load_foreign

    if convert is not None:
        require_replaceable(convert)
    typed = {"io_type": io_type, "reuse_factor": reuse_factor}
    config = with_typed(HlsConfig(), typed, where="hls")
    found = load_foreign(model)
    findings = lint(found, config)
    console = terminal.console()
    if findings:
        table = Table(title=terminal.styled(f"{model}: {len(findings)} findings"))
        for column in ("layer", "rule", "outcome", "what"):
            table.add_column(column, overflow="fold")
        for finding in findings:
            cells = (finding.layer, finding.rule, finding.outcome.value, finding.message)
            table.add_row(*map(terminal.styled, cells))
        console.print(table)
    refused = [finding for finding in findings if finding.outcome is Outcome.REFUSED]
    if refused:
        raise ConversionError(f"{len(refused)} of {len(findings)} findings are refused; see above")
    console.print(f"every layer of {model} is one that converts exactly")
    if convert is not None:
        graph = convert_keras(found, config, convert)
        fresh_folder(convert)
        graph.write()
        console.print(f"C simulation and Keras agree; project written to {convert}")
