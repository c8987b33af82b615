"""``l1met export``: a network as what others build with."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import LastRun

if TYPE_CHECKING:
    from l1met_fpga.models.network import Network

__all__ = ["register"]

Source = Annotated[
    Path | None,
    typer.Argument(help="Run folder, or a network.json; the newest run if not given."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    exports = typer.Typer(
        help="Export a network: into C++, CMSSW, onto a board.", no_args_is_help=True
    )
    exports.command("cpp")(_cpp)
    exports.command("cmssw")(_cmssw)
    exports.command("vectors")(_vectors)
    exports.command("emp")(_emp)
    exports.command("ip")(_ip)
    exports.command("qonnx")(_qonnx)
    exports.command("vendor")(_vendor)
    exports.command("hepdata")(_hepdata)
    app.add_typer(exports, name="export")


def _cpp(run: Source = None, *, output: Output = Path("l1met_cpp")) -> None:
    """Write one C++17 header that computes the network in integers, GT word included.

    For example:

        l1met export cpp runs/deepset -o deepset_cpp
    """
    from l1met_fpga.firmware.export.cpp import export_cpp

    command = export_cpp(_network(run), output)
    _tell(output, output, command)


def _cmssw(
    run: Source = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write; the package's name.")
    ] = None,
    package: Annotated[
        str | None, typer.Option("--name", help="Name of the package, L1MET and the network's.")
    ] = None,
    version: Annotated[str, typer.Option("--version", help="Version of this network.")] = "v1",
) -> None:
    """Write an emulator package for CMSSW, or add a version to one.

    For example:

        l1met export cmssw runs/deepset -o L1METDeepset --version v2
    """
    from l1met_fpga.firmware.export.cmssw import export_cmssw, package_name

    network = _network(run)
    name = package or package_name(network)
    folder = output or Path(name)
    _tell(folder, folder, export_cmssw(network, folder, package=name, version=version))


def _vectors(
    run: Source = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write; `vectors` in the run folder."),
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="empv2, empv1 or apx.")] = "empv2",
    events: Annotated[
        int, typer.Option("--events", "-n", min=1, help="Events; 18 fill a buffer of 1024 frames.")
    ] = 18,
    generated: Annotated[
        bool, typer.Option("--generated", help="Generated stress events, not test events.")
    ] = False,
    lanes: Annotated[
        int | None, typer.Option(min=1, help="Input links, from number 0 on; the run's rtl.lanes.")
    ] = None,
    output_link: Annotated[int, typer.Option(min=0, help="Link of the result.")] = 0,
    latency: Annotated[
        int, typer.Option(min=0, help="Frames from an event's first frame to its result.")
    ] = 0,
) -> None:
    """Write input words and expected output frames of events, in a file format of test stands.

    Events of time multiplexing 6: 54 frames each. Play input.txt, capture the output, and compare
    it with `l1met compare-vectors`.

    For example:

        l1met export vectors runs/deepset --format apx -o deepset_vectors
    """
    from l1met_fpga.cli.network_choice import chosen_rtl, chosen_run
    from l1met_fpga.firmware.export.vector_events import generated_words, test_words
    from l1met_fpga.firmware.export.vectors import LinkMap, export_vectors

    network, folder = _network(run), chosen_run(run)
    if generated or folder is None:
        words = generated_words(network, events)
    else:
        words = test_words(network, folder, events)
    target = output or (folder.root / "vectors" if folder is not None else Path("vectors"))
    links = LinkMap(tuple(range(lanes or chosen_rtl(run).lanes)), output_link)
    export_vectors(
        network, words, target, file_format=file_format, links=links, latency_frames=latency
    )
    console = terminal.console()
    console.print(
        f"wrote {len(words)} events to {target}/input.txt and output.txt; compare what a board "
        "gives with",
        highlight=False, markup=False,
    )  # fmt: skip
    source = shlex.quote(str(run)) if run is not None else str(folder.root if folder else "RUN")
    command = f"l1met compare-vectors CAPTURE {source} --vectors {shlex.quote(str(target))}"
    console.print(f"  {command}")


def _emp(
    run: Source = None,
    *,
    output: Output = Path("l1met_emp"),
    input_links: Annotated[
        str, typer.Option("--input-links", help="One link per lane, in the order of lanes.")
    ] = "0,1,2",
    output_link: Annotated[int, typer.Option(min=0, help="Link of the result.")] = 0,
    generation: Annotated[
        str, typer.Option(help="Of the framework: 0.6 (before 0.7.0) or 0.7 (and later).")
    ] = "0.7",
) -> None:
    """Write a payload for the EMP framework around the streaming RTL.

    For example:

        l1met export emp runs/deepset --input-links 4,5,6 --output-link 4 -o l1met_emp
    """
    from l1met_fpga.cli.network_choice import chosen_rtl
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.firmware.export.board import export_emp
    from l1met_fpga.firmware.export.vectors import LinkMap

    try:
        links = LinkMap(tuple(int(link) for link in input_links.split(",")), output_link)
    except ValueError:
        raise ConfigError(
            f"--input-links takes numbers with commas between, got {input_links!r}"
        ) from None
    network, rtl = _network(run), chosen_rtl(run)
    command = export_emp(network, rtl, output, links=links, generation=generation)
    _tell(output, output.parent, command)


def _ip(run: Source = None, *, output: Output = Path("l1met_ip")) -> None:
    """Write an IP core of the streaming RTL for Vivado's catalogue, and a VHDL package.

    For example:

        l1met export ip runs/deepset -o l1met_ip
    """
    from l1met_fpga.cli.network_choice import chosen_rtl
    from l1met_fpga.firmware.export.board import export_ip

    _tell(output, output, export_ip(_network(run), chosen_rtl(run), output))


def _qonnx(
    run: Source = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "network.onnx"
    ),
) -> None:
    """Write the network as a QONNX graph: inputs in counts, a tensor per node, heads in their units.

    For example:

        l1met export qonnx runs/deepset -o deepset.onnx
    """
    from l1met_fpga.files import require_folder
    from l1met_fpga.firmware.export.qonnx import export_qonnx

    require_folder(output.parent)
    command = export_qonnx(_network(run), output)
    console = terminal.console()
    console.print(f"wrote {output}; run it with")
    console.print(f"  {command}")


def _network(run: Path | None) -> "Network":
    """Return the network to export; say of which column nobody knows what it meant in training."""
    from l1met_fpga.cli.network_choice import firmware_network

    network, sentences = firmware_network(run)
    for sentence in sentences:
        terminal.console().print(sentence)
    return network


def _tell(written: Path, folder: Path, command: str) -> None:
    """Say what was written and the command that builds it."""
    console = terminal.console()
    console.print(f"wrote {written}; build it with")
    command = f"cd {shlex.quote(str(folder))} && {command}"
    console.print(f"  {command}")


def _vendor(
    run: LastRun = None,
    *,
    output: Output = Path("l1met_vendor"),
) -> None:
    """Write one folder for a colleague with Vivado or Vitis: what was built, and one script.

    The script needs bash and the vendor's tools, and writes one file to send back.

    For example:

        l1met export vendor runs/deepset -o deepset_vendor
    """
    from l1met_fpga.cli.run_choice import open_run
    from l1met_fpga.config.run import load_run
    from l1met_fpga.firmware.export.vendor_run import ARCHIVE, export_vendor_run

    folder = open_run(run, None)
    _network(folder.root)
    config = load_run(folder.need(folder.config, made_by="l1met train"))
    parts = export_vendor_run(folder, config.hls, output)
    console = terminal.console()
    source = shlex.quote(str(folder.root))
    for line in (
        f"wrote {output} with {', '.join(parts)}; with the vendor's tools on PATH run there",
        "    bash run_vendor.sh",
        f"and take in what it writes with\n    l1met report {source} --vendor {ARCHIVE}",
    ):
        console.print(line, highlight=False, markup=False)


def _hepdata(
    plots: Annotated[
        Path, typer.Argument(help="Run folder, or a folder with the plots of a comparison.")
    ],
    *,
    output: Output = Path("l1met_hepdata"),
) -> None:
    """Write the numbers of all plots as HEPData records (needs the extra `hepdata`).

    For example:

        l1met export hepdata runs/deepset -o deepset_hepdata
    """
    from l1met_fpga.report.hepdata import write_hepdata

    drawn = plots / "plots" if (plots / "plots").is_dir() else plots
    count = write_hepdata(drawn, output)
    terminal.console().print(f"wrote {output / 'submission.tar.gz'} with {count} tables")
