"""The trained network as integers: a short list of exact operations, free of any framework.

Every later form is made from or held against this description: the int64 reference, the RTL
tracer and the report read it; the hls4ml project is checked against it. Its operations are those
of :mod:`l1met_fpga.models.nodes`; what it gives are its heads.
"""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from l1met_fpga.errors import ConversionError
from l1met_fpga.files import atomic_path
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network_file import require_version
from l1met_fpga.models.network_rules import require_rules
from l1met_fpga.models.nodes import InputColumn, Node, Origin
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.models.strict import Name, Strict
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, Column

__all__ = ["Network"]

Codes = npt.NDArray[np.int64]


class Network(Strict):
    """A quantized network.

    Attributes:
        version: Version of the file's form.
        name: Model name.
        n_candidates: Slots per event.
        heads: What it gives, each with the node that has its codes.
        nodes: Operations in an order in which every input comes before its use.
    """

    version: Literal[2] = 2
    name: Name
    n_candidates: Annotated[int, Field(ge=1, le=N_CANDIDATES)]
    heads: Annotated[tuple[NetworkHead, ...], Field(min_length=1)]
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
        require_rules(self.nodes, self.heads, self.n_candidates)
        for head in self.heads:
            if (head.node in self.per_candidate) != (head.per == "row"):
                raise ValueError(
                    f"head {head.name!r} is per {head.per}, its node {head.node!r} is not"
                )
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

    def head(self, name: str) -> NetworkHead:
        """Return the head of that name.

        Raises:
            ConversionError: If there is none; names the nearest.
        """
        known = {head.name: head for head in self.heads}
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=1)
        tip = f"; did you mean {near[0]!r}?" if near else ""
        raise ConversionError(
            f"network {self.name!r} has no head {name!r}; it has {list(known)}{tip}"
        )

    def calibrated(self, head: str, calibration: SizeCalibration | None) -> Self:
        """Return the same network that tells the size of a head corrected, or as it is.

        Raises:
            ConversionError: If there is no such head.
            ValueError: If it has no size.
        """
        wanted = self.head(head)
        changed = NetworkHead(**{**dict(wanted), "calibration": calibration})
        heads = tuple(changed if one is wanted else one for one in self.heads)
        return self.model_copy(update={"heads": heads})

    def type_of(self, head: str) -> FixedType:
        """Return the type of a head's codes."""
        return self.node(self.head(head).node).type

    def values(self, codes: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float64]]:
        """Return what codes by head are in the heads' units, exactly; words made of them are left out."""
        return {
            head.name: self.type_of(head.name).decode(codes[head.name])
            for head in self.heads
            if head.name in codes
        }

    def codes(self, values: Mapping[str, npt.NDArray[Any]]) -> dict[str, Codes]:
        """Return the codes of values by head.

        Raises:
            FixedPointError: If a value is none of its head's type.
        """
        return {name: self.type_of(name).exactly(array) for name, array in values.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """Candidate columns that the network reads, in order of its inputs."""
        return tuple(node.column for node in self.nodes if isinstance(node, InputColumn))

    @property
    def reads_vertex(self) -> bool:
        """Whether its z0 counts from the vertex, which its firmware then takes beside the words."""
        return self.z0_origin == "vertex"

    @property
    def vertex(self) -> Column | None:
        """The column whose counts the z0 of a vertex has, where firmware takes one."""
        return COLUMNS["z0"] if self.reads_vertex else None

    @property
    def z0_origin(self) -> Origin:
        """Where its z0 counts from."""
        found = {node.origin for node in self.nodes if isinstance(node, InputColumn)}
        return "vertex" if "vertex" in found else "beam"

    @property
    def digest(self) -> str:
        """What identifies the network: SHA-256 of its content, 16 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        """Content of ``network.json``."""
        return self.model_dump_json(indent=1)

    def save(self, path: Path) -> None:
        """Write ``network.json``."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read ``network.json``.

        Raises:
            ConversionError: If it is no network of this package; says what is wrong where, or which
                command converts a file of version 1.
        """
        content = path.read_bytes()
        require_version(content, path)
        return cls.parse(content, path)

    @classmethod
    def parse(cls, content: bytes, where: Path) -> "Network":
        """Take the content of a ``network.json``.

        Raises:
            ConversionError: As :meth:`load`.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as err:
            problem, *more = err.errors()
            place = ".".join(str(part) for part in problem["loc"]) or "top level"
            others = f" (and {len(more)} more problems)" if more else ""
            raise ConversionError(
                f"{where} is no network that l1met can use: {place}: "
                f"{problem['msg'].removeprefix('Value error, ')}{others}. Correct it, or make it "
                "again (`l1met train`, `l1met import`)"
            ) from None
