"""Front end of hls4ml for the integer network: every type is given, none is guessed.

An exact operation and the quantizer that alone follows it become one hls4ml layer whose result
type is the quantizer's, so each tensor is rounded once. After hls4ml's own passes the types of the
graph are compared with those of the network; a pass that changed one is an error.
"""

import contextlib
import io
import logging
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.firmware import HlsConfig, IoType, Strategy
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls.forks import with_forks
from l1met_fpga.firmware.hls.interfaces import require_of_hls4ml
from l1met_fpga.firmware.hls.layer_specs import Spec, layer_specs
from l1met_fpga.firmware.reference import check_network
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network

__all__ = ["MAX_PARALLEL_ELEMENTS", "HlsGraph", "build_graph", "expected_ii_cycles"]

logger = logging.getLogger(__name__)

MAX_PARALLEL_ELEMENTS: Final = 4096
"""Elements of one array that the vendor tool partitions completely (hls4ml's project.tcl)."""


@dataclass(frozen=True, slots=True)
class HlsGraph:
    """A converted network.

    Attributes:
        model: hls4ml's ModelGraph.
        network: The integer network it was made from.
        layers: hls4ml layer name -> name of the network node whose codes it gives.
        config: The configuration.
    """

    model: Any
    network: Network
    layers: dict[str, str]
    config: HlsConfig


def expected_ii_cycles(network: Network, config: HlsConfig) -> int:
    """Clocks in which a candidate loop takes all slots: its share of the initiation interval.

    A loop's pipeline depth comes on top; only the vendor tool knows it.
    """
    if config.io_type is IoType.STREAM:
        return network.n_candidates * config.reuse_factor
    return network.n_candidates // config.parallelization_factor * config.reuse_factor


def build_graph(
    network: Network, config: HlsConfig, output_dir: Path, *, trace: bool = False
) -> HlsGraph:
    """Convert a network to an hls4ml model.

    Args:
        network: The integer network.
        config: Section ``hls``.
        output_dir: Folder of the project.
        trace: Keep every layer's output for a layer-by-layer comparison.

    Raises:
        ConversionError: If the network or the folding cannot be built as asked, or hls4ml changed
            a type.
    """
    require_of_hls4ml(config)
    import_module("l1met_fpga.models.keras")  # hls4ml imports TensorFlow, and Keras must be 2
    import hls4ml
    from hls4ml.model.graph import ModelGraph

    from l1met_fpga.firmware.hls import layers

    layers.register()
    check_network(network)
    _check_heads(network)
    _check_folding(network, config)
    specs = layer_specs(network, config)
    if config.io_type is IoType.PARALLEL:
        specs = with_forks(specs)
    hls_config = hls4ml.utils.config.create_config(
        output_dir=str(output_dir),
        project_name=config.top_function,
        backend=config.backend.value,
        part=config.part,
        clock_period=config.clock_period_ns,
        clock_uncertainty=f"{config.clock_uncertainty_percent}%",
        io_type=config.io_type.value,
        namespace=f"l1met_{network.name}",
        write_weights_txt=False,
    )
    hls_config["TraceOutput"] = trace
    hls_config["HLSConfig"] = {
        "Model": {
            "Precision": {"default": "fixed<16,6>"},
            "ReuseFactor": config.reuse_factor,
            "Strategy": config.strategy.value,
        },
        "LayerName": {spec["name"]: _layer_config(spec, config, trace) for spec in specs},
    }
    columns = [node.name for node in network if isinstance(node, net.InputColumn)]
    layer_of = {spec["node"]: spec["name"] for spec in specs if "node" in spec}
    outputs = [layer_of[head.node] for head in network.heads]
    with _captured_output():
        model = ModelGraph.from_layer_list(
            hls_config, [_layer(spec) for spec in specs], columns, outputs
        )
    graph = HlsGraph(model, network, {s["name"]: s["node"] for s in specs if "node" in s}, config)
    _check_types(graph)
    _check_reuse(model, specs, config)
    return graph


def _check_heads(network: Network) -> None:
    for head in network.heads:
        if head.per != "example":
            raise ConversionError(
                f"head {head.name!r} has a result per candidate; HLS gives results per event"
            )


def _check_folding(network: Network, config: HlsConfig) -> None:
    n, factor = network.n_candidates, config.parallelization_factor
    if n % factor:
        allowed = [d for d in range(1, n + 1) if n % d == 0]
        raise ConversionError(
            f"hls.parallelization_factor {factor} does not divide {n} candidates; "
            f"choose one of {allowed}"
        )
    if config.io_type is IoType.STREAM:
        return
    for node in network:
        if prod(node.shape) > MAX_PARALLEL_ELEMENTS:
            raise ConversionError(
                f"node {node.name!r} has {prod(node.shape)} elements; io_parallel partitions at "
                f"most {MAX_PARALLEL_ELEMENTS}. Use fewer channels or hls.io_type: io_stream"
            )


def _check_types(graph: HlsGraph) -> None:
    """Compare every type that hls4ml will write with the network's."""
    found = {layer.name: layer for layer in graph.model.get_layers()}
    for name, node_name in graph.layers.items():
        expected = graph.network.node(node_name).type
        if name not in found:
            raise ConversionError(f"hls4ml dropped layer {name!r} of the network")
        layer = found[name]
        got = FixedType.from_hls_name(str(layer.get_output_variable().type.precision))
        if not _same(got, expected):
            raise ConversionError(
                f"hls4ml gave layer {name!r} the type {got.hls_name}, the network says "
                f"{expected.hls_name}"
            )


def _check_reuse(model: Any, specs: list[Spec], config: HlsConfig) -> None:
    """Compare every reuse factor that hls4ml will write with the one it was given."""
    given = {spec["name"]: _reuse_factor(spec, config) for spec in specs}
    for layer in model.get_layers():
        got, expected = layer.get_attr("reuse_factor"), given.get(layer.name)
        if expected is None or got == expected:
            continue
        raise ConversionError(
            f"hls4ml gave layer {layer.name!r} the reuse factor {got} instead of {expected}; choose "
            "another hls.reuse_factor"
        )


def _same(a: FixedType, b: FixedType) -> bool:
    return a.kif == b.kif and a.rounding == b.rounding and a.overflow == b.overflow


@contextlib.contextmanager
def _captured_output() -> Any:
    """Send what hls4ml prints to the log."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        yield
    for line in text.getvalue().splitlines():
        logger.log(logging.WARNING if "WARNING" in line else logging.DEBUG, "hls4ml: %s", line)


def _layer_config(spec: Spec, config: HlsConfig, trace: bool) -> Spec:
    result: Spec = {
        "Precision": spec["precision"],
        "Trace": trace and _traced(spec),
        "ReuseFactor": _reuse_factor(spec, config),
    }
    if spec["class_name"] == "Conv1D":
        result["ParallelizationFactor"] = config.parallelization_factor
    return result


def _reuse_factor(spec: Spec, config: HlsConfig) -> int:
    """Return the reuse factor asked for, or the largest below it that hls4ml can build.

    Its resource strategy divides a product evenly among multipliers, so that the numbers of inputs
    and outputs decide; it would take the nearest factor, which may double the interval.
    """
    if config.strategy is not Strategy.RESOURCE or "weight_data" not in spec:
        return config.reuse_factor
    from hls4ml.backends import get_backend

    n_in, n_out = spec["weight_data"].shape[-2:]
    valid: list[int] = get_backend(config.backend.value).get_valid_reuse_factors(n_in, n_out)
    return max(factor for factor in valid if factor <= config.reuse_factor)


def _traced(spec: Spec) -> bool:
    return "node" in spec and spec["class_name"] != "InputLayer"


def _layer(spec: Spec) -> Spec:
    return {k: v for k, v in spec.items() if k not in ("precision", "node")}
