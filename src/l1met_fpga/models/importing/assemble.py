"""Steps of a model as nodes of an integer network."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing import functions, linear, pools
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.exact import exact_codes, no_bias
from l1met_fpga.models.importing.imported import Imported, Run, complete
from l1met_fpga.models.importing.inputs import Held, held_by
from l1met_fpga.models.importing.steps import (
    Add,
    Affine,
    Concatenate,
    Dot,
    Graph,
    Input,
    Multiply,
    Pool,
    Quantize,
    Relu,
    Table,
)
from l1met_fpga.models.importing.values import (
    Filled,
    Function,
    Momentum,
    Pooled,
    Tensor,
    Value,
    Vector,
    value_of,
)

__all__ = ["assemble"]

KERNEL_BITS: Final = 24
"""Widest kernel where every weight has a type of its own: what float32 holds."""


def assemble(
    graph: Graph,
    head: Head,
    *,
    name: str,
    inputs: Mapping[str, str],
    result_type: FixedType | None,
    run: Run,
) -> Imported:
    """Make a network of a model. The network gives minus what the model gives.

    Args:
        graph: The model.
        head: What the network gives: a vector per example.
        name: Name of the network.
        inputs: What its inputs hold (:func:`~l1met_fpga.models.importing.inputs.held_by`).
        result_type: Type of the result; without loss if not given.
        run: The model itself.

    Raises:
        ConversionError: Names the step that has no exact integer form.
    """
    builder = Builder(_slots(graph))
    held: dict[str, Held] = {}
    values: dict[str, Value] = {}
    for step in graph.steps:
        if isinstance(step, Input):
            held[step.name] = held_by(step.name, step.shape, inputs)
            values[step.name] = value_of(held[step.name])
        else:
            sources = [values[source] for source in step.inputs]
            values[step.name] = _STEPS[step.op](builder, step, *sources)
    result = values[graph.steps[-1].name]
    if graph.one_candidate and isinstance(result, Tensor):
        result = pools.dot(builder, "weights", result, Momentum())
    return complete(builder, result, head, name=name, held=held, result_type=result_type, run=run)


def _slots(graph: Graph) -> int:
    found = {step.shape[0] for step in graph.steps if isinstance(step, Input)}
    if len(found) != 1:
        raise ConversionError(
            f"the model's inputs have {sorted(found)} slots; all must have the same fixed number of "
            "candidates"
        )
    return found.pop()


def _affine(builder: Builder, step: Affine, value: Value) -> Value:
    kernel = exact_codes(step.kernel, f"layer {step.name!r}: kernel", bits=KERNEL_BITS)
    bias = no_bias(len(step.kernel[0]))
    if step.bias is not None:
        bias = exact_codes(step.bias, f"layer {step.name!r}: bias", bits=KERNEL_BITS)
    return linear.affine(builder, step.name, value, kernel, bias)


def _quantize(builder: Builder, step: Quantize, value: Value) -> Value:
    kinds = set(step.types)
    kind = kinds.pop() if len(kinds) == 1 else None
    if isinstance(value, Filled) and _holds_bits(kind):
        return value
    if isinstance(value, Momentum | Filled):
        raise ConversionError(
            f"{step.name!r} quantizes px, py or what says that a slot is filled, which the network "
            "computes in its own types; leave that quantizer away (enable_iq=False, or a layer "
            "without quantizers)"
        )
    if isinstance(value, Pooled | Vector | Function):
        if kind is None:
            raise ConversionError(
                f"{step.name!r} has other types for other vectors; one type for all of them is "
                "supported (homogeneous_axis)"
            )
        return functions.quantized(builder, value, kind, step.name)
    return builder.quantized_channels(value, step.types, step.name)


def _holds_bits(kind: FixedType | None) -> bool:
    return kind is not None and bool((kind.decode(kind.encode([0.0, 1.0])) == [0.0, 1.0]).all())


def _relu(builder: Builder, step: Relu, value: Value) -> Value:
    return functions.rectified(builder, builder.as_node(value, step.name), step.name)


def _table(builder: Builder, step: Table, value: Value) -> Value:
    x = builder.as_node(value, step.name)
    if x.type.kif != step.type.kif:
        raise ConversionError(
            f"{step.name!r} is a function of {step.type.hls_name}, but its argument is "
            f"{x.type.hls_name}; give it a quantizer of its own with one type for all channels"
        )
    return Function(x, np.asarray(step.values, np.float64), f"the function of {step.name!r}")


def _multiply(builder: Builder, step: Multiply, *values: Value) -> Value:
    return pools.multiply(builder, step.name, *values)


def _concatenate(builder: Builder, step: Concatenate, *values: Value) -> Value:
    return linear.beside(builder, step.name, *values)


def _add(builder: Builder, step: Add, *values: Value) -> Value:
    return linear.added(builder, step.name, *values)


def _pool(builder: Builder, step: Pool, value: Value) -> Value:
    shift = pools.mean_shift(builder, step.name) if step.mean else step.shift
    return pools.pool(builder, step.name, value, shift)


def _dot(builder: Builder, step: Dot, a: Value, b: Value) -> Value:
    return pools.dot(builder, step.name, a, b)


_STEPS: Final[dict[str, Callable[..., Value]]] = {
    "affine": _affine,
    "quantize": _quantize,
    "relu": _relu,
    "table": _table,
    "multiply": _multiply,
    "add": _add,
    "concatenate": _concatenate,
    "pool": _pool,
    "dot": _dot,
}
