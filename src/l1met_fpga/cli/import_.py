"""``l1met import``: somebody else's trained model as an integer network."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(_import)


def _import(
    model: Annotated[
        Path,
        typer.Argument(
            help="model.keras, model.h5 (Keras, QKeras, HGQ2) or model.onnx (QONNX), or a "
            "network.json of version 1."
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "network.json"
    ),
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="What an input holds: NAME=pt/4,abs(eta),pid=2|3, NAME=momentum, NAME=filled.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the network; the file's.")] = None,
    met_type: Annotated[
        str | None, typer.Option(help="Type of the result, fixed<18,13,RND,SAT>; without loss.")
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=1, max=128, help="Of a QONNX model of one candidate: candidates per event."
        ),
    ] = None,
    expected: Annotated[
        Path | None,
        typer.Option(help="Also write events and what the model gives for them (.npz)."),
    ] = None,
    events: Annotated[
        int, typer.Option("--events", "-n", min=1, help="Generated events to prove it on.")
    ] = 2000,
) -> None:
    """Describe a trained model as exact integers, prove it, and write network.json.

    Inputs are named after columns of candidates in counts (pt, eta, phi, pid, puppi_weight, ...),
    `momentum` (px, py in GeV) or `filled` (1 for a candidate, 0 for an empty slot), or said with
    --input. The model gives each candidate weights, multiplies px, py with them and sums over
    candidates; coefficients of the event may combine the sums. Whatever has no exact integer form
    is refused by name.

    A network.json of version 1, which had one output and no named heads, is written as version 2.

    For example:

        l1met import model.h5 --input cands=pt/4,eta,puppi_weight/256 -o network.json

        l1met import runs/old/network.json -o runs/old/network.json
    """
    from l1met_fpga.cli.run_choice import assignments
    from l1met_fpga.files import require_folder
    from l1met_fpga.firmware.import_proof import expected_events, write_expected
    from l1met_fpga.fixed_point import FixedType
    from l1met_fpga.models.importing.files import import_file
    from l1met_fpga.tasks.met.task import MET

    console = Console(soft_wrap=True)
    if model.suffix == ".json":
        _convert_network(model, output)
        console.print(f"wrote {output}: version 2", highlight=False, markup=False)
        return
    for written in (output, expected):
        if written is not None:
            require_folder(written.parent)
    kind = None if met_type is None else FixedType.from_hls_name(met_type)
    imported = import_file(
        model,
        MET,
        name=name or model.stem,
        inputs=assignments(inputs, "--input"),
        result_type=kind,
        candidates=candidates,
    )
    columns, codes = expected_events(imported, events)
    n_results = sum(array.size for array in codes.values())
    imported.network.save(output)
    command = f"l1met synthesize --network {shlex.quote(str(output))}"
    if expected is not None:
        write_expected(expected, columns, codes)
        command += f" --expected {shlex.quote(str(expected))}"
    console.print(
        f"wrote {output}: 0 of {n_results} results differ from the model in {len(columns['pt'])} events; "
        "go on with",
        highlight=False, markup=False,
    )  # fmt: skip
    console.print(f"  {command} --build", highlight=False, markup=False)


def _convert_network(source: Path, target: Path) -> None:
    """Write a ``network.json`` of version 1 as version 2; its one output becomes head ``met``.

    Raises:
        ConversionError: If it is no network of version 1, or not one in itself.
    """
    from l1met_fpga.errors import ConversionError
    from l1met_fpga.models.network import Network
    from l1met_fpga.models.network_file import is_version_1, upgraded
    from l1met_fpga.tasks.met.task import MET

    content = source.read_bytes()
    if not is_version_1(content):
        Network.load(source)  # says what is wrong with it
        raise ConversionError(f"{source} has version 2 already; nothing was written")
    Network.parse(upgraded(content, MET), source).save(target)
