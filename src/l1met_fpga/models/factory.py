"""Layer factories: one builder makes the float, the quantized and the pruned network."""

import re
from typing import Any, Final, Protocol

from l1met_fpga.config.model import LayerTypes
from l1met_fpga.errors import ConfigError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.keras import keras
from l1met_fpga.models.layers import FixedQuantize, PotentialTable
from l1met_fpga.models.masks import masked
from l1met_fpga.models.quantizers import weight_quantizer

__all__ = [
    "VARIANTS",
    "FloatFactory",
    "LayerFactory",
    "MaskedFactory",
    "PrunedFactory",
    "QuantizedFactory",
]

VARIANTS: Final = ("float", "quantized", "pruned")


class LayerFactory(Protocol):
    """What a builder asks for; names are those of the integer network's nodes."""

    def dense(self, x: Any, types: LayerTypes, units: int, name: str) -> Any:
        """Return ``x @ kernel + bias`` named ``<name>_dense``, then its quantizer ``name``."""

    def quantize(
        self, x: Any, kind: FixedType, name: str, target_shape: tuple[int, ...] | None = None
    ) -> Any:
        """Return ``x`` in a type (float: unchanged, or ReLU for an unsigned type)."""

    def potential(self, x: Any, source: FixedType, kind: FixedType, name: str) -> Any:
        """Return exp(-x^2)."""


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigError(f"layer name {name!r} must be lower case letters, digits and '_'")
    return name


def _started(layer: Any, x: Any, types: LayerTypes) -> Any:
    """Apply a dense layer, wrapped or not; its bias starts where the configuration says."""
    out = layer(x)
    bias = getattr(layer, "layer", layer).bias
    bias.assign(keras.initializers.Constant(types.start_bias)(bias.shape))
    return out


class FloatFactory:
    """Plain Keras layers; the twin that quantization is compared with.

    Candidate features and momenta stay the hardware's integers; everything after is float.
    """

    def dense(self, x: Any, types: LayerTypes, units: int, name: str) -> Any:
        """Dense layer and ReLU (unsigned output type) or nothing."""
        layer = keras.layers.Dense(units, name=f"{_check_name(name)}_dense")
        return self.quantize(_started(layer, x, types), types.output, name)

    def quantize(
        self, x: Any, kind: FixedType, name: str, target_shape: tuple[int, ...] | None = None
    ) -> Any:
        """ReLU for an unsigned type, identity otherwise."""
        dtype = x.dtype.name
        if target_shape is not None:
            return keras.layers.Reshape(target_shape, dtype=dtype, name=_check_name(name))(x)
        activation = "linear" if kind.signed else "relu"
        return keras.layers.Activation(activation, dtype=dtype, name=_check_name(name))(x)

    def potential(self, x: Any, source: FixedType, kind: FixedType, name: str) -> Any:  # noqa: ARG002
        """exp(-x^2) itself."""
        return PotentialTable(name=_check_name(name))(x)


class QuantizedFactory:
    """QKeras layers, each followed by exactly one quantizer."""

    def dense(self, x: Any, types: LayerTypes, units: int, name: str) -> Any:
        """QDense with quantized kernel and bias, then the output quantizer."""
        layer = self._dense_layer(types, units, f"{_check_name(name)}_dense")
        return self.quantize(_started(layer, x, types), types.output, name)

    def _dense_layer(self, types: LayerTypes, units: int, name: str) -> Any:
        from qkeras import QDense

        return QDense(
            units,
            kernel_quantizer=weight_quantizer(types.kernel, one_digit=types.one_digit),
            bias_quantizer=weight_quantizer(types.bias),
            kernel_initializer="glorot_uniform",
            name=name,
        )

    def quantize(
        self, x: Any, kind: FixedType, name: str, target_shape: tuple[int, ...] | None = None
    ) -> Any:
        """Quantizer layer, in the precision of its input."""
        return FixedQuantize(kind, target_shape, dtype=x.dtype.name, name=_check_name(name))(x)

    def potential(self, x: Any, source: FixedType, kind: FixedType, name: str) -> Any:
        """Table over every code of the source type."""
        return PotentialTable(source, kind, name=_check_name(name))(x)


class PrunedFactory(QuantizedFactory):
    """Quantized layers whose kernels a pruning schedule sets to zero during training.

    Only layers whose configuration says ``prune: true`` are wrapped.
    """

    def __init__(self, schedule: Any) -> None:
        self.schedule = schedule

    def dense(self, x: Any, types: LayerTypes, units: int, name: str) -> Any:
        """QDense in a pruning wrapper, then the output quantizer."""
        layer = self._dense_layer(types, units, f"{_check_name(name)}_dense")
        if types.prune:
            from l1met_fpga.models.pruning_wrapper import pruned

            layer = pruned(layer, self.schedule)
        return self.quantize(_started(layer, x, types), types.output, name)


class MaskedFactory(QuantizedFactory):
    """Quantized layers whose kernels have a mask (:mod:`l1met_fpga.models.masks`).

    Only layers whose configuration says ``prune: true`` have one.
    """

    def dense(self, x: Any, types: LayerTypes, units: int, name: str) -> Any:
        """QDense with a mask, then the output quantizer."""
        layer = self._dense_layer(types, units, f"{_check_name(name)}_dense")
        if types.prune:
            layer = masked(layer, (x.shape[-1], units))
        return self.quantize(_started(layer, x, types), types.output, name)
