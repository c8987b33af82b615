"""Keras layers that QKeras lacks; one per operation of :mod:`l1met_fpga.models.nodes`.

Candidates come in one of two layouts. Padded: ``(events, slots, channels)``, empty slots have
``pt == 0``. Packed: ``(candidates, channels)`` of all events one after another and ``row_splits``,
shape ``(events + 1,)``, as last input of every pool; the same numbers without the empty slots.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.models.nodes import Feature
from l1met_fpga.models.quantizers import quantize
from l1met_fpga.puppi.columns import PHI_COUNTS_PER_TURN, PT_LSB_GEV

__all__ = [
    "AggregatePooling",
    "BroadcastMultiply",
    "CandidateFeatures",
    "CandidateMomentum",
    "CombineVectors",
    "FixedQuantize",
    "PotentialTable",
    "ScalarPooling",
    "VectorPooling",
    "quadrant_cos",
]


class ExactLayer(keras.layers.Layer):  # type: ignore[misc]
    """Base: no weights, so nothing to prune; fixed types are stored as plain values."""

    def get_prunable_weights(self) -> list[Any]:
        """Return no weights (interface of tensorflow-model-optimization)."""
        return []


def _type(value: FixedType | dict[str, Any]) -> FixedType:
    return value if isinstance(value, FixedType) else FixedType.from_dict(value)


class CandidateFeatures(ExactLayer):
    """Integer columns -> perceptron inputs.

    Inputs: the columns named in ``columns``, float tensors holding integers. Output: one channel
    per feature.
    """

    def __init__(
        self,
        features: Sequence[Feature | dict[str, Any]],
        columns: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.features = tuple(
            f if isinstance(f, Feature) else Feature.model_validate(f) for f in features
        )
        self.columns = tuple(columns)

    def call(self, inputs: list[Any]) -> Any:
        """Scale, take the absolute value or compare, then quantize."""
        # Keras gives a list of one tensor back as the tensor when a model is read from a file
        several = inputs if isinstance(inputs, list | tuple) else [inputs]
        column = dict(zip(self.columns, several, strict=True))
        return tf.stack([self._one(f, column[f.column]) for f in self.features], axis=-1)

    @staticmethod
    def _one(feature: Feature, counts: Any) -> Any:
        if feature.kind == "flag":
            hits = [tf.equal(counts, float(code)) for code in feature.codes]
            value = tf.cast(tf.reduce_any(tf.stack(hits), axis=0), counts.dtype)
        else:
            value = (tf.abs(counts) if feature.kind == "abs" else counts) * (
                2.0**-feature.scale_bits
            )
        return tf.stop_gradient(quantize(value, feature.type))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        features = [f.model_dump(mode="json") for f in self.features]
        return {**super().get_config(), "features": features, "columns": list(self.columns)}


def quadrant_cos(table_type: FixedType) -> np.ndarray:
    """Return the codes of cos(k pi/720) for k = 0 to 360, int64."""
    quarter = PHI_COUNTS_PER_TURN // 4
    angle = 2 * math.pi * np.arange(quarter + 1) / PHI_COUNTS_PER_TURN
    cosine = np.cos(angle)
    cosine[-1] = 0.0
    return table_type.encode(cosine)


class CandidateMomentum(ExactLayer):
    """pt and phi counts -> px, py in GeV, rounded to ``output_type``.

    The table covers one quadrant; the others follow by symmetry. Works in float64: a 14-bit pt
    times a table entry does not always fit float32.
    """

    def __init__(
        self,
        table_type: FixedType | dict[str, Any],
        output_type: FixedType | dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table_type, self.output_type = _type(table_type), _type(output_type)
        first = self.table_type.decode(quadrant_cos(self.table_type))
        cosine = np.concatenate([first[:-1], -first[:0:-1], -first[:-1], first[:0:-1]])
        sine = np.roll(cosine, PHI_COUNTS_PER_TURN // 4)
        self._cos_sin = np.stack([cosine, sine], axis=1)

    def call(self, inputs: list[Any]) -> Any:
        """Look up cos and sin, multiply, round."""
        pt, phi = inputs
        turn = tf.math.floormod(tf.cast(phi, tf.int32), PHI_COUNTS_PER_TURN)
        cos_sin = tf.gather(tf.constant(self._cos_sin, tf.float64), turn)
        product = tf.cast(pt, tf.float64)[..., None] * PT_LSB_GEV * cos_sin
        return tf.cast(tf.stop_gradient(quantize(product, self.output_type)), pt.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        types = {
            "table_type": self.table_type.to_dict(),
            "output_type": self.output_type.to_dict(),
        }
        return {**super().get_config(), **types}


class FixedQuantize(ExactLayer):
    """Quantize a tensor to a :class:`FixedType`; ``target_shape`` reshapes each event as well."""

    def __init__(
        self,
        type: FixedType | dict[str, Any],  # noqa: A002
        target_shape: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.type = _type(type)
        self.target_shape = None if target_shape is None else tuple(target_shape)

    def call(self, inputs: Any) -> Any:
        """Round and saturate."""
        if self.target_shape is not None:
            inputs = tf.reshape(inputs, (-1, *self.target_shape))
        return quantize(inputs, self.type)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {"type": self.type.to_dict(), "target_shape": self.target_shape}
        return {**super().get_config(), **config}


class PotentialTable(ExactLayer):
    """exp(-d^2); with types, by a table over every code of ``input_type``.

    The gradient is that of the function itself.
    """

    def __init__(
        self,
        input_type: FixedType | dict[str, Any] | None = None,
        output_type: FixedType | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_type = None if input_type is None else _type(input_type)
        self.output_type = None if output_type is None else _type(output_type)
        self.table: tuple[int, ...] = ()
        """Output codes for every input code from the smallest; empty without types."""
        if self.input_type is not None and self.output_type is not None:
            codes = np.arange(self.input_type.min_code, self.input_type.max_code + 1)
            table = self.output_type.encode(np.exp(-(self.input_type.decode(codes) ** 2)))
            self.table = tuple(int(code) for code in table)

    def call(self, inputs: Any) -> Any:
        """Look up, or compute when there are no types."""
        if self.input_type is None or self.output_type is None:
            return tf.exp(-tf.square(inputs))
        values = tf.constant(self.output_type.decode(self.table), inputs.dtype)
        scale, low = 2.0**self.input_type.frac_bits, self.input_type.min_code

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def look_up(d: Any) -> Any:
            out = tf.gather(values, tf.cast(d * scale, tf.int32) - low)
            return out, lambda upstream: upstream * (-2.0 * d * out)

        return look_up(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        kinds = {"input_type": self.input_type, "output_type": self.output_type}
        types = {k: None if t is None else t.to_dict() for k, t in kinds.items()}
        return {**super().get_config(), **types}


class BroadcastMultiply(ExactLayer):
    """Product of ``(..., a)`` with ``(..., 1)`` or ``(..., a)``."""

    def call(self, inputs: list[Any]) -> Any:
        """Multiply."""
        return inputs[0] * inputs[1]


def _sum_candidates(rows: Any, row_splits: Any | None) -> Any:
    """Sum over the candidates of each event; rows are ``(candidates, channels)`` when packed."""
    if row_splits is None:
        return tf.reduce_sum(rows, axis=1)
    splits = tf.cast(row_splits, tf.int64)
    segments = tf.repeat(tf.range(tf.shape(splits)[0] - 1), splits[1:] - splits[:-1])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def total(summands: Any) -> Any:
        sums = tf.math.unsorted_segment_sum(summands, segments, tf.shape(splits)[0] - 1)
        # that of the library is the same, but looks for negative segments in every number
        return sums, lambda upstream: tf.gather(upstream, segments)

    return total(rows)


class Pool(ExactLayer):
    """Base of the pools: sums in float64, exact below 2**53 counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float64"})


class VectorPooling(Pool):
    """V[k] = -sum_i w[i, k] p[i]; inputs weights, momentum and, when packed, row splits."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, k, 2)."""
        weights, momentum, *splits = inputs
        if not splits:
            return -tf.einsum("nik,nix->nkx", weights, momentum)
        k = weights.shape[-1]
        products = tf.reshape(weights[:, :, None] * momentum[:, None, :], (-1, 2 * k))
        return -tf.reshape(_sum_candidates(products, splits[0]), (-1, k, 2))


class ScalarPooling(Pool):
    """S[m] = 2**-shift sum over filled slots of s[i, m]; inputs s, pt and, when packed, splits."""

    def __init__(self, shift: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shift = shift

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, m)."""
        scalars, pt, *splits = inputs
        filled = tf.cast(pt > 0, scalars.dtype)[..., None]
        return _sum_candidates(scalars * filled, splits[0] if splits else None) * 2.0**-self.shift

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "shift": self.shift}


class AggregatePooling(Pool):
    """F[a f + j] = 2**-shift sum over filled slots of W[i, a] x[i, j].

    Inputs W, x, pt and, when packed, row splits.
    """

    def __init__(self, shift: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shift = shift

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, a * f)."""
        potential, messages, pt, *splits = inputs
        size = potential.shape[-1] * messages.shape[-1]
        filled = tf.cast(pt > 0, potential.dtype)[..., None]
        if splits:
            products = (potential * filled)[:, :, None] * messages[:, None, :]
            total = _sum_candidates(tf.reshape(products, (-1, size)), splits[0])
        else:
            total = tf.reshape(tf.einsum("nia,nif->naf", potential * filled, messages), (-1, size))
        return total * 2.0**-self.shift

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "shift": self.shift}


class CombineVectors(Pool):
    """Sum_k c[k] V[k]; inputs coefficients, vectors."""

    def call(self, inputs: list[Any]) -> Any:
        """Return (events, 2)."""
        coefficients, vectors = inputs
        return tf.einsum("nk,nkx->nx", coefficients, vectors)
