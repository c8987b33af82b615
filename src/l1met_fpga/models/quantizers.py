"""Any :class:`FixedType` as a TensorFlow function and as a QKeras quantizer.

The forward pass gives exactly the values of ``FixedType.encode``; the gradient is one inside the
type's range and zero outside (straight-through), so an unsigned type acts as a bounded ReLU.
"""

from typing import Any

import numpy as np
from qkeras.quantizers import BaseQuantizer, quantized_bits

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.keras import tf

__all__ = ["FixedQuantizer", "OneDigitQuantizer", "quantize", "weight_quantizer"]


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def quantize(x: Any, kind: FixedType) -> Any:
    """Quantize a float tensor to the values of a type.

    Exact as long as ``x`` holds its values exactly: in float32 below 24 bits (see
    :mod:`l1met_fpga.models.exactness`), in float64 below 53.

    Args:
        x: Tensor, float32 or float64, any shape.
        kind: The type.

    Returns:
        Tensor of the same dtype and shape.
    """
    if (
        x.dtype == tf.float32
        and (kind.rounding, kind.overflow) == (Rounding.RND, Overflow.SAT)
        and 2 <= kind.width <= 16
    ):
        # One fused kernel with the same rounding (half up) and gradient; several times faster.
        return tf.quantization.fake_quant_with_min_max_args(
            x, min=kind.min, max=kind.max, num_bits=kind.width
        )
    return _straight_through(x, kind)


def _straight_through(x: Any, kind: FixedType) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def forward(value: Any) -> Any:
        code = _overflow(_round(value * 2.0**kind.frac_bits, kind.rounding), kind)

        def gradient(upstream: Any) -> Any:
            if kind.overflow is Overflow.WRAP:
                return upstream
            inside = (value >= kind.min) & (value <= kind.max)
            return tf.where(inside, upstream, tf.zeros_like(upstream))

        return code * 2.0**-kind.frac_bits, gradient

    return forward(x)


def _round(scaled: Any, rounding: Rounding) -> Any:
    whole = tf.floor(scaled)
    rest = scaled - whole
    match rounding:
        case Rounding.TRN:
            return whole
        case Rounding.TRN_ZERO:
            up = (scaled < 0) & (rest > 0)
        case Rounding.RND:
            up = rest >= 0.5
        case Rounding.RND_MIN_INF:
            up = rest > 0.5
        case Rounding.RND_INF:
            up = (rest > 0.5) | ((rest == 0.5) & (scaled >= 0))
        case Rounding.RND_ZERO:
            up = (rest > 0.5) | ((rest == 0.5) & (scaled < 0))
        case Rounding.RND_CONV:
            up = (rest > 0.5) | ((rest == 0.5) & (tf.math.floormod(whole, 2.0) == 1.0))
    return whole + tf.cast(up, scaled.dtype)


def _overflow(code: Any, kind: FixedType) -> Any:
    low, high = float(kind.min_code), float(kind.max_code)
    match kind.overflow:
        case Overflow.SAT:
            return tf.clip_by_value(code, low, high)
        case Overflow.SAT_SYM:
            return tf.clip_by_value(code, -max(high, 1.0) if kind.signed else 0.0, high)
        case Overflow.SAT_ZERO:
            return tf.where((code < low) | (code > high), tf.zeros_like(code), code)
        case Overflow.WRAP:
            return tf.math.floormod(code - low, 2.0**kind.width) + low


class FixedQuantizer(BaseQuantizer):  # type: ignore[misc]
    """QKeras-compatible quantizer of a :class:`FixedType`.

    Unlike QKeras's own it knows every rounding and overflow mode of ``ap_fixed``.
    """

    def __init__(self, type: FixedType | dict[str, Any]) -> None:  # noqa: A002
        super().__init__()
        self.type = FixedType.from_dict(type) if isinstance(type, dict) else type

    def __call__(self, x: Any) -> Any:
        """Quantize a tensor."""
        return quantize(tf.convert_to_tensor(x), self.type)

    def max(self) -> float:
        """Return the largest value."""
        return self.type.max

    def min(self) -> float:
        """Return the smallest value."""
        return self.type.min

    def get_config(self) -> dict[str, Any]:
        """Return the arguments for :meth:`from_config`."""
        return {"type": self.type.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FixedQuantizer":
        """Rebuild from :meth:`get_config`."""
        return cls(**config)


class OneDigitQuantizer(quantized_bits):  # type: ignore[misc]
    """The values of a signed type that have one digit: 0 and plus or minus powers of two.

    A product with such a value is a shift. QKeras's own ``quantized_po2`` has no zero, so that
    nothing could be pruned. The nearest value is taken, of two the larger; the gradient is one
    inside the type's range.
    """

    def __call__(self, x: Any) -> Any:
        """Quantize a tensor."""
        x = tf.convert_to_tensor(x)
        frac_bits = int(self.bits) - 1 - int(self.integer)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def forward(value: Any) -> Any:
            counts = tf.abs(value) * 2.0**frac_bits
            # between 2**k and 2**(k + 1) the middle is 1.5 * 2**k
            digit = tf.floor(tf.math.log(tf.maximum(counts, 0.5) / 1.5) / np.log(2.0)) + 1.0
            size = 2.0 ** tf.clip_by_value(digit, 0.0, float(self.bits - 2))
            one = tf.sign(value) * tf.where(counts < 0.5, 0.0, size) * 2.0**-frac_bits

            def gradient(upstream: Any) -> Any:
                return tf.where(tf.abs(value) <= 2.0**self.integer, upstream, 0.0)

            return one, gradient

        return forward(x)


def weight_quantizer(kind: FixedType, *, one_digit: bool = False) -> Any:
    """Return the quantizer of kernels and biases for a signed RND_CONV, SAT type.

    ``alpha=1`` always: QKeras turns None into a learned power-of-two scale without saying so.
    """
    quantizer = OneDigitQuantizer if one_digit else quantized_bits
    return quantizer(bits=kind.width, integer=kind.int_bits, symmetric=0, alpha=1)
