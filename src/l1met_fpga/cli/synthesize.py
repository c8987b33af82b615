"""``l1met synthesize``: HLS project, C simulation, bit-exactness, report; and builds on request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from l1met_fpga.cli import terminal
from l1met_fpga.cli.options import LastRun

if TYPE_CHECKING:
    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.firmware.check import Form
    from l1met_fpga.models.network import Network
    from l1met_fpga.run_folder import RunFolder

__all__ = ["register", "synthesize"]

REFERENCE_FOLDER = Path("models")
DEFAULT_EVENTS = 2000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synthesize")(synthesize)


def synthesize(
    run: LastRun = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Newest run of this model; else train it.")
    ] = None,
    pruning: Annotated[
        bool | None, typer.Option("--pruning/--no-pruning", help="With -m: pruned or not.")
    ] = None,
    build: Annotated[
        bool, typer.Option("--build", "-B", help="Vendor synthesis when possible, and the RTL.")
    ] = False,
    part: Annotated[str | None, typer.Option(help="FPGA part.")] = None,
    clock_period_ns: Annotated[float | None, typer.Option(help="Clock period.")] = None,
    backend: Annotated[str | None, typer.Option(help="Vitis or Vivado.")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="latency, resource or distributed_arithmetic.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder of the HLS project; of a copy of the run where that may not be written.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Top module of the RTL; all its modules' names begin with it."),
    ] = None,
    events: Annotated[
        int, typer.Option("--events", "-n", min=1, help="Test events of the check.")
    ] = DEFAULT_EVENTS,
    require_vendor: Annotated[
        bool, typer.Option("--require-vendor", help="Fail when there is no vendor tool.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Use the shipped network models/MODEL.")
    ] = False,
    network: Annotated[
        Path | None,
        typer.Option(help="A network.json from elsewhere; its run folder is made in runs/."),
    ] = None,
    expected: Annotated[
        Path | None,
        typer.Option(help="With --network: events and their results (.npz) to hold it against."),
    ] = None,
) -> None:
    """Convert a trained network with hls4ml, C-simulate it, check it bit by bit, and report.

    With --build also run the vendor's synthesis, when its tool is on PATH, and build the streaming
    RTL with open tools. Settings come from the run folder; a flag typed here goes before them.

    For example:

        l1met synthesize runs/deepset --build

        l1met synthesize -m deepset --pruning --strategy distributed_arithmetic

        l1met synthesize --network network.json --expected events.npz --build
    """
    from l1met_fpga.cli.run_choice import with_typed
    from l1met_fpga.config.run import load_run
    from l1met_fpga.errors import ToolError
    from l1met_fpga.firmware.hls.vendor import find_vendor

    if network is not None or expected is not None:
        run = _imported(network, expected, run, model, reference)
    console = terminal.console()
    folder, output = _writable(_choose(console, run, model, pruning, reference), output)
    config = load_run(folder.need(folder.config, made_by="l1met train"))
    typed = {
        "part": part, "clock_period_ns": clock_period_ns, "backend": backend, "strategy": strategy,
    }  # fmt: skip
    hls = with_typed(config.hls, typed, where="hls")
    both = {k: typed[k] for k in ("part", "clock_period_ns")}
    rtl = with_typed(config.rtl, both | {"top": name}, where="rtl")
    config = config.model_copy(update={"hls": hls, "rtl": rtl})
    if require_vendor:
        find_vendor(hls.backend, required=True)
    console.print(f"run folder {folder.root}")
    with folder.writing():
        project = output or folder.hls
        _convert_and_check(console, folder, config, project, events=events, rtl=build)
        try:
            if build:
                _run_vendor(console, config, project)
        except ToolError:  # what is known without the vendor's figures is reported all the same
            _report(console, folder)
            raise
        _report(console, folder)


def _writable(folder: "RunFolder", output: Path | None) -> "tuple[RunFolder, Path | None]":
    """Return where results go, and the folder of the HLS project if it lies elsewhere.

    With ``output`` a run that may not be written is copied there first.
    """
    from l1met_fpga.errors import RunFolderError

    try:
        return folder.writable(), output
    except RunFolderError:
        if output is None:
            raise
        return folder.writable(output), None


def _imported(
    network: Path | None,
    expected: Path | None,
    run: Path | None,
    model: str | None,
    reference: bool,
) -> Path:
    """Make a run folder of a network.json and return it."""
    from l1met_fpga.cli.network_choice import firmware_network
    from l1met_fpga.cli.run_choice import RUNS
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.firmware.imported import create_imported_run

    if network is None or run is not None or model is not None or reference:
        raise ConfigError(
            "--network takes the place of a run folder and of -m MODEL; --expected needs --network"
        )
    found, _ = firmware_network(network)
    return create_imported_run(network, expected, RUNS / f"{found.name}-imported").root


def _choose(
    console: Console, run: Path | None, model: str | None, pruning: bool | None, reference: bool
) -> "RunFolder":
    from l1met_fpga.cli.run_choice import last_run, need_last_run
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.run_folder import RunFolder

    if model == "":
        raise ConfigError("-m needs the name of a model, got an empty text")
    if run is not None:
        if model is not None or reference:
            raise ConfigError("give either a run folder, or -m MODEL with or without --reference")
        return RunFolder.open(run)
    if reference:
        return _reference_copy(model or "deepset")
    if model is None and pruning is None:
        return need_last_run()
    name = model or "deepset"
    return last_run(name, pruning=pruning) or _train(console, name, pruning)


def _reference_copy(name: str) -> "RunFolder":
    """Copy a shipped network to runs/, where firmware may be built beside it.

    What was built there of the same network stays.
    """
    from l1met_fpga.cli.run_choice import RUNS
    from l1met_fpga.errors import RunFolderError
    from l1met_fpga.run_folder import RunFolder

    shipped = REFERENCE_FOLDER / name
    if not (shipped / "network.json").is_file():
        raise RunFolderError(
            f"no shipped network {shipped}; there are "
            f"{sorted(p.parent.name for p in REFERENCE_FOLDER.glob('*/network.json'))}. "
            f"Train one with `l1met train models/{name}.yaml`"
        )
    return RunFolder.open(shipped).writable(RUNS / f"{name}-reference")


def _train(console: Console, name: str, pruning: bool | None) -> "RunFolder":
    """Train a model into a folder of a name of its own, and return that folder."""
    from datetime import datetime

    from l1met_fpga.cli.app import app
    from l1met_fpga.cli.run_choice import RUNS
    from l1met_fpga.config.run import load_run
    from l1met_fpga.data.samples import require_samples
    from l1met_fpga.errors import RunFolderError
    from l1met_fpga.run_folder import RunFolder

    recipe = REFERENCE_FOLDER / f"{name}.yaml"
    config = load_run(recipe)
    config.model.require_firmware()  # before it is trained
    require_samples(config.samples)
    console.print(
        f"no trained run of {name!r}; training one from {recipe} first, as `make train` does"
    )
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
    root = RUNS / f"{name}-{stamp}"
    setting = f"training.pruning.enabled={str(pruning).lower()}"
    arguments = [] if pruning is None else ["--set", setting]
    command = ["train", str(recipe), "--output", str(root), *arguments]
    app(args=command, standalone_mode=False)
    run = RunFolder(root)
    if not run.network.is_file():
        raise RunFolderError(f"training of {name!r} left no network in {root}; see above")
    return RunFolder.open(root)


def _convert_and_check(
    console: Console,
    folder: "RunFolder",
    config: "RunConfig",
    project: Path,
    *,
    events: int,
    rtl: bool,
) -> None:
    from l1met_fpga.cli.check import print_agreement
    from l1met_fpga.config.firmware import IoType
    from l1met_fpga.firmware.export.forms import exported_forms
    from l1met_fpga.firmware.forms import check_samples
    from l1met_fpga.firmware.hls.flow import build_project, check_run
    from l1met_fpga.firmware.hls.location import record_project
    from l1met_fpga.firmware.meaning import require_hardware_columns
    from l1met_fpga.models.network_of_run import network_of

    network = network_of(folder)
    for sentence in require_hardware_columns(network, folder):
        console.print(sentence)
    samples = check_samples(network, config, n_events=events)
    built = build_project(network, config.hls, project, next(iter(samples.values())))
    record_project(folder, project, config.hls)
    console.print(
        f"HLS project {project}: converted in {built.convert_s:.1f} s, "
        f"compiled in {built.compile_s:.1f} s"
    )
    forms: dict[str, Any] = {config.hls.io_type.form: built.simulation}
    if rtl and config.hls.io_type is not IoType.WORDS:
        words = config.hls.model_copy(update={"io_type": IoType.WORDS})
        beside = build_project(network, words, folder.hls_words, next(iter(samples.values())))
        forms["hls_words"] = beside.simulation
        console.print(
            f"HLS project {folder.hls_words}: {words.lanes} words per clock, compiled in "
            f"{beside.compile_s:.1f} s"
        )
    if rtl:
        forms |= _build_rtl(console, folder, config, network)
    forms |= exported_forms(network, folder.exported)
    result = check_run(folder, config, forms, n_events=events, samples=samples)
    print_agreement(console, result)


def _build_rtl(
    console: Console, folder: "RunFolder", config: "RunConfig", network: "Network"
) -> "dict[str, Form]":
    from l1met_fpga.firmware.rtl.project import build_project, rtl_forms, write_project
    from l1met_fpga.report.rtl_vivado import use_vivado_figures

    project = write_project(network, config.rtl, folder.rtl)
    console.print(f"RTL project {folder.rtl}: simulating it and counting its LUTs, about a minute")
    for tool, reason in build_project(project)["failed"].items():
        console.print(f"no resources from {tool}: {reason}")
    use_vivado_figures(folder.rtl)
    return rtl_forms(project)


def _run_vendor(console: Console, config: "RunConfig", project: Path) -> None:
    from l1met_fpga.firmware.hls.vendor import find_vendor, run_vendor, vendor_programs
    from l1met_fpga.report.vendor import write_vendor

    tool = find_vendor(config.hls.backend)
    if tool is None:
        console.print(
            "vendor synthesis was NOT run: none of "
            f"{', '.join(vendor_programs(config.hls.backend))} is on PATH. Its latency and "
            "resources are absent from the report"
        )
        return
    run_vendor(tool, project, config.hls)
    figures = write_vendor(project, config.hls)
    console.print(
        f"{figures['tool']} {figures['tool_version']} ({figures['stage']}): latency "
        f"{figures['latency_cycles']} clocks, interval {figures['ii_cycles']}, {figures['lut']} "
        f"LUT, {figures['ff']} FF, {figures['dsp']} DSP, {figures['bram']} BRAM"
    )


def _report(console: Console, folder: "RunFolder") -> None:
    from l1met_fpga.cli.closing import print_answers
    from l1met_fpga.report.write import write_report

    written = write_report(folder)
    for suffix in ("json", "md"):
        console.print(f"wrote {folder.report(suffix)}")
    print_answers(console, written.answers)
    console.print(f"report {folder.report('html')}")
