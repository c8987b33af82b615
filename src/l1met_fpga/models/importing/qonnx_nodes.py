"""Nodes of a QONNX graph as steps; what is not listed, or has another argument, is refused by name."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.importing.qonnx_quant import bipolar, quant
from l1met_fpga.models.importing.qonnx_reader import Node, Reader
from l1met_fpga.models.importing.steps import (
    Add,
    Affine,
    Concatenate,
    Dot,
    Multiply,
    Pool,
    Relu,
    floats,
    rows,
)

__all__ = ["OPERATIONS"]

FloatArray = npt.NDArray[np.float64]


def _identity(reader: Reader, node: Node) -> None:
    reader.alias[node.output] = reader.name_of(node.inputs[0])


def _matmul(reader: Reader, node: Node) -> None:
    node.require()
    if node.inputs[0] not in reader.live:
        raise ConversionError(f"{node.where}: a constant times a tensor mixes candidates")
    kernel = reader.constant(node, 1)
    if kernel.ndim != 2:
        raise ConversionError(
            f"{node.where} has a kernel of shape {kernel.shape}; it must be (inputs, outputs)"
        )
    source = reader.name_of(node.inputs[0])
    reader.add(Affine(name=node.output, inputs=(source,), kernel=rows(kernel)))


def _gemm(reader: Reader, node: Node) -> None:
    node.require(alpha=(1.0,), beta=(1.0,), transA=(0,), transB=(0, 1))
    kernel = reader.constant(node, 1)
    kernel = kernel.T if node.attributes.get("transB") else kernel
    bias = None
    if len(node.inputs) > 2:
        bias = floats(reader.per_channel(node, reader.constant(node, 2), kernel.shape[1]))
    source = reader.name_of(node.inputs[0])
    reader.add(Affine(name=node.output, inputs=(source,), kernel=rows(kernel), bias=bias))


def _scale_and_shift(
    reader: Reader, node: Node, tensor: str, scale: FloatArray, shift: FloatArray
) -> None:
    """One number per channel times a tensor, plus one; taken into a product before it."""
    source = reader.name_of(tensor)
    reader.add(
        Affine(
            name=node.output,
            inputs=(source,),
            kernel=rows(np.diag(scale)),
            bias=floats(shift) if shift.any() else None,
        )
    )


def _operands(reader: Reader, node: Node) -> tuple[str, int]:
    """The input that depends on an input of the graph, and the number of the constant one."""
    live = [name for name in node.inputs if name in reader.live]
    if len(live) != 1:
        raise ConversionError(f"{node.where} of two computed tensors is not supported")
    return live[0], 1 - node.inputs.index(live[0])


def _add(reader: Reader, node: Node) -> None:
    node.require()
    if all(name in reader.live for name in node.inputs):
        inputs = tuple(map(reader.name_of, node.inputs))
        reader.add(Add(name=node.output, inputs=inputs))
        return
    tensor, other = _operands(reader, node)
    n = reader.channels(tensor)
    shift = reader.per_channel(node, reader.constant(node, other), n)
    before = reader.steps.get(reader.name_of(tensor))
    if isinstance(before, Affine) and before.bias is None:  # a product and its bias
        step = before.model_copy(update={"name": node.output, "bias": floats(shift)})
        reader.add(step)
        return
    _scale_and_shift(reader, node, tensor, np.ones(n), shift)


def _subtract(reader: Reader, node: Node) -> None:
    node.require()
    tensor, other = _operands(reader, node)
    n = reader.channels(tensor)
    constant = reader.per_channel(node, reader.constant(node, other), n)
    if other == 1:
        _scale_and_shift(reader, node, tensor, np.ones(n), -constant)
    else:
        _scale_and_shift(reader, node, tensor, -np.ones(n), constant)


def _multiply(reader: Reader, node: Node) -> None:
    node.require()
    if all(name in reader.live for name in node.inputs):
        inputs = tuple(map(reader.name_of, node.inputs))
        reader.add(Multiply(name=node.output, inputs=inputs))
        return
    tensor, other = _operands(reader, node)
    n = reader.channels(tensor)
    scale = reader.per_channel(node, reader.constant(node, other), n)
    _scale_and_shift(reader, node, tensor, scale, np.zeros(n))


def _divide(reader: Reader, node: Node) -> None:
    node.require()
    divisor = reader.constant(node, 1)
    if (np.abs(np.frexp(divisor)[0]) != 0.5).any():
        raise ConversionError(
            f"{node.where} divides by {divisor.flat[0]}, which is no power of two"
        )
    n = reader.channels(node.inputs[0])
    scale = 1 / reader.per_channel(node, divisor, n)
    _scale_and_shift(reader, node, node.inputs[0], scale, np.zeros(n))


def _batch_norm(reader: Reader, node: Node) -> None:
    node.require(epsilon=(), momentum=(), training_mode=(0,), spatial=(1,))
    if reader.ranks[node.inputs[0]] != 2:
        raise ConversionError(
            f"{node.where} normalizes axis 1, the slots; put it behind a model of one candidate, or "
            "fold it"
        )
    gamma, beta, mean, variance = (reader.constant(node, i) for i in range(1, 5))
    scale = gamma / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    _scale_and_shift(reader, node, node.inputs[0], scale, beta - mean * scale)


def _relu(reader: Reader, node: Node) -> None:
    reader.add(Relu(name=node.output, inputs=(reader.name_of(node.inputs[0]),)))


def _concatenate(reader: Reader, node: Node) -> None:
    last = reader.ranks[node.inputs[0]] - 1
    node.require(axis=(-1, last))
    inputs = tuple(map(reader.name_of, node.inputs))
    reader.add(Concatenate(name=node.output, inputs=inputs))


def _sum(reader: Reader, node: Node) -> None:
    node.require(axes=((1,),), keepdims=(0,), noop_with_empty_axes=(0,))
    axes = node.attributes.get("axes")
    if axes is None and len(node.inputs) > 1:
        axes = reader.constant(node, 1).astype(int).ravel().tolist()
    if list(axes or ()) not in ([1], [-2]) or "keepdims" not in node.attributes:
        raise ConversionError(
            f"{node.where}: axes={axes}, keepdims={node.attributes.get('keepdims', 1)} is not "
            "supported; they must be [1] (the slots) and 0"
        )
    mean = node.kind == "ReduceMean"
    reader.add(Pool(name=node.output, inputs=(reader.name_of(node.inputs[0]),), mean=mean))


def _einsum(reader: Reader, node: Node) -> None:
    equation = str(node.attributes["equation"]).replace(" ", "")
    inputs, _, out = equation.partition("->")
    left, _, right = inputs.partition(",")
    pools = len(left) == 3 and left[:2] == right[:2] and out == left[0] + left[2] + right[2:]
    combined = len(left) == 2 and left == right[:2] and out == left[0] + right[2:]
    if len(right) != 3 or not (pools or combined):
        raise ConversionError(
            f"{node.where}: equation={equation!r} is not supported; write weights with px, py as "
            "'bnk,bnp->bkp', coefficients with vector pools as 'bk,bkp->bp'"
        )
    inputs_of = tuple(map(reader.name_of, node.inputs))
    reader.add(Dot(name=node.output, inputs=inputs_of))


OPERATIONS: Final[dict[str, Callable[[Reader, Node], None]]] = {
    "Quant": quant,
    "IntQuant": quant,
    "BipolarQuant": bipolar,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Add": _add,
    "Sub": _subtract,
    "Mul": _multiply,
    "Div": _divide,
    "Relu": _relu,
    "BatchNormalization": _batch_norm,
    "Concat": _concatenate,
    "ReduceSum": _sum,
    "ReduceMean": _sum,
    "Einsum": _einsum,
    "Identity": _identity,
}
"""Supported operations on what depends on an input."""
