"""What a tensor of an imported model is, until it becomes nodes of a network."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from l1met_fpga.models import nodes as net
from l1met_fpga.models.importing.inputs import Held, Linear

__all__ = [
    "Filled",
    "Function",
    "Masked",
    "Momentum",
    "Pooled",
    "Tensor",
    "Value",
    "Vector",
    "Weighted",
    "value_of",
]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values of a node of the network."""

    node: net.Node


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a node that waits for the quantizer behind it.

    Attributes:
        node: Its argument.
        values: What it gives for every code of the argument, float64.
        name: For messages.
    """

    node: net.Node
    values: npt.NDArray[np.float64]
    name: str


@dataclass(frozen=True, slots=True)
class Momentum:
    """px, py of each candidate."""


@dataclass(frozen=True, slots=True)
class Filled:
    """1 for a slot with a candidate, 0 for an empty one."""


@dataclass(frozen=True, slots=True)
class Masked:
    """Values of a node where there is a candidate, 0 in empty slots."""

    node: net.Node


@dataclass(frozen=True, slots=True)
class Weighted:
    """px, py of each candidate times one weight."""

    weights: net.Node


@dataclass(frozen=True, slots=True)
class Pooled:
    """px, py times each of k weights, summed over candidates and divided by ``2**shift``."""

    weights: net.Node
    shift: int


@dataclass(frozen=True, slots=True)
class Vector:
    """px, py of the event, shape (k, 2) or (2,).

    Attributes:
        node: What the network computes.
        sign: What the model computes is this times it: a vector pool of the network is minus a sum.
    """

    node: net.Node
    sign: Literal[-1, 1]


Value = Linear | Tensor | Function | Momentum | Filled | Masked | Weighted | Pooled | Vector
"""Anything that a layer gives."""


def value_of(held: Held) -> Value:
    """Return the value of an input."""
    if held == "momentum":
        return Momentum()
    return Filled() if held == "filled" else Linear.of_channels(held)
