"""Write a complete hls4ml project: sources, test bench with real events, README."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.config.firmware import HlsConfig, IoType, Strategy
from l1met_fpga.errors import ConversionError
from l1met_fpga.files import atomic_path, remove_folder
from l1met_fpga.firmware.builds import Build, sources_digest
from l1met_fpga.firmware.hls.graph import HlsGraph, build_graph, expected_ii_cycles
from l1met_fpga.firmware.hls.mends import (
    mend_distributed_arithmetic,
    mend_resources,
    mend_simulation_types,
)
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.templates import fill
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import Candidates

__all__ = ["SOURCES", "TEMPLATES", "fresh_folder", "require_replaceable", "write_project"]

MARK: Final = ".l1met-hls"
SOURCES: Final = "firmware"
TEMPLATES: Final = Path(__file__).with_name("templates")


def require_replaceable(folder: Path) -> None:
    """Check that a project may be written into a folder.

    Raises:
        ConversionError: If something is there that this tool did not make.
    """
    replaceable = not folder.exists() or (folder / MARK).is_file()
    if not replaceable and (not folder.is_dir() or any(folder.iterdir())):
        raise ConversionError(
            f"{folder} holds files that l1met did not make; refusing to replace it. "
            "Choose another --output"
        )


def fresh_folder(folder: Path) -> None:
    """Make an empty project folder, replacing an earlier project.

    Raises:
        ConversionError: If something is there that this tool did not make.
    """
    require_replaceable(folder)
    if folder.exists():
        remove_folder(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def write_project(
    network: Network,
    config: HlsConfig,
    folder: Path,
    *,
    candidates: Candidates,
    trace: bool = False,
) -> HlsGraph:
    """Convert a network and write its project.

    Args:
        network: The integer network.
        config: Section ``hls``.
        folder: Project folder; an earlier project there is replaced.
        candidates: Real events for the test bench; the first ``config.test_bench_events``.
        trace: Keep every layer's output (see :mod:`l1met_fpga.firmware.hls.layerwise`).

    Returns:
        The converted graph.

    Raises:
        ConversionError: If the network cannot be converted exactly, or the folder is foreign.
    """
    graph = build_graph(network, config, folder, trace=trace)
    fresh_folder(folder)
    graph.model.write()
    _name_by_content(graph, folder)
    mend_simulation_types(folder)
    mend_resources(folder, config.backend)
    if config.strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        stream = config.io_type is IoType.STREAM
        mend_distributed_arithmetic(folder, f"l1met_{network.name}", stream=stream)
    network.save(folder / "network.json")
    n_events = _write_test_bench_data(network, folder, candidates, config.test_bench_events)
    values = _template_values(graph, n_events)
    top = config.top_function
    _render("csim.cpp.j2", folder / f"{top}_csim.cpp", values)
    _render("testbench.cpp.j2", folder / f"{top}_test.cpp", values)
    for name in ("README.md", "vivado_synth.tcl", "out_of_context.xdc"):
        _render(f"{name}.j2", folder / name, values)
    settings = config.model_dump(mode="json")
    Build(network.digest, top, settings, sources_digest(folder / SOURCES)).write(folder)
    return graph


def _name_by_content(graph: HlsGraph, folder: Path) -> None:
    """Name the project's library after the network; hls4ml draws a name at every conversion."""
    drawn, lasting = graph.model.config.get_config_value("Stamp"), f"n{graph.network.digest[:7]}"
    for name in ("build_lib.sh", "hls4ml_config.yml"):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        # YAML quotes a drawn name that has digits only; ours starts with a letter and needs none.
        text = text.replace(f"'{drawn}'", lasting).replace(drawn, lasting)
        path.write_text(text, encoding="utf-8")
    graph.model.config.config["Stamp"] = lasting


def _write_test_bench_data(
    network: Network, folder: Path, candidates: Candidates, n_events: int
) -> int:
    part = {
        name: np.asarray(candidates[name], dtype=np.int16)[:n_events] for name in network.columns
    }
    given = part["pt"].shape[1]
    padded = {k: np.pad(v, ((0, 0), (0, network.n_candidates - given))) for k, v in part.items()}
    data = folder / "tb_data"
    data.mkdir(exist_ok=True)
    lines = np.concatenate([padded[name] for name in network.columns], axis=1)
    np.savetxt(data / "tb_input_features.dat", lines, fmt="%d")
    np.savetxt(
        data / "tb_output_predictions.dat",
        np.hstack([*evaluate(network, padded).values()]),
        fmt="%d",
    )
    return len(lines)


def _template_values(graph: HlsGraph, n_events: int) -> dict[str, Any]:
    import hls4ml

    network, config = graph.network, graph.config
    return {
        "network": network,
        "config": config,
        "top": config.top_function,
        "namespace": f"l1met_{network.name}",
        "stream": config.io_type is IoType.STREAM,
        "n_candidates": network.n_candidates,
        "n_outputs": sum(head.size for head in network.heads),
        "heads": list(_heads(graph)),
        "columns": [
            {"name": v.name, "type": v.type.name} for v in graph.model.get_input_variables()
        ],
        "n_events": n_events,
        "traced": [
            {"name": layer.name, "size": layer.get_output_variable().size()}
            for layer in graph.model.get_layers()
            if layer.get_attr("trace")
        ],
        "ii_cycles": expected_ii_cycles(network, config),
        "hls4ml_version": hls4ml.__version__,
    }


def _heads(graph: HlsGraph) -> Iterator[dict[str, Any]]:
    """What the templates say of each output of the top function."""
    first = 0
    variables = graph.model.get_output_variables()
    for head, variable in zip(graph.network.heads, variables, strict=True):
        kind = graph.network.type_of(head.name)
        yield {
            "name": head.name,
            "unit": head.unit,
            "numbers": head.numbers,
            "type": variable.type.name,
            "kind": kind,
            "code_type": f"ap_{'' if kind.signed else 'u'}int<{kind.width}>",
            "width": kind.width,
            "first": first,
            "size": head.size,
        }
        first += head.size


def _render(template: str, path: Path, values: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(fill(TEMPLATES, template, **values), encoding="utf-8")
