"""hls4ml layers of our own operations, added through hls4ml's extension points.

Each layer has a node class, a configuration template and a function call template; the kernels
are in ``nnet_l1met.h`` (io_parallel) and ``nnet_l1met_stream.h`` (io_stream).
"""

from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from hls4ml.backends import get_backend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import TypeAttribute, WeightAttribute
from hls4ml.model.layers import Layer, register_layer

__all__ = ["BACKENDS", "LAYERS", "register"]

BACKENDS: Final = ("Vivado", "Vitis")
HEADERS: Final = ("nnet_l1met.h", "nnet_l1met_stream.h")


class L1MetLayer(Layer):  # type: ignore[misc]
    """An operation with a fixed output shape; ``constants`` become its C++ configuration.

    Attributes given by :mod:`l1met_fpga.firmware.hls.layer_specs`: ``shape``; ``constants``, the lines
    of the configuration struct; ``table_data`` for layers with a table.
    """

    kernel: ClassVar[str] = ""
    has_table: ClassVar[bool] = False

    def initialize(self) -> None:
        """Declare the output and the table."""
        self.add_output_variable(list(self.get_attr("shape")))
        if self.has_table:
            data = np.asarray(self.get_attr("table_data"), dtype=np.float64)
            self.add_weights_variable(name="table", var_name="table{index}", data=data)


class L1MetFeatures(L1MetLayer):
    """Perceptron inputs; the whole loop is generated."""


class L1MetMomentum(L1MetLayer):
    """px, py of every candidate."""

    kernel = "l1met_momentum"
    has_table = True
    _expected_attributes: ClassVar = [WeightAttribute("table"), TypeAttribute("table")]


class L1MetTable(L1MetLayer):
    """Elementwise look-up."""

    kernel = "l1met_table"
    has_table = True
    _expected_attributes: ClassVar = [WeightAttribute("table"), TypeAttribute("table")]


class L1MetVectorPool(L1MetLayer):
    """Weighted momentum sums."""

    kernel = "l1met_vector_pool"


class L1MetScalarPool(L1MetLayer):
    """Sums over filled slots."""

    kernel = "l1met_scalar_pool"


class L1MetAggregate(L1MetLayer):
    """Weighted feature sums over filled slots."""

    kernel = "l1met_aggregate"


class L1MetCombine(L1MetLayer):
    """Coefficients times vector pools."""

    kernel = "l1met_combine"


class L1MetMultiply(L1MetLayer):
    """Elementwise product."""

    kernel = "l1met_multiply"


class L1MetQuantize(L1MetLayer):
    """Change of type that no producer can absorb."""

    kernel = "l1met_quantize"


class L1MetQuantizeChannels(L1MetLayer):
    """Change of type, another one for every channel; the whole loop is generated."""


class L1MetConcatenate(L1MetLayer):
    """Channels of several tensors side by side; the whole loop is generated."""


class L1MetFork(L1MetLayer):
    """Two copies of a tensor, one for each consumer in a dataflow region."""

    kernel = "l1met_fork"

    def initialize(self) -> None:
        """Declare one output per copy."""
        for copy, name in enumerate(self.outputs):
            precision = self.get_input_variable().type.precision
            self.add_output_variable(
                list(self.get_attr("shape")),
                out_name=name,
                var_name=f"layer{{index}}_copy{copy}",
                precision=precision,
            )


LAYERS: Final = (
    L1MetFeatures,
    L1MetMomentum,
    L1MetTable,
    L1MetVectorPool,
    L1MetScalarPool,
    L1MetAggregate,
    L1MetCombine,
    L1MetMultiply,
    L1MetQuantize,
    L1MetQuantizeChannels,
    L1MetConcatenate,
    L1MetFork,
)


class L1MetConfigTemplate(LayerConfigTemplate):  # type: ignore[misc]
    """Writes the ``config`` struct of an own layer into ``parameters.h``."""

    def __init__(self) -> None:
        super().__init__(LAYERS)

    def format(self, node: Any) -> str:
        """Return the struct."""
        lines = list(node.get_attr("constants", ()))
        if node.has_table:
            lines.append(f"typedef {node.get_weights('table').type.name} table_t;")
        code = node.get_attr("generated")
        if code is not None:
            lines += code(node)
        body = "".join(f"    {line}\n" for line in lines)
        return f"struct config{node.index} : nnet::l1met_config {{\n{body}}};\n"


class L1MetFunctionTemplate(FunctionCallTemplate):  # type: ignore[misc]
    """Writes the call of an own layer into the top function."""

    def __init__(self) -> None:
        super().__init__(LAYERS, include_header=[f"nnet_utils/{name}" for name in HEADERS])

    def format(self, node: Any) -> str:
        """Return the call."""
        inputs = [node.get_input_variable(name) for name in node.inputs]
        outputs = [node.get_output_variable(name) for name in node.outputs]
        arguments = [variable.name for variable in (*inputs, *outputs)]
        if isinstance(node, L1MetFeatures | L1MetQuantizeChannels | L1MetConcatenate):
            return f"config{node.index}::run({', '.join(arguments)});"
        if isinstance(node, L1MetFork):
            copied = f"{inputs[0].type.name}, {outputs[0].type.name}, {inputs[0].size_cpp()}"
            return f"nnet::l1met_fork<{copied}>({', '.join(arguments)});"
        if node.has_table:
            arguments.append(node.get_weights("table").name)
        types = [variable.type.name for variable in (*inputs, *outputs)]
        types.append(f"config{node.index}")
        return f"nnet::{node.kernel}<{', '.join(types)}>({', '.join(arguments)});"


@cache
def register() -> None:
    """Tell hls4ml about the layers, once per process (hls4ml refuses a second time)."""
    for layer in LAYERS:
        register_layer(layer.__name__, layer)
    for name in BACKENDS:
        backend = get_backend(name)
        backend.register_template(L1MetConfigTemplate)
        backend.register_template(L1MetFunctionTemplate)
        for header in HEADERS:
            backend.register_source(Path(__file__).with_name(header))
