"""What the RTL's tracer can hold without rounding."""

from typing import Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network

__all__ = ["require_traceable"]

FLOAT32_BITS: Final = 24
"""da4ml's matrix product takes its matrix as float32."""


def require_traceable(network: Network) -> None:
    """Check that no constant of a matrix product has more bits than the tracer keeps.

    Raises:
        ConversionError: Names the node and its widest constant.
    """
    for node in network:
        if isinstance(node, net.Dense):
            codes = [code for row in node.kernel for code in row]
            widest = max((_significant_bits(code) for code in codes), default=0)
            if widest > FLOAT32_BITS:
                raise ConversionError(
                    f"node {node.name!r} has a weight of {widest} significant bits; da4ml's matrix "
                    f"product rounds above {FLOAT32_BITS}. Use a narrower kernel type"
                )


def _significant_bits(code: int) -> int:
    """Return the bits from the first to the last that is set."""
    size = abs(code)
    return size.bit_length() - (size & -size).bit_length() + 1 if size else 0
