"""Front end of hls4ml for the integer network: every type is given, none is guessed.

An exact operation and the quantizer that alone follows it become one hls4ml layer whose result
type is the quantizer's, so each tensor is rounded once. After hls4ml's own passes the types of the
graph are compared with those of the network; a pass that changed one is an error.
"""

import contextlib
import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls.features import feature_code
from l1met_fpga.firmware.reference import check_network, needed_type
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import network as net

__all__ = ["HlsGraph", "build_graph", "expected_ii_cycles"]

logger = logging.getLogger(__name__)

MAX_PARALLEL_ELEMENTS: Final = 4096
"""Elements of one array that the vendor tool partitions completely (hls4ml's project.tcl)."""

Spec = dict[str, Any]


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
    network: net.Network
    layers: dict[str, str]
    config: HlsConfig


def expected_ii_cycles(network: net.Network, config: HlsConfig) -> int:
    """Clocks in which a candidate loop takes all slots: its share of the initiation interval.

    A loop's pipeline depth comes on top; only the vendor tool knows it.
    """
    if config.io_type is IoType.STREAM:
        return network.n_candidates * config.reuse_factor
    return network.n_candidates // config.parallelization_factor * config.reuse_factor


def build_graph(
    network: net.Network, config: HlsConfig, output_dir: Path, *, trace: bool = False
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
    import_module("l1met_fpga.models.keras")  # hls4ml imports TensorFlow, and Keras must be 2
    import hls4ml
    from hls4ml.model.graph import ModelGraph

    from l1met_fpga.firmware.hls import layers

    layers.register()
    check_network(network)
    _check_folding(network, config)
    specs = _Specs(network, config).build()
    if config.io_type is IoType.PARALLEL:
        specs = _with_forks(specs)
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
    output = specs[-1]["name"]
    with _captured_output():
        model = ModelGraph.from_layer_list(
            hls_config, [_layer(spec) for spec in specs], columns, [output]
        )
    graph = HlsGraph(model, network, {s["name"]: s["node"] for s in specs if "node" in s}, config)
    _check_types(graph)
    return graph


def _check_folding(network: net.Network, config: HlsConfig) -> None:
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
        if layer.get_attr("reuse_factor") != graph.config.reuse_factor:
            raise ConversionError(
                f"layer {name!r} cannot have hls.reuse_factor {graph.config.reuse_factor}; the "
                f"nearest that hls4ml can build is {layer.get_attr('reuse_factor')}"
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


# -- layers ---------------------------------------------------------------------------------------


def _exact_name(kind: FixedType) -> str:
    return kind.with_modes(Rounding.TRN, Overflow.WRAP).hls4ml_name


def _layer_config(spec: Spec, config: HlsConfig, trace: bool) -> Spec:
    result: Spec = {"Precision": spec["precision"], "Trace": trace and _traced(spec)}
    if spec["class_name"] == "Conv1D":
        result["ParallelizationFactor"] = config.parallelization_factor
    return result


def _traced(spec: Spec) -> bool:
    return "node" in spec and spec["class_name"] != "InputLayer"


def _layer(spec: Spec) -> Spec:
    return {k: v for k, v in spec.items() if k not in ("precision", "node")}


class _Specs:
    """Turns network nodes into hls4ml layer descriptions."""

    def __init__(self, network: net.Network, config: HlsConfig) -> None:
        self.network, self.config = network, config
        self.consumers = {
            node.name: [n for n in network if node.name in n.inputs] for node in network
        }
        self.per_candidate: set[str] = set()
        for node in network:
            if node.op in _ON_CANDIDATES or (
                node.op in _ELEMENTWISE and node.inputs[0] in self.per_candidate
            ):
                self.per_candidate.add(node.name)

    def build(self) -> list[Spec]:
        specs = []
        for node in self.network:
            if isinstance(node, net.Quantize) and self._absorbed_by(node.inputs[0]) is node:
                continue
            out = self._absorbed_by(node.name) or node
            specs.append(self._spec(node, out))
        return specs

    def _absorbed_by(self, name: str) -> net.Quantize | None:
        """The quantizer that an exact operation can carry out itself."""
        consumers = self.consumers[name]
        exact = self.network.node(name).op in _EXACT
        if exact and len(consumers) == 1 and isinstance(consumers[0], net.Quantize):
            return consumers[0]
        return None

    def _spec(self, node: net.Node, out: net.Node) -> Spec:
        spec = {
            "name": out.name,
            "node": out.name,
            "inputs": list(node.inputs),
            "precision": {"result": out.type.hls4ml_name},
            "shape": self._shape(node),
            "constants": [],
        }
        spec.update(_BUILDERS[node.op](self, node, spec))
        return spec

    def _shape(self, node: net.Node) -> tuple[int, ...]:
        """Candidate tensors are (n, channels), everything after a pool is flat."""
        if node.name in self.per_candidate:
            return (node.shape[0], prod(node.shape[1:]))
        return (prod(node.shape),)

    def folding(self) -> list[str]:
        n = self.network.n_candidates
        factor = self.config.parallelization_factor
        if self.config.io_type is IoType.STREAM:
            factor = 1
        return [
            f"static const unsigned n_candidates = {n};",
            f"static const unsigned n_partitions = {n // factor};",
            f"static const unsigned n_parallel = {factor};",
        ]

    def rows(self, node: net.Node) -> list[str]:
        """Folding of an elementwise operation."""
        if node.name not in self.per_candidate:
            return [
                "static const unsigned n_partitions = 1;",
                "static const unsigned n_rows = 1;",
                f"static const unsigned n_out = {prod(node.shape)};",
            ]
        return [
            *self.folding(),
            f"static const unsigned n_rows = {node.shape[0]};",
            f"static const unsigned n_out = {prod(node.shape[1:])};",
        ]

    def input(self, node: net.InputColumn, spec: Spec) -> Spec:
        sign = "" if node.type.signed else "u"
        return {
            "class_name": "InputLayer",
            "input_shape": list(spec["shape"]),
            "precision": {"result": f"{sign}int<{node.type.width}>"},
        }

    def features(self, node: net.Features, _spec: Spec) -> Spec:
        columns = [self.network.node(name) for name in node.inputs]
        stream = self.config.io_type is IoType.STREAM
        return {
            "class_name": "L1MetFeatures",
            "constants": self.folding(),
            "generated": feature_code(node, columns, stream=stream),
        }

    def momentum(self, node: net.Momentum, spec: Spec) -> Spec:
        cosine = FixedType(True, node.table_type.int_bits, node.table_type.frac_bits)
        return {
            "class_name": "L1MetMomentum",
            "constants": [*self.folding(), f"typedef {cosine.hls_name} cosine_t;"],
            "table_data": node.table_type.decode(node.quadrant_cos),
            "precision": {**spec["precision"], "table": _exact_name(node.table_type)},
        }

    def dense(self, node: net.Dense, spec: Spec) -> Spec:
        n_in, n_out = len(node.kernel), len(node.bias)
        kernel = node.kernel_type.decode(node.kernel)
        dense: Spec = {
            "weight_data": kernel,
            "bias_data": node.bias_type.decode(node.bias),
            "weight_quantizer": None,
            "bias_quantizer": None,
            "use_bias": True,
            "precision": {
                **spec["precision"],
                "weight": _exact_name(node.kernel_type),
                "bias": _exact_name(node.bias_type),
                "accum": _exact_name(node.type),
            },
        }
        if node.name not in self.per_candidate:
            return {"class_name": "Dense", "n_in": n_in, "n_out": n_out, **dense}
        n = node.shape[0]
        return {
            **dense,
            "class_name": "Conv1D",
            "data_format": "channels_last",
            "in_width": n,
            "out_width": n,
            "n_chan": n_in,
            "n_filt": n_out,
            "filt_width": 1,
            "stride_width": 1,
            "pad_left": 0,
            "pad_right": 0,
            "padding": "valid",
            "weight_data": kernel[None],
        }

    def quantize(self, node: net.Quantize, _spec: Spec) -> Spec:
        return {"class_name": "L1MetQuantize", "constants": self.rows(node)}

    def table(self, node: net.Table, spec: Spec) -> Spec:
        x = self.network.node(node.inputs[0]).type
        by_bits = np.roll(np.asarray(node.table), x.min_code)  # two's complement order
        return {
            "class_name": "L1MetTable",
            "constants": [
                *self.rows(node),
                f"static const unsigned table_size = {len(node.table)};",
            ],
            "table_data": node.type.decode(by_bits),
            "precision": {**spec["precision"], "table": _exact_name(node.type)},
        }

    def multiply(self, node: net.Multiply, _spec: Spec) -> Spec:
        left, right = (self.network.node(name).shape[-1] for name in node.inputs)
        return {
            "class_name": "L1MetMultiply",
            "constants": [
                *self.rows(node),
                f"static const unsigned n_left = {left};",
                f"static const unsigned n_right = {right};",
                f"typedef {needed_type(self.network, node).hls_name} accum_t;",
            ],
        }

    def pool(self, node: net.VectorPool | net.Combine, _spec: Spec) -> Spec:
        pools = node.shape[0] if node.op == "vector_pool" else self._pools(node)
        name = "L1MetVectorPool" if node.op == "vector_pool" else "L1MetCombine"
        return {
            "class_name": name,
            "constants": [
                *self.folding(),
                f"static const unsigned n_pools = {pools};",
                f"typedef {needed_type(self.network, node).hls_name} accum_t;",
            ],
        }

    def _pools(self, node: net.Combine) -> int:
        return self.network.node(node.inputs[0]).shape[-1]

    def scalar_pool(self, node: net.ScalarPool, _spec: Spec) -> Spec:
        return {
            "class_name": "L1MetScalarPool",
            "constants": [
                *self.folding(),
                f"static const unsigned n_pools = {node.shape[0]};",
                *self._sum_types(node),
            ],
        }

    def aggregate(self, node: net.Aggregate, _spec: Spec) -> Spec:
        weights, features = (self.network.node(name).shape[-1] for name in node.inputs[:2])
        return {
            "class_name": "L1MetAggregate",
            "constants": [
                *self.folding(),
                f"static const unsigned n_weights = {weights};",
                f"static const unsigned n_features = {features};",
                *self._sum_types(node),
            ],
        }

    def _sum_types(self, node: net.ScalarPool | net.Aggregate) -> list[str]:
        """The sum before and after the exact shift have the same bits."""
        kind = needed_type(self.network, node)
        before = FixedType(kind.signed, kind.int_bits + node.shift, kind.frac_bits - node.shift)
        return [f"typedef {kind.hls_name} accum_t;", f"typedef {before.hls_name} sum_t;"]


_ON_CANDIDATES: Final = ("input", "features", "momentum")
_ELEMENTWISE: Final = ("dense", "quantize", "table", "multiply")
_EXACT: Final = ("dense", "multiply", "vector_pool", "scalar_pool", "aggregate", "combine")
_BUILDERS: Final[dict[str, Callable[[_Specs, Any, Spec], Spec]]] = {
    "input": _Specs.input,
    "features": _Specs.features,
    "momentum": _Specs.momentum,
    "dense": _Specs.dense,
    "quantize": _Specs.quantize,
    "table": _Specs.table,
    "multiply": _Specs.multiply,
    "vector_pool": _Specs.pool,
    "combine": _Specs.pool,
    "scalar_pool": _Specs.scalar_pool,
    "aggregate": _Specs.aggregate,
}


def _with_forks(specs: list[Spec]) -> list[Spec]:
    """Insert copies so that every tensor has one consumer, as a dataflow region demands."""
    result: list[Spec] = []
    pending = [dict(spec, inputs=list(spec["inputs"])) for spec in specs]
    for index, spec in enumerate(pending):
        result.append(spec)
        uses = [
            (later, slot)
            for later in pending[index + 1 :]
            for slot, name in enumerate(later["inputs"])
            if name == spec["name"]
        ]
        source = spec["name"]
        for number, (consumer, slot) in enumerate(uses[:-1]):
            name = f"{spec['name']}_fork{number}"
            first, rest = f"{name}_cpy1", f"{name}_cpy2"  # a name that hls4ml traces back
            result.append(
                {
                    "class_name": "L1MetFork",
                    "name": name,
                    "inputs": [source],
                    "outputs": [first, rest],
                    "shape": spec["shape"],
                    "precision": spec["precision"],
                }
            )
            consumer["inputs"][slot] = first
            source = rest
        if len(uses) > 1:
            consumer, slot = uses[-1]
            consumer["inputs"][slot] = source
    return result
