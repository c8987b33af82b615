"""Outputs of a network that leave the range of their type: how many do, and events at the edge."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.fixed_point import FixedType, shift_round
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.results.saturation import HeadSaturation, Saturation

__all__ = ["count_saturated", "events_at_the_edge"]

DIRECTIONS: Final = (720, -540, -360, -180, 0, 180, 360, 540)
"""Counts of phi, along the axes and between them."""


def count_saturated(network: Network, candidates: Candidates) -> Saturation:
    """Count, head by head, outputs whose exact value is no value of the head's type.

    What a head gives is the exact result of the node before it, rounded, and then clipped or wrapped
    where it is outside of the range; those are counted. Heads per row count filled slots only.

    Args:
        network: The integer network.
        candidates: Events, as :func:`l1met_fpga.firmware.reference.evaluate` takes them.

    Raises:
        ConversionError: As ``evaluate``.
        DataError: As ``evaluate``.
    """
    filled = np.asarray(candidates["pt"]) > 0
    heads = {}
    for head in network.heads:
        outside = _outside(network, head, candidates)
        if head.per == "row":
            outside = outside[:, : filled.shape[1]][filled]
        heads[head.name] = HeadSaturation(
            outputs=outside.size,
            saturated=int(np.count_nonzero(outside)),
            share=float(np.count_nonzero(outside) / max(outside.size, 1)),
        )
    return Saturation(network=network.digest, events=len(filled), heads=heads)


def events_at_the_edge(network: Network) -> Candidates:
    """Return neighbouring events of which one is the first to leave the range of a head.

    All slots point in one direction and share the pt; the sum of pt is searched by bisection. A
    head that stays inside with all slots at the largest pt gives none.

    Args:
        network: The integer network.

    Returns:
        Columns, int16, shape (n_events, n_slots).
    """
    n_slots = network.n_candidates
    phi = np.repeat(np.array(DIRECTIONS, np.int16), len(network.heads))
    head = np.tile(np.arange(len(network.heads)), len(DIRECTIONS))
    inside, outside = np.zeros(len(phi), np.int64), np.full(len(phi), n_slots * COLUMNS["pt"].high)

    def leaves(total: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        events = _one_direction(total, phi, n_slots)
        found = [_outside(network, one, events) for one in network.heads]
        by_event = np.stack([one.reshape(len(total), -1).any(axis=1) for one in found])
        return by_event[head, np.arange(len(total))]

    reached = leaves(outside)
    while (outside - inside > 1).any():
        middle = (inside + outside) // 2
        beyond = leaves(middle)
        inside, outside = np.where(beyond, inside, middle), np.where(beyond, middle, outside)
    edge = np.concatenate([inside[reached], outside[reached]])
    return _one_direction(edge, np.tile(phi[reached], 2), n_slots)


def _one_direction(
    total: npt.NDArray[np.int64], phi: npt.NDArray[np.int16], n_slots: int
) -> Candidates:
    """Return events of charged hadrons in one direction each, with the given sums of pt."""
    slots = np.arange(n_slots)
    pt = total[:, None] // n_slots + (slots < total[:, None] % n_slots)
    codes = dict[str, npt.ArrayLike](pt=pt, phi=phi[:, None], pid=3, puppi_weight=256)
    return {name: np.where(pt > 0, codes.get(name, 0), 0).astype(np.int16) for name in COLUMNS}


def _outside(network: Network, head: NetworkHead, candidates: Candidates) -> npt.NDArray[np.bool_]:
    """Tell which numbers of a head, once rounded, the types of its channels do not hold.

    Returns:
        Shape (n_events, size), or (n_events, n_slots, size) where the head has them per row.
    """
    node = network.node(head.node)
    source = network.inputs_of(node)[0]
    codes, frac_bits = (
        evaluate_nodes(network, candidates, [source.name])[source.name],
        source.type.frac_bits,
    )
    if head.per == "example":
        codes = codes.reshape(len(codes), head.size)
    n_channels = codes.shape[-1]
    types: list[FixedType | None]
    if isinstance(node, net.QuantizeChannels):
        types = list(node.types)
    elif isinstance(node, net.Quantize):
        types = [node.type] * n_channels
    else:  # an exact result holds every value
        types = [None] * n_channels
    outside = np.zeros(codes.shape, np.bool_)
    for channel, kind in enumerate(types):
        if kind is not None:
            rounded = shift_round(codes[..., channel], frac_bits - kind.frac_bits, kind.rounding)
            outside[..., channel] = (rounded < kind.min_code) | (rounded > kind.max_code)
    return outside
