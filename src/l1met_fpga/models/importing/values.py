"""What a tensor of an imported model is, until it becomes nodes of a network."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.models import network as net
from l1met_fpga.models.importing.inputs import Linear

__all__ = ["Function", "Momentum", "Pooled", "Tensor", "Value", "Weighted"]


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
class Weighted:
    """px, py of each candidate times one weight."""

    weights: net.Node


@dataclass(frozen=True, slots=True)
class Pooled:
    """Their sum over candidates, divided by ``2**shift``."""

    weights: net.Node
    shift: int


Value = Linear | Tensor | Function | Momentum | Weighted | Pooled
"""Anything that a layer gives."""
