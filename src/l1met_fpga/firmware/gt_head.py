"""Which head the word for the global trigger tells: the first vector of an event in GeV.

The word holds the size and direction of one vector, so a network without such a head has none.
"""

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network

__all__ = ["gt_head", "require_gt_head"]


def gt_head(network: Network) -> NetworkHead | None:
    """Return the head that the word tells, None where there is none."""
    for head in network.heads:
        if head.told_in_word:
            return head
    return None


def require_gt_head(network: Network, what: str) -> NetworkHead:
    """Return the head that the word tells.

    Args:
        network: The integer network.
        what: What needs it, for the message.

    Raises:
        ConversionError: If there is none.
    """
    head = gt_head(network)
    if head is None:
        told = ", ".join(
            f"{one.name} ({one.kind}, {one.unit or 'no unit'})" for one in network.heads
        )
        raise ConversionError(
            f"{what} needs a word for the global trigger, "
            f"which tells a vector in GeV; network {network.name!r} has the heads {told}"
        )
    return head
