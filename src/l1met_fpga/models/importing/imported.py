"""A model of others that has become a network, and how to ask the original."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing import pools
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.inputs import Held
from l1met_fpga.models.importing.values import Pooled, Value, Vector
from l1met_fpga.models.network import Network

__all__ = ["Imported", "Run", "complete"]

Run = Callable[
    [Mapping[str, npt.NDArray[np.float32]], Sequence[str]], dict[str, npt.NDArray[np.float64]]
]
"""Gives the values of tensors, by name, for arrays of the inputs."""


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported model.

    Attributes:
        network: It as integers.
        held: Input name -> what it holds.
        compared: Node name -> the model's tensor of the same values, and the shift: the node is
            ``2**-shift`` times it.
        unmasked: Nodes that the model sums over all slots, so that they must be zero in empty ones.
        run: The model.
    """

    network: Network
    held: Mapping[str, Held]
    compared: Mapping[str, tuple[str, int]]
    unmasked: tuple[str, ...]
    run: Run


def complete(
    builder: Builder,
    result: Value,
    head: Head,
    *,
    name: str,
    held: Mapping[str, Held],
    result_type: FixedType | None,
    run: Run,
) -> Imported:
    """Make a network of what a builder has collected.

    Args:
        builder: Its nodes.
        result: What the model gives.
        head: What the network gives, minus the model's result: a vector of an example.
        name: Name of the network.
        held: Input name -> what it holds.
        result_type: Type of the result; without loss if not given.
        run: The model.

    Raises:
        ConversionError: If the result is no vector of the event, or the nodes make no network.
    """
    if not isinstance(result, Pooled | Vector):
        raise ConversionError(
            "the model's output is no sum over candidates of weights times px, py; end it with "
            "Multiply(weights, momentum) and a sum over axis 1, or with Dot(axes=1)"
        )
    end = pools.finish(builder, result, f"{head.name}_xy", result_type)
    nodes = builder.used(end)
    try:
        network = Network(
            name=name, n_candidates=builder.slots, heads=(head.of_node(end.name),), nodes=nodes
        )
    except ValidationError as err:
        problem = err.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConversionError(
            f"the model makes no network: {where}: {problem['msg'].removeprefix('Value error, ')}, "
            f"got {str(problem['input'])[:80]!r}"
        ) from None
    names = {node.name for node in nodes}
    compared = {name: source for name, source in builder.compared.items() if name in names}
    unmasked = tuple(name for name in builder.unmasked if name in names)
    return Imported(network, held, compared, unmasked, run)
