"""The trained network as integers: a short list of exact operations, free of any framework.

Every later form is made from or held against this description: the int64 reference, the RTL
tracer and the report read it; the hls4ml project is checked against it. All tensors are integer
codes of the node's ``type``. Only :class:`Features`, :class:`Momentum`, :class:`Table` and
:class:`Quantize` drop bits; every other operation is exact, and its ``type`` holds every value it
can take. What is true of an operation in every form (is it exact, which type it needs, whether it
has a result per candidate) stands on its class and nowhere else.

Shapes are per event: ``(n, c)`` for candidates, ``(c,)`` after a pool.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from l1met_fpga.errors import ConversionError
from l1met_fpga.files import atomic_path
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import ranges
from l1met_fpga.models.network_rules import require_rules
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES

__all__ = [
    "Aggregate",
    "Combine",
    "Dense",
    "Feature",
    "Features",
    "InputColumn",
    "Momentum",
    "Multiply",
    "Network",
    "Node",
    "Quantize",
    "ScalarPool",
    "Table",
    "VectorPool",
]


def _word(text: str) -> str:
    """Check a name that becomes part of file names and of C++ and Verilog text."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", text, re.ASCII):
        raise ValueError(
            f"a name is a letter and then letters, digits or _, 64 at most; got {text[:80]!r}"
        )
    return text


def _column(name: str) -> str:
    if name not in COLUMNS:
        raise ValueError(f"a column is one of {', '.join(COLUMNS)}; got {name[:80]!r}")
    return name


Name = Annotated[str, AfterValidator(_word)]
ColumnName = Annotated[str, AfterValidator(_column)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(_Strict):
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


class _NodeBase(_Strict):
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
    """A candidate column, shape ``(n,)``, no inputs."""

    op: Literal["input"] = "input"
    column: ColumnName
    rows = "candidates"

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
    """``MET = sum_k c[k] V[k]``, shape ``(2,)``, exact; inputs c, V."""

    op: Literal["combine"] = "combine"
    rows = "event"

    def needed_type(self, inputs: Sequence["Node"], _n_candidates: int, /) -> FixedType:
        """Return the type of the sum over all pools."""
        n_pools = inputs[0].shape[-1]
        return ranges.combine_type(inputs[0].type, inputs[1].type, n_pools)


Node = (
    InputColumn
    | Features
    | Momentum
    | Dense
    | Quantize
    | Table
    | Multiply
    | VectorPool
    | ScalarPool
    | Aggregate
    | Combine
)


class Network(_Strict):
    """A quantized network.

    Attributes:
        name: Model name.
        n_candidates: Slots per event.
        nodes: Operations in an order in which every input comes before its use; the last one
            gives MET (px, py), GeV, shape ``(2,)``.
    """

    name: Name
    n_candidates: Annotated[int, Field(ge=1, le=N_CANDIDATES)]
    nodes: Annotated[tuple[Annotated[Node, Field(discriminator="op")], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        known: set[str] = set()
        for node in self.nodes:
            unknown = [name for name in node.inputs if name not in known]
            if unknown:
                raise ValueError(f"node {node.name!r} reads {unknown[0]!r}, which is not before it")
            if node.name in known:
                raise ValueError(f"two nodes are called {node.name!r}")
            known.add(node.name)
        require_rules(self.nodes, self.n_candidates)
        return self

    def __iter__(self) -> Iterator[Node]:  # type: ignore[override]
        """Iterate over the nodes in order of execution."""
        return iter(self.nodes)

    def node(self, name: str) -> Node:
        """Return the node of that name.

        Raises:
            ConversionError: If there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise ConversionError(
            f"network {self.name!r} has no node {name!r}; it has {[n.name for n in self.nodes]}"
        )

    def inputs_of(self, node: Node) -> tuple[Node, ...]:
        """Return the nodes that a node reads."""
        return tuple(self.node(name) for name in node.inputs)

    def needed_type(self, node: Node) -> FixedType:
        """Return the type that a node needs to hold every result.

        Raises:
            ConversionError: If the operation drops bits, so that its own type decides.
        """
        kind = node.needed_type(self.inputs_of(node), self.n_candidates)
        if kind is None:
            raise ConversionError(f"node {node.name!r} ({node.op}) drops bits by its own type")
        return kind

    @property
    def per_candidate(self) -> frozenset[str]:
        """Nodes that have a result for every candidate."""
        found: set[str] = set()
        for node in self.nodes:
            rows = node.rows
            if rows == "candidates" or (rows == "as input" and node.inputs[0] in found):
                found.add(node.name)
        return frozenset(found)

    @property
    def output(self) -> Node:
        """The node that gives MET."""
        return self.nodes[-1]

    @property
    def columns(self) -> tuple[str, ...]:
        """Candidate columns that the network reads, in order of its inputs."""
        return tuple(node.column for node in self.nodes if isinstance(node, InputColumn))

    @property
    def digest(self) -> str:
        """What identifies the network: SHA-256 of its content, 16 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write ``network.json``."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read ``network.json``.

        Raises:
            ConversionError: If it is no network of this package; says what is wrong where.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as err:
            problem, *more = err.errors()
            where = ".".join(str(part) for part in problem["loc"]) or "top level"
            others = f" (and {len(more)} more problems)" if more else ""
            raise ConversionError(
                f"{path} is no network that l1met can use: {where}: "
                f"{problem['msg'].removeprefix('Value error, ')}{others}. Export it again with "
                "`l1met train`"
            ) from None
