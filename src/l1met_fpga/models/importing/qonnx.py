"""QONNX graphs as steps: an allow-list of operations, constants and values as QONNX's executor has them.

What does not depend on an input is a constant, and its value is the executor's: quantized weights,
one-bit and narrow ranges included.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError, RunFolderError
from l1met_fpga.models.importing.foreign import require_file
from l1met_fpga.models.importing.imported import Run
from l1met_fpga.models.importing.qonnx_nodes import OPERATIONS
from l1met_fpga.models.importing.qonnx_reader import Node, Reader
from l1met_fpga.models.importing.steps import Graph, Input
from l1met_fpga.packages import load_package

__all__ = ["load_qonnx", "read_graph", "runner"]

QUANT_DOMAIN = "qonnx.custom_op.general"
QUANT_NODES = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "FloatQuant")


def load_qonnx(path: Path) -> Any:
    """Read a ``.onnx`` file as a model of qonnx, with all shapes known.

    Raises:
        ToolMissingError: If qonnx is not there.
        RunFolderError: If the file cannot be read.
        ConversionError: If a shape is not known.
    """
    load_package("qonnx")
    import onnx
    from google.protobuf.message import DecodeError
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.general import SortGraph

    require_file(path)
    try:
        proto = onnx.load(str(path))
    except (DecodeError, OSError, ValueError) as err:
        raise RunFolderError(f"{path} cannot be read as an ONNX model: {err}") from err
    if not (proto.graph.node and proto.graph.input and proto.graph.output):
        raise RunFolderError(f"{path} cannot be read as an ONNX model: it holds no graph")
    for node in proto.graph.node:  # older exporters use other domains for the same operations
        if node.op_type in QUANT_NODES:
            node.domain = QUANT_DOMAIN
    return _with_batch(ModelWrapper(proto).transform(SortGraph()), 1)


def _with_batch(model: Any, n_examples: int) -> Any:
    """The model for another number of examples, all shapes worked out anew."""
    from copy import deepcopy

    from qonnx.transformation.infer_shapes import InferShapes

    model = deepcopy(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    for tensor in model.graph.input:
        if tensor.name not in constants:
            shape = model.get_tensor_shape(tensor.name)
            model.set_tensor_shape(tensor.name, [n_examples, *shape[1:]])
    del model.graph.value_info[:]
    for tensor in model.graph.output:
        tensor.type.tensor_type.ClearField("shape")
    model = model.transform(InferShapes())
    if not model.check_all_tensor_shapes_specified():
        raise ConversionError(
            "the graph has tensors of unknown shape; give its inputs fixed numbers of candidates and "
            "channels, and clean it with `qonnx-cleanup`"
        )
    return model


def _inputs(model: Any) -> dict[str, tuple[int, ...]]:
    """Inputs that are no constants, with their shapes."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {
        tensor.name: tuple(model.get_tensor_shape(tensor.name))
        for tensor in model.graph.input
        if tensor.name not in constants
    }


def _execute(model: Any, arrays: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, Any]:
    """Values of all tensors."""
    from qonnx.core.onnx_exec import execute_onnx

    found: dict[str, Any] = execute_onnx(model, dict(arrays), return_full_exec_context=True)
    return found


def read_graph(model: Any, *, slots: int | None = None) -> Graph:
    """Describe a model.

    Args:
        model: From :func:`load_qonnx`.
        slots: Of a model of one candidate, inputs (examples, channels): candidates per event.

    Raises:
        ConversionError: Names the node, argument and value that have no exact form.
    """
    shapes = _inputs(model)
    if len(model.graph.output) != 1:
        raise ConversionError(f"the graph has {len(model.graph.output)} outputs; one is supported")
    nothing = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    values = _execute(model, nothing)
    steps = []
    for name, shape in shapes.items():
        if slots is not None and len(shape) != 2:
            raise ConversionError(
                f"input {name!r} has shape {shape}; a model of one candidate has (examples, channels). "
                "Leave --candidates away"
            )
        steps.append(Input(name=name, shape=shape[1:] if slots is None else (slots, *shape[1:])))
    ranks = {name: np.ndim(value) for name, value in values.items()}
    reader = Reader(set(shapes), values, ranks, OPERATIONS)
    for node in model.graph.node:
        reader.read(Node.of(node))
    result = reader.name_of(model.graph.output[0].name)
    made = reader.in_order(result)
    return Graph(
        source=f"qonnx {version('qonnx')}",
        steps=(*steps, *made),
        one_candidate=slots is not None,
    )


def runner(model: Any, *, slots: int | None = None) -> Run:
    """Return the function that gives the values of the model's tensors.

    Args:
        model: From :func:`load_qonnx`.
        slots: As for :func:`read_graph`.
    """
    shapes = _inputs(model)

    def run(
        arrays: Mapping[str, npt.NDArray[np.float32]], names: Sequence[str]
    ) -> dict[str, npt.NDArray[np.float64]]:
        n_events = len(next(iter(arrays.values())))
        n_examples = n_events * (slots or 1)
        sized = _with_batch(model, n_examples)
        given = {
            name: np.ascontiguousarray(arrays[name].reshape(n_examples, *shapes[name][1:]))
            for name in shapes
        }
        values = _execute(sized, given)
        shape = (n_events, slots, -1) if slots else None
        return {
            name: np.asarray(values[name], np.float64).reshape(shape or values[name].shape)
            for name in names
        }

    return run
