"""``l1met synthesize``: HLS project, C simulation, bit-exactness, report; and builds on request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from l1met_fpga.config.run import RunConfig
    from l1met_fpga.run_folder import RunFolder

__all__ = ["register", "synthesize"]

REFERENCE_FOLDER = Path("models")
DEFAULT_EVENTS = 2000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synthesize")(synthesize)


def synthesize(
    run: Annotated[Path | None, typer.Argument(help="Run folder; the newest if not given.")] = None,
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
        Path | None, typer.Option("--output", "-o", help="Folder of the HLS project.")
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
) -> None:
    """Convert a trained network with hls4ml, C-simulate it, check it bit by bit, and report.

    With --build also run the vendor's synthesis, when its tool is on PATH, and build the streaming
    RTL with open tools. Settings come from the run folder; a flag typed here goes before them.

    For example:

        l1met synthesize runs/deepset --build

        l1met synthesize -m deepset --pruning --strategy distributed_arithmetic
    """
    from l1met_fpga.cli.run_choice import with_typed
    from l1met_fpga.config.run import load_run
    from l1met_fpga.firmware.hls.vendor import find_vendor

    console = Console(soft_wrap=True)
    folder = _choose(console, run, model, pruning, reference)
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
    console.print(f"run folder {folder.root}", highlight=False)
    project = output or folder.hls
    _convert_and_check(console, folder, config, project, events=events, rtl=build)
    if build:
        _run_vendor(console, config, project)
    _report(console, folder)


def _choose(
    console: Console, run: Path | None, model: str | None, pruning: bool | None, reference: bool
) -> "RunFolder":
    from l1met_fpga.cli.run_choice import last_run, need_last_run
    from l1met_fpga.errors import ConfigError
    from l1met_fpga.run_folder import RunFolder

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
    """Copy a shipped network to runs/, where firmware may be built beside it."""
    import shutil

    from l1met_fpga.cli.run_choice import RUNS
    from l1met_fpga.errors import RunFolderError
    from l1met_fpga.run_folder import MARK, RunFolder

    shipped = REFERENCE_FOLDER / name
    if not (shipped / "network.json").is_file():
        raise RunFolderError(
            f"no shipped network {shipped}; there are "
            f"{sorted(p.parent.name for p in REFERENCE_FOLDER.glob('*/network.json'))}. "
            f"Train one with `l1met train models/{name}.yaml`"
        )
    target = RUNS / f"{name}-reference"
    if (target / MARK).is_file():
        shutil.rmtree(target)
    folder = RunFolder.create(target)
    shutil.copytree(shipped, target, dirs_exist_ok=True)
    return folder


def _train(console: Console, name: str, pruning: bool | None) -> "RunFolder":
    from l1met_fpga.cli.app import app
    from l1met_fpga.cli.run_choice import last_run
    from l1met_fpga.errors import RunFolderError

    recipe = REFERENCE_FOLDER / f"{name}.yaml"
    console.print(
        f"no trained run of {name!r}; training one from {recipe} first, as `make train` does",
        highlight=False,
    )
    setting = f"training.pruning.enabled={str(pruning).lower()}"
    arguments = [] if pruning is None else ["--set", setting]
    app(args=["train", str(recipe), *arguments], standalone_mode=False)
    run = last_run(name, pruning=pruning)
    if run is None:
        raise RunFolderError(f"training of {name!r} left no run; see the messages above")
    return run


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
    from l1met_fpga.firmware.forms import check_samples
    from l1met_fpga.firmware.hls.flow import build_project, check_run
    from l1met_fpga.firmware.hls.location import record_project
    from l1met_fpga.models.network import Network

    network = Network.load(folder.need(folder.network, made_by="l1met train"))
    samples = check_samples(network, config, n_events=events)
    built = build_project(network, config.hls, project, samples["test"])
    record_project(folder, project, config.hls)
    console.print(
        f"HLS project {project}: converted in {built.convert_s:.1f} s, "
        f"compiled in {built.compile_s:.1f} s",
        highlight=False,
    )
    forms: dict[str, Any] = {"hls_csim": built.simulation}
    if rtl:
        from l1met_fpga.firmware.rtl.project import build_rtl, rtl_forms, write_project
        from l1met_fpga.report.rtl_vivado import use_vivado_figures

        build_rtl(network, config.rtl, folder.rtl)
        use_vivado_figures(folder.rtl)
        forms |= rtl_forms(write_project(network, config.rtl, folder.rtl))
    result = check_run(folder, config, forms, n_events=events, samples=samples)
    print_agreement(console, result)


def _run_vendor(console: Console, config: "RunConfig", project: Path) -> None:
    from l1met_fpga.firmware.hls.vendor import find_vendor, run_vendor, vendor_programs
    from l1met_fpga.report.vendor import write_vendor

    tool = find_vendor(config.hls.backend)
    if tool is None:
        console.print(
            "vendor synthesis was NOT run: none of "
            f"{', '.join(vendor_programs(config.hls.backend))} is on PATH. Its latency and "
            "resources are absent from the report",
            highlight=False,
        )
        return
    run_vendor(tool, project, config.hls)
    figures = write_vendor(project, config.hls)
    console.print(
        f"{figures['tool']} {figures['tool_version']} ({figures['stage']}): latency "
        f"{figures['latency_cycles']} clocks, interval {figures['ii_cycles']}, {figures['lut']} "
        f"LUT, {figures['ff']} FF, {figures['dsp']} DSP, {figures['bram']} BRAM",
        highlight=False,
    )


def _report(console: Console, folder: "RunFolder") -> None:
    from l1met_fpga.report.write import write_report

    write_report(folder)
    for suffix in ("json", "md", "html"):
        console.print(f"wrote {folder.report(suffix)}", highlight=False)
