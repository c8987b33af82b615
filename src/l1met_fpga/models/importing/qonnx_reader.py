"""A QONNX graph while it is read: what is constant, what is known, the steps so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.importing.steps import Step

__all__ = ["Node", "Reader"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Node:
    """An operation of the graph.

    Attributes:
        kind: Its operation.
        where: It in words, for messages.
        inputs: Names of tensors, empty where an optional one is left out.
        output: Name of its one result.
        attributes: Its arguments.
    """

    kind: str
    where: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]

    @classmethod
    def of(cls, proto: Any) -> "Node":
        """Read a node of ONNX."""
        from onnx.helper import get_attribute_value

        given = {a.name: get_attribute_value(a) for a in proto.attribute}
        attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in given.items()}
        where = f"node {proto.name or proto.output[0]!r} ({proto.op_type})"
        return cls(proto.op_type, where, tuple(proto.input), proto.output[0], attributes)

    def require(self, **allowed: tuple[Any, ...]) -> None:
        """Check that every argument is one that is looked at, with an allowed value.

        Raises:
            ConversionError: Names the argument.
        """
        for name, value in self.attributes.items():
            plain = tuple(value) if isinstance(value, list | tuple) else value
            if name not in allowed:
                raise ConversionError(f"{self.where}: argument {name}={plain} is not supported")
            if allowed[name] and plain not in allowed[name]:
                raise ConversionError(
                    f"{self.where}: {name}={plain} is not supported, it must be {allowed[name][0]!r}"
                )


@dataclass
class Reader:
    """Turns nodes into steps.

    Attributes:
        live: Tensors that depend on an input.
        values: Value of every tensor for zero inputs: of constants, their value.
        ranks: Number of axes of every tensor, the examples included.
        operations: What is supported, by name.
        steps: Steps so far, by the name of their result.
        alias: Tensors that are others.
    """

    live: set[str]
    values: Mapping[str, Any]
    ranks: Mapping[str, int]
    operations: Mapping[str, Callable[["Reader", Node], None]]
    steps: dict[str, Step] = field(default_factory=dict)
    alias: dict[str, str] = field(default_factory=dict)

    def read(self, node: Node) -> None:
        """Take a node.

        Raises:
            ConversionError: Names what is not supported.
        """
        if not self.live & set(node.inputs):
            return  # a constant of constants: the executor knows its value
        if node.kind not in self.operations:
            raise ConversionError(
                f"{node.where} is not supported; supported are {', '.join(self.operations)}"
            )
        self.live.add(node.output)
        self.operations[node.kind](self, node)

    def add(self, step: Step) -> None:
        """Add a step."""
        self.steps[step.name] = step

    def name_of(self, tensor: str) -> str:
        """Return the name of the step that gives a tensor."""
        return self.alias.get(tensor, tensor)

    def constant(self, node: Node, index: int) -> FloatArray:
        """Return a constant input.

        Raises:
            ConversionError: If it depends on an input of the graph.
        """
        name = node.inputs[index]
        if name in self.live:
            raise ConversionError(f"{node.where}: input {index} ({name!r}) must be a constant")
        return np.asarray(self.values[name], np.float64)

    def in_order(self, result: str) -> list[Step]:
        """Return the steps that lead to a result, it last."""
        needed, todo = set[str](), [result]
        while todo:
            name = todo.pop()
            if name in self.steps and name not in needed:
                needed.add(name)
                todo.extend(self.steps[name].inputs)
        return [step for name, step in self.steps.items() if name in needed]

    # -- constants of a channel ---------------------------------------------------------------

    def per_channel(self, node: Node, values: FloatArray, channels: int) -> FloatArray:
        """Return one number per channel.

        Raises:
            ConversionError: If they differ from slot to slot.
        """
        if values.size not in (1, channels) or values.size != (values.shape or (1,))[-1]:
            raise ConversionError(
                f"{node.where} has constants of shape {values.shape}; one number, or one per channel "
                f"({channels}), is supported"
            )
        return np.broadcast_to(values.ravel(), (channels,))

    def channels(self, tensor: str) -> int:
        """Return the size of a tensor's last axis."""
        return int(np.shape(self.values[tensor])[-1])
