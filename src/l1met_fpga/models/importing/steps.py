"""A model as a list of steps on real numbers, without its framework: between a reader and a network.

A reader of a framework (HGQ2, QONNX) writes steps, and
:func:`~l1met_fpga.models.importing.assemble.assemble` makes nodes of them.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from l1met_fpga.fixed_point import FixedType

__all__ = [
    "Add",
    "Affine",
    "Concatenate",
    "Dot",
    "Graph",
    "Input",
    "Multiply",
    "Pool",
    "Quantize",
    "Relu",
    "Step",
    "Table",
    "floats",
    "rows",
]


class _Step(BaseModel):
    """One operation; ``name`` is that of its result, ``inputs`` are names of earlier results."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    inputs: tuple[str, ...] = ()


class Input(_Step):
    """An input, shape without the events."""

    op: Literal["input"] = "input"
    shape: tuple[int, ...]


class Affine(_Step):
    """``x @ kernel + bias`` over channels; without ``bias`` nothing is added."""

    op: Literal["affine"] = "affine"
    kernel: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...] | None = None


class Quantize(_Step):
    """Every channel in its own type, or all in one; without a type a channel is always zero."""

    op: Literal["quantize"] = "quantize"
    types: Annotated[tuple[FixedType | None, ...], Field(min_length=1)]


class Relu(_Step):
    """Negative numbers become zero."""

    op: Literal["relu"] = "relu"


class Table(_Step):
    """A function: ``values`` for every code of ``type``, which is the argument's, lowest first."""

    op: Literal["table"] = "table"
    type: FixedType
    values: tuple[float, ...]


class Multiply(_Step):
    """Product, elementwise or with one channel repeated."""

    op: Literal["multiply"] = "multiply"


class Add(_Step):
    """Sum of tensors of one shape."""

    op: Literal["add"] = "add"


class Concatenate(_Step):
    """Channels of tensors side by side."""

    op: Literal["concatenate"] = "concatenate"


class Pool(_Step):
    """Sum over slots, divided by ``2**shift``; by the number of slots where it is a mean."""

    op: Literal["pool"] = "pool"
    shift: int = 0
    mean: bool = False


class Dot(_Step):
    """Sum over the first axis (slots, or pools) of a product: (n, k) and (n, 2), or (k,) and (k, 2)."""

    op: Literal["dot"] = "dot"


Step = Input | Affine | Quantize | Relu | Table | Multiply | Add | Concatenate | Pool | Dot


class Graph(BaseModel):
    """A model.

    Attributes:
        source: Packages and versions that it comes from.
        steps: In order of execution; the last one is the model's result.
        one_candidate: Whether the model is one of a candidate, which gives its weight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    steps: tuple[Annotated[Step, Field(discriminator="op")], ...]
    one_candidate: bool = False


def floats(values: Any) -> tuple[float, ...]:
    """Return a row of numbers for a step."""
    return tuple(float(v) for v in np.asarray(values, np.float64).ravel())


def rows(values: Any) -> tuple[tuple[float, ...], ...]:
    """Return a matrix of numbers for a step."""
    return tuple(floats(row) for row in values)
