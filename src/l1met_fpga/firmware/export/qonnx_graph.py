"""An ONNX graph in the making: tensors in float32 where that holds their sums, else in float64."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding

__all__ = ["FLOAT32_BITS", "QonnxGraph", "Tensor"]

FLOAT32_BITS: Final = 23
"""A bit less than float32 has, for half a count that is added before a rounding."""
DOMAIN: Final = "qonnx.custom_op.general"
MODES: Final = {
    Rounding.RND_CONV: "ROUND",
    Rounding.TRN: "FLOOR",
    Rounding.TRN_ZERO: "DOWN",
    Rounding.RND_INF: "HALF_UP",
    Rounding.RND_ZERO: "HALF_DOWN",
}
"""Rounding of QONNX; half up, which it does not have, is half a count more and FLOOR."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph.

    Attributes:
        name: Its name.
        type: What its values are.
        double: Whether it is float64.
    """

    name: str
    type: FixedType
    double: bool = False


@dataclass
class QonnxGraph:
    """Collects nodes and constants."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, values: npt.ArrayLike, kind: type = np.float32) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its one result."""
        from onnx import helper

        name = name or f"{operation.lower()}_{len(self.nodes)}"
        domain = DOMAIN if operation == "Quant" else ""
        node = helper.make_node(
            operation, list(inputs), [name], name=name, domain=domain, **attributes
        )
        self.nodes.append(node)
        return name

    def cast(self, name: str, kind: type) -> str:
        """Convert a tensor to another type of number."""
        from onnx import helper

        return self.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def wide(self, x: Tensor) -> str:
        """Return a tensor in float64."""
        return x.name if x.double else self.cast(x.name, np.float64)

    def quant(self, x: Tensor, kind: FixedType, name: str) -> str:
        """Bring a tensor into a type, as a Quant node.

        Raises:
            ConversionError: If QONNX has no such rounding or overflow.
        """
        where = f"node {name!r}: {kind.hls_name}"
        if _holds(kind, x.type):
            return self.add(
                "Identity", self.cast(x.name, np.float32) if x.double else x.name, name=name
            )
        if kind.overflow not in (Overflow.SAT, Overflow.SAT_SYM) or (
            kind.signed and kind.width == 1
        ):
            raise ConversionError(
                f"{where} has no form in QONNX, whose quantizers saturate and have two bits with a sign"
            )
        value, rounding = x.name, kind.rounding
        drops_bits = x.type.frac_bits > kind.frac_bits
        if drops_bits and rounding is Rounding.RND:
            half = self.constant(kind.lsb / 2, np.float64 if x.double else np.float32)
            value, rounding = self.add("Add", value, half), Rounding.TRN
        if drops_bits and rounding not in MODES:
            raise ConversionError(f"{where} has a rounding that QONNX does not have")
        constants = (self.constant(v) for v in (kind.lsb, 0.0, float(kind.width)))
        return self.add(
            "Quant", value, *constants, name=name, signed=int(kind.signed),
            narrow=int(kind.signed and kind.overflow is Overflow.SAT_SYM),
            rounding_mode=MODES.get(rounding, "ROUND"),
        )  # fmt: skip


def _holds(outer: FixedType, inner: FixedType) -> bool:
    """Whether a type holds every value of another."""
    fine = outer.frac_bits >= inner.frac_bits
    symmetric = outer.overflow is Overflow.SAT_SYM and outer.signed
    low = outer.min + (outer.lsb if symmetric else 0)
    return fine and low <= inner.min and inner.max <= outer.max
