"""Keras layers of networks on pairs of candidates, which are float only.

Candidates are packed: rows of all events one after another and ``row_splits``, see
:mod:`l1met_fpga.models.layers`. Edges are pairs (receiver, sender) of row numbers.
"""

import math
from typing import Any, Final

from l1met_fpga.models.keras import keras, tf
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN, PT_LSB_GEV

__all__ = [
    "EdgeGeometry",
    "HardestRows",
    "LargestMessage",
    "NearestEdges",
    "OfEvent",
    "PackRows",
    "PairAttention",
    "PairGeometry",
    "RadiusEdges",
]

_EVENT_STRIDE: Final = 1 << 14
"""Distance in eta counts between events: more than the detector and any radius."""

_NEVER: Final = -1e9
"""Logit of a pair that does not exist; finite, for events without any."""


class PairLayer(keras.layers.Layer):  # type: ignore[misc]
    """Base: no weights."""


class PackRows(PairLayer):
    """Drop the empty slots; inputs pt and tensors (events, slots, ...), outputs rows and splits."""

    def call(self, inputs: list[Any]) -> list[Any]:
        """Return every input but the first as rows, then the borders between events."""
        pt, *others = inputs
        filled = pt > 0
        counts = tf.reduce_sum(tf.cast(filled, tf.int64), axis=1)
        splits = tf.concat([tf.zeros(1, tf.int64), tf.cumsum(counts)], axis=0)
        return [*(tf.boolean_mask(other, filled) for other in others), splits]


class OfEvent(PairLayer):
    """Numbers of events -> the same at each of their rows; inputs numbers and splits."""

    def call(self, inputs: list[Any]) -> Any:
        """Repeat."""
        numbers, splits = inputs
        return tf.repeat(tf.cast(numbers, tf.float32), splits[1:] - splits[:-1], axis=0)


class RadiusEdges(PairLayer):
    """Edges between candidates of an event that are close; inputs eta, phi (counts) and splits.

    Integers throughout: a candidate at exactly the radius is inside.
    """

    def __init__(self, radius: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.radius = radius

    def call(self, inputs: list[Any]) -> Any:
        """Return (edges, 2), int32: both directions of each pair."""
        eta, phi, splits = inputs
        eta, phi = tf.cast(eta, tf.int32), tf.cast(phi, tf.int32)
        counts = tf.cast(splits[1:] - splits[:-1], tf.int32)
        # along eta, each row with those behind it in reach; events are far from one another
        place = eta + _EVENT_STRIDE * tf.repeat(tf.range(tf.size(counts)), counts)
        order = tf.argsort(place, stable=True)
        place, eta, phi = (tf.gather(values, order) for values in (place, eta, phi))
        reach = self.radius / ANGLE_LSB_RAD
        end = tf.searchsorted(place, place + math.floor(reach), side="right")
        first = tf.range(1, tf.size(place) + 1)
        n_behind = end - first
        one = tf.repeat(first - 1, n_behind)
        offset = tf.range(tf.size(one)) - tf.repeat(tf.cumsum(n_behind, exclusive=True), n_behind)
        other = one + 1 + offset
        deta = tf.gather(eta, one) - tf.gather(eta, other)
        dphi = _wrapped(tf.gather(phi, one) - tf.gather(phi, other))
        near = deta * deta + dphi * dphi <= math.floor(reach**2)
        pairs = tf.boolean_mask(tf.stack([one, other], axis=1), near)
        return tf.gather(order, tf.concat([pairs, pairs[:, ::-1]], axis=0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "radius": self.radius}


class NearestEdges(PairLayer):
    """Edges from the candidates with the nearest hidden numbers; inputs hidden and splits."""

    def __init__(self, neighbours: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.neighbours = neighbours

    def call(self, inputs: list[Any]) -> Any:
        """Return (edges, 2), int32; none where an event has no further candidate."""
        hidden, splits = inputs
        slots = tf.RaggedTensor.from_row_splits(tf.stop_gradient(hidden), splits).to_tensor()
        n_slots = tf.shape(slots)[1]
        counts = tf.cast(splits[1:] - splits[:-1], tf.int32)
        filled = tf.range(n_slots) < counts[:, None]
        square = tf.reduce_sum(slots * slots, axis=-1)
        product = tf.einsum("nic,njc->nij", slots, slots)
        distance = square[:, :, None] + square[:, None, :] - 2 * product
        allowed = filled[:, :, None] & filled[:, None, :] & ~tf.eye(n_slots, dtype=tf.bool)
        distance = tf.where(allowed, distance, math.inf)
        near, sender = tf.math.top_k(-distance, tf.minimum(self.neighbours, n_slots))
        found = tf.where(tf.math.is_finite(near))  # event, receiver, rank
        start = tf.cast(tf.gather(splits, found[:, 0]), tf.int32)
        receiver = start + tf.cast(found[:, 1], tf.int32)
        return tf.stack([receiver, start + tf.gather_nd(sender, found)], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "neighbours": self.neighbours}


class EdgeGeometry(PairLayer):
    """Distances in eta and phi of edges, rad; inputs eta, phi (counts) and edges."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (edges, 2), without sign: reflections change nothing."""
        eta, phi, edges = inputs
        deta, dphi = (
            tf.gather(values, edges[:, 0]) - tf.gather(values, edges[:, 1]) for values in (eta, phi)
        )
        return tf.abs(tf.stack([deta, _wrapped(dphi)], axis=1)) * ANGLE_LSB_RAD


class LargestMessage(PairLayer):
    """max_j ReLU(u_i + v_j + e_ij), 0 without edges; inputs u, v (rows), e and edges."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (rows, channels)."""
        own, sent, of_edge, edges = inputs
        message = tf.gather(sent, edges[:, 1]) + of_edge
        largest = tf.math.unsorted_segment_max(message, edges[:, 0], tf.shape(own)[0])
        return tf.nn.relu(own + largest)  # a row without edges has the lowest number there is


class HardestRows(PairLayer):
    """Rows of the hardest candidates of each event; inputs pt, eta, phi (counts) and splits.

    Of equal pt the smaller eta is the harder one, then the smaller phi: their order in the list
    changes nothing.
    """

    def __init__(self, objects: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objects = objects

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, slots), int32, -1 in empty slots; no more slots than needed."""
        *columns, splits = inputs
        pt, eta, phi = (tf.cast(column, tf.int64) for column in columns)
        counts = splits[1:] - splits[:-1]
        event = tf.repeat(tf.range(tf.size(counts, tf.int64)), counts)
        order = tf.argsort(((event * 2**14 - pt) * 2**12 + eta) * 2**12 + phi)
        hardest = tf.RaggedTensor.from_row_splits(order, splits)[:, : self.objects]
        return hardest.to_tensor(-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "objects": self.objects}


class PairGeometry(PairLayer):
    """What tells pairs apart; inputs pt, eta, phi (counts) and rows of slots."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, slots, slots, 3): distances in eta and phi, rad, and ln(1 + kT / GeV)."""
        *columns, slots = inputs
        pt, eta, phi = (tf.gather(column, tf.maximum(slots, 0)) for column in columns)
        deta = tf.abs(eta[:, :, None] - eta[:, None, :]) * ANGLE_LSB_RAD
        dphi = tf.abs(_wrapped(phi[:, :, None] - phi[:, None, :])) * ANGLE_LSB_RAD
        softer_gev = tf.minimum(pt[:, :, None], pt[:, None, :]) * PT_LSB_GEV
        kt_gev = softer_gev * tf.sqrt(deta * deta + dphi * dphi)
        return tf.stack([deta, dphi, tf.math.log1p(kt_gev)], axis=-1)


class PairAttention(PairLayer):
    """Attention between the rows of slots; inputs q, k, v (rows), bias of pairs and rows of slots."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (rows, channels), 0 for rows in no slot."""
        *of_rows, bias, slots = inputs
        n_heads, channels = bias.shape[-1], of_rows[0].shape[-1]
        filled, here = slots >= 0, tf.maximum(slots, 0)
        shape = tf.concat([tf.shape(slots), [n_heads, channels // n_heads]], axis=0)
        q, k, v = (tf.reshape(tf.gather(rows, here), shape) for rows in of_rows)
        logits = tf.einsum("nihc,njhc->nijh", q, k) * (channels // n_heads) ** -0.5 + bias
        weights = tf.nn.softmax(tf.where(filled[:, None, :, None], logits, _NEVER), axis=2)
        seen = tf.reshape(tf.einsum("nijh,njhc->nihc", weights, v), (-1, channels))
        chosen = tf.reshape(filled, (-1,))
        places = tf.boolean_mask(tf.reshape(slots, (-1, 1)), chosen)
        return tf.scatter_nd(places, tf.boolean_mask(seen, chosen), tf.shape(of_rows[0]))


def _wrapped(dphi: Any) -> Any:
    """Bring differences of phi counts within a half turn."""
    half = PHI_COUNTS_PER_TURN // 2
    return tf.math.floormod(dphi + half, PHI_COUNTS_PER_TURN) - half
