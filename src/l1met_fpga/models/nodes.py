"""The operations that an integer network is made of; :mod:`l1met_fpga.models.network` joins them.

All tensors are integer codes of the node's ``type``. Only :class:`Features`, :class:`Momentum`,
:class:`Table`, :class:`Quantize` and :class:`QuantizeChannels` drop bits; every other operation is
exact, and its ``type`` holds every value it can take. What is true of an operation in every form (is it exact, which type
it needs, whether it has a result per candidate) stands on its class and nowhere else.

Shapes are per event: ``(n, c)`` for candidates, ``(c,)`` after a pool.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt, SerializerFunctionWrapHandler, model_serializer

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import ranges
from l1met_fpga.models.strict import ColumnName, Name, Strict
from l1met_fpga.puppi.columns import COLUMNS

__all__ = [
    "Aggregate",
    "Combine",
    "Concatenate",
    "Dense",
    "Feature",
    "Features",
    "InputColumn",
    "Momentum",
    "Multiply",
    "Node",
    "Origin",
    "Quantize",
    "QuantizeChannels",
    "ScalarPool",
    "Table",
    "VectorPool",
]


Origin = Literal["beam", "vertex"]
"""Where z0 counts from: the origin of the detector, or the event's primary vertex."""


class Feature(Strict):
    """One number per candidate that the perceptron sees.

    ``value``: ``counts * 2**-scale_bits``; ``abs``: the same of the absolute value; ``flag``: 1
    when the counts are one of ``codes``, else 0. The result is brought into ``type`` with its
    rounding and overflow.
    """

    name: Name
    column: ColumnName
    kind: Literal["value", "abs", "flag"]
    scale_bits: int = 0
    codes: tuple[int, ...] = ()
    type: FixedType


class _NodeBase(Strict):
    name: Name
    inputs: tuple[Name, ...]
    shape: tuple[PositiveInt, ...]
    type: FixedType

    exact: ClassVar[bool] = True
    """Whether the result is the operation's mathematical result: no bit is dropped."""
    rows: ClassVar[Literal["candidates", "event", "as input"]] = "as input"
    """Whether there is a result per candidate, one per event, or as many as of the first input."""

    def needed_type(self, inputs: Sequence["Node"], n_candidates: int, /) -> FixedType | None:
        """Return the narrowest type that holds every result.

        Args:
            inputs: The nodes that it reads.
            n_candidates: Slots per event.

        Returns:
            None where the operation brings its results into whatever type the node has.
        """
        raise NotImplementedError


class _OwnType(_NodeBase):
    """An operation that rounds its results into the node's own type."""

    exact: ClassVar[bool] = False

    def needed_type(self, _inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType | None:
        """Return None: any type will do."""
        return None


class InputColumn(_NodeBase):
    """A candidate column, shape ``(n,)``, no inputs.

    ``origin`` says where ``z0`` counts from: ``beam`` (the origin of the detector, as in the candidate's
    word; not written to the file) or ``vertex`` (:mod:`l1met_fpga.puppi.vertex`).
    """

    op: Literal["input"] = "input"
    column: ColumnName
    origin: Origin = "beam"
    rows = "candidates"

    @model_serializer(mode="wrap")
    def _without_usual_origin(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the usual origin out: the file, and what identifies a network, stay as they were."""
        found: dict[str, Any] = dump(self)
        return {k: v for k, v in found.items() if k != "origin" or v != "beam"}

    def needed_type(self, _inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return the column's type."""
        return COLUMNS[self.column].type


class Features(_NodeBase):
    """Perceptron inputs, shape ``(n, len(features))``; ``inputs`` are the columns they use.

    ``type`` holds every feature's own type without loss.
    """

    op: Literal["features"] = "features"
    features: tuple[Feature, ...]
    exact = False
    rows = "candidates"

    def needed_type(self, _inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return a type that holds every feature's own."""
        return ranges.union_type([feature.type for feature in self.features])


class Momentum(_OwnType):
    """px, py of each candidate in GeV, shape ``(n, 2)``; inputs ``pt``, ``phi``.

    ``p = type(pt * 2**-2 * table)`` where the table holds ``table_type(cos)`` for 0 to 360 counts
    of phi (first quadrant, both ends); other quadrants and the sine follow by symmetry, so that a
    quarter turn is exact but for ties of the rounding. phi counts are taken modulo 1440.
    """

    op: Literal["momentum"] = "momentum"
    table_type: FixedType
    quadrant_cos: tuple[int, ...]
    rows = "candidates"


class Dense(_NodeBase):
    """``x @ kernel + bias``, exact, over the last axis; the same for every candidate.

    ``kernel[i][j]`` (input i, output j) and ``bias[j]`` are codes of their own types.
    """

    op: Literal["dense"] = "dense"
    kernel: tuple[tuple[int, ...], ...]
    kernel_type: FixedType
    bias: tuple[int, ...]
    bias_type: FixedType

    def needed_type(self, inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return the type of these constants with any input."""
        x = inputs[0].type
        return ranges.dense_type(x, self.kernel, self.kernel_type, self.bias, self.bias_type)


class Quantize(_OwnType):
    """Bring a tensor into ``type``; an unsigned saturating type makes it a bounded ReLU.

    ``shape`` is the input's, but for a leading axis of length 1 that may be dropped (one vector
    pool is already MET).
    """

    op: Literal["quantize"] = "quantize"


class QuantizeChannels(_NodeBase):
    """Bring each channel of the last axis into a type of its own, rounding and overflow included.

    ``type`` holds every channel's own without loss. A channel without a type is always zero.
    """

    op: Literal["quantize_channels"] = "quantize_channels"
    types: Annotated[tuple[FixedType | None, ...], Field(min_length=1)]
    exact = False

    def needed_type(self, _inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return a type that holds every channel's own."""
        return ranges.union_type([kind for kind in self.types if kind is not None])


class Table(_OwnType):
    """Elementwise look-up: output code ``table[x - min_code]`` for input code ``x``."""

    op: Literal["table"] = "table"
    table: tuple[int, ...]


class Multiply(_NodeBase):
    """Elementwise product of ``(n, a)`` with ``(n, 1)`` or ``(n, a)``, exact."""

    op: Literal["multiply"] = "multiply"

    def needed_type(self, inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return the type of a product."""
        return ranges.product_type(inputs[0].type, inputs[1].type)


class VectorPool(_NodeBase):
    """``V[k] = -sum_i w[i, k] p[i]``, shape ``(k, 2)``, exact; inputs weights, momentum."""

    op: Literal["vector_pool"] = "vector_pool"
    rows = "event"

    def needed_type(self, inputs: Sequence["Node"], n_candidates: int, /) -> FixedType:
        """Return the type of the sum over all slots."""
        return ranges.vector_pool_type(inputs[0].type, inputs[1].type, n_candidates)


class ScalarPool(_NodeBase):
    """``S[m] = 2**-shift * sum_i [pt_i > 0] s[i, m]``, shape ``(m,)``, exact; inputs s, pt."""

    op: Literal["scalar_pool"] = "scalar_pool"
    shift: int
    rows = "event"

    def needed_type(self, inputs: Sequence["Node"], n_candidates: int, /) -> FixedType:
        """Return the type of the sum over all slots."""
        return ranges.scalar_pool_type(inputs[0].type, n_candidates, self.shift)


class Aggregate(_NodeBase):
    """``F[a * f + j] = 2**-shift * sum_i [pt_i > 0] W[i, a] x[i, j]``, shape ``(a * f,)``, exact.

    Inputs W, x, pt.
    """

    op: Literal["aggregate"] = "aggregate"
    shift: int
    rows = "event"

    def needed_type(self, inputs: Sequence["Node"], n_candidates: int, /) -> FixedType:
        """Return the type of the sum over all slots."""
        weights, x = inputs[0].type, inputs[1].type
        return ranges.aggregate_type(weights, x, n_candidates, self.shift)


class Combine(_NodeBase):
    """``sum_k c[k] V[k]``, shape ``(2,)``, exact; inputs c, V."""

    op: Literal["combine"] = "combine"
    rows = "event"

    def needed_type(self, inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return the type of the sum over all pools."""
        n_pools = inputs[0].shape[-1]
        return ranges.combine_type(inputs[0].type, inputs[1].type, n_pools)


class Concatenate(_NodeBase):
    """Channels of two or more tensors side by side, ``(n, a)`` and ``(n, b)`` or ``(a,)`` and ``(b,)``.

    Exact: ``type`` has the fraction bits of the finest input.
    """

    op: Literal["concatenate"] = "concatenate"

    def needed_type(self, inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return a type that holds every input."""
        return ranges.union_type([x.type for x in inputs])


Node = (
    InputColumn
    | Features
    | Momentum
    | Dense
    | Quantize
    | QuantizeChannels
    | Table
    | Multiply
    | VectorPool
    | ScalarPool
    | Aggregate
    | Combine
    | Concatenate
)
